"""History moves from one store to another, goes on where it was broken off, and is counted."""

import pytest

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, parse_iso
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import StoreUnavailable
from store.timeseries import copying
from store.timeseries.embedded import EmbeddedStore

START_MS = parse_iso("2026-01-01T00:00:00+08:00")
SERIES = [Series("冰柜 1", Quantity.TEMPERATURE, "probe2"), Series("m", Quantity.ENERGY)]
COUNT = 3000


@pytest.fixture
def source(tmp_path):
    store = EmbeddedStore(tmp_path / "old.db")
    store.write(
        [
            Reading(one, n / 10, START_MS + n * 47 * MINUTE_MS, START_MS, Quality(n % 3))
            for n in range(COUNT)
            for one in SERIES
        ]
    )
    yield store
    store.close()


@pytest.fixture
def target(tmp_path):
    store = EmbeddedStore(tmp_path / "new.db")
    yield store
    store.close()


def run(source, target, since_ms=None, until_ms=None, **more):
    behind = []
    result = copying.copy(
        source,
        target,
        copying.windows(source, since_ms, until_ms),
        behind.append,
        pause=lambda _: None,
        **more,
    )
    assert sum(behind) == result.readings
    return result


def test_everything_moves(source, target, monkeypatch):
    """Values, times and qualities of every series are those of the source, however many a batch holds."""
    monkeypatch.setattr(copying, "_READINGS_AT_ONCE", 100)
    result = run(source, target)
    assert (result.readings, result.written, result.refused, result.missing) == (2 * COUNT, 2 * COUNT, [], [])
    for one in SERIES:
        assert target.query(one, 0, 2**43) == source.query(one, 0, 2**43)
    assert target.latest() == source.latest()


def test_a_second_copy_writes_nothing(source, target):
    """What is there is passed over, unless asked for again."""
    run(source, target)
    assert run(source, target).written == 0
    assert run(source, target, again=True).written == 2 * COUNT


def test_a_copy_that_was_broken_off_goes_on(source, target, monkeypatch):
    """When the target goes away half way, the next copy writes only the rest."""
    write, left = target.write, iter(range(3))

    def failing(readings):
        if next(left, None) is None:
            raise StoreUnavailable("target", "gone")
        write(readings)

    with monkeypatch.context() as patch:
        patch.setattr(target, "write", failing)
        with pytest.raises(StoreUnavailable):
            run(source, target)
    before = target.info().readings
    result = run(source, target)
    assert 0 < before < 2 * COUNT
    assert result.written == 2 * COUNT - before
    assert target.info().readings == 2 * COUNT


def test_a_span_moves_alone(source, target):
    """From and until are kept to the millisecond."""
    since_ms, until_ms = START_MS + 10 * DAY_MS, START_MS + 50 * DAY_MS
    run(source, target, since_ms, until_ms)
    for one in SERIES:
        assert target.query(one, 0, 2**43) == source.query(one, since_ms, until_ms)


def test_hours_without_readings_are_no_readings(source, target):
    """Of hours whose readings are forgotten nothing is copied, and nothing is missed."""
    source.delete_before(START_MS + 40 * DAY_MS, keep_hours=True)
    result = run(source, target)
    assert result.missing == []
    assert result.readings == source.info().readings == target.info().readings < 2 * COUNT


def test_what_the_target_refuses_is_told(source, target):
    """Refused readings are named and not counted as missing."""
    target.write([Reading(SERIES[0], 1.0, START_MS + HOUR_MS, START_MS)])
    target.delete_before(START_MS + DAY_MS, keep_hours=True)
    result = run(source, target)
    assert {reading.time_ms < START_MS + DAY_MS for reading, _ in result.refused} == {True}
    assert result.missing == []


def test_a_count_that_differs_is_told(source, target, monkeypatch):
    """A target that loses what it took is found out."""
    monkeypatch.setattr(target, "write", lambda _: None)
    result = run(source, target)
    assert {window.series for window in result.missing} == set(SERIES)


def test_an_empty_store_has_nothing_to_copy(target, source):
    """Copying nothing is no error."""
    assert copying.windows(target, None, None) == []
