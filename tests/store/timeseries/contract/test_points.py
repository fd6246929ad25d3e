"""Every store gives back what was written: in order of time, each time once, in half-open ranges, and by step."""

import math
import random
import uuid

import pytest
from store_support import REFERENCE

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, parse_iso
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import PointRefused
from store.timeseries.contract import Aggregate
from store.timeseries.embedded import EmbeddedStore

START_MS = parse_iso("2026-03-20T16:00:00Z")  # midnight in Shanghai


@pytest.fixture
def series():
    """A series of its own for each test, with a name that needs escaping."""
    return Series(f'冰柜 No,1="x" {uuid.uuid4().hex}', Quantity.TEMPERATURE, "probe 2")


def reading(series, at_ms, value, quality=Quality.GOOD):
    return Reading(series, float(value), at_ms, at_ms + 5, quality)


def test_what_is_written_is_read(store, series):
    """Points come back in order of time with value and quality, whatever order they were written in."""
    store.write(
        [
            reading(series, START_MS + 2000, 3),
            reading(series, START_MS, 1, Quality.SUSPECT),
            reading(series, START_MS + 1000, -2.5),
        ]
    )
    points = store.query(series, START_MS, START_MS + 10_000)
    assert [(point.time_ms - START_MS, point.value, point.quality) for point in points] == [
        (0, 1.0, Quality.SUSPECT),
        (1000, -2.5, Quality.GOOD),
        (2000, 3.0, Quality.GOOD),
    ]


def test_a_repeat_changes_nothing(store, series):
    """Writing the same batch again leaves each point once, raw and in every sum."""
    batch = [reading(series, START_MS + n * 1000, n) for n in range(5)]
    for _ in range(3):
        store.write(batch)
    span = (START_MS, START_MS + 10_000)
    assert [point.value for point in store.query(series, *span)] == [0.0, 1.0, 2.0, 3.0, 4.0]
    for aggregate, value in ((Aggregate.COUNT, 5.0), (Aggregate.SUM, 10.0), (Aggregate.MEAN, 2.0)):
        (point,) = store.query(series, *span, step_ms=HOUR_MS, aggregate=aggregate)
        assert point.value == value


@pytest.mark.differs("victoriametrics")  # of two values at one time it knows no last
def test_a_corrected_value_replaces_the_first(store, series):
    """Of two values of one series and time the one written last is kept, larger or not."""
    store.write([reading(series, START_MS + n * 1000, n) for n in range(5)])
    store.write([reading(series, START_MS, 9), reading(series, START_MS + 3000, -3)])
    assert [point.value for point in store.query(series, START_MS, START_MS + 10_000)] == [
        9.0,
        1.0,
        2.0,
        -3.0,
        4.0,
    ]


def test_ranges_are_half_open_and_may_be_empty(store, series):
    """The start belongs to a range, the end does not; nothing there is an empty list."""
    store.write([reading(series, START_MS, 1), reading(series, START_MS + 1000, 2)])
    assert [point.value for point in store.query(series, START_MS, START_MS + 1000)] == [1.0]
    assert store.query(series, START_MS + 5000, START_MS + 9000) == []
    assert store.query(series, START_MS, START_MS) == []
    assert store.query(Series("nobody", Quantity.ENERGY), START_MS, START_MS + 1000) == []


def test_channels_and_quantities_are_apart(store, series):
    """An empty channel is not every channel."""
    bare = Series(series.device, series.quantity)
    store.write(
        [
            reading(series, START_MS, 1),
            reading(bare, START_MS, 2),
            reading(Series(series.device, Quantity.HUMIDITY), START_MS, 3),
        ]
    )
    assert [point.value for point in store.query(bare, START_MS, START_MS + 1)] == [2.0]
    assert [one.channel for one in store.series(series.device)] == ["", "", "probe 2"]


def test_latest_moves_forward_only(store, series):
    """A late reading does not become the latest."""
    store.write([reading(series, START_MS + 5000, 5)])
    store.write([reading(series, START_MS, 1)])
    latest = store.latest([series])[series]
    assert (latest.time_ms, latest.value) == (START_MS + 5000, 5.0)
    assert store.latest([Series("nobody", Quantity.ENERGY)]) == {}


@pytest.mark.parametrize("aggregate", list(Aggregate))
@pytest.mark.parametrize(
    ("step_ms", "origin_ms"),
    [(15 * MINUTE_MS, 0), (HOUR_MS, 0), (6 * HOUR_MS, START_MS), (DAY_MS, START_MS), (DAY_MS, 0)],
)
def test_aggregates_equal_a_reference(store, series, aggregate, step_ms, origin_ms):
    """Every aggregate over every step is what plain arithmetic gives, local days included, with ragged ends."""
    generator = random.Random(7)
    moments = sorted(generator.sample(range(START_MS, START_MS + 3 * DAY_MS, 1000), 300))
    batch = [reading(series, moment, round(generator.uniform(-20, 20), 3)) for moment in moments]
    store.write(batch[:200])
    if isinstance(store, EmbeddedStore):
        store.pack()
    store.write(batch[200:])
    start_ms, end_ms = START_MS + 1234_567, START_MS + 2 * DAY_MS + 7_654_321
    steps = {}
    for one in batch:
        if start_ms <= one.time_ms < end_ms:
            steps.setdefault(one.time_ms - (one.time_ms - origin_ms) % step_ms, []).append(one.value)
    found = store.query(series, start_ms, end_ms, step_ms=step_ms, aggregate=aggregate, origin_ms=origin_ms)
    assert [point.time_ms for point in found] == sorted(steps)
    for point in found:
        assert point.value == pytest.approx(REFERENCE[aggregate](steps[point.time_ms]), abs=1e-9)


@pytest.mark.differs("victoriametrics")  # of two values at one time it knows no last
def test_late_and_corrected_points_reach_the_roll_ups(store, series):
    """An hour that was rolled up follows what arrives for it later."""
    store.write([reading(series, START_MS + n * MINUTE_MS, 10) for n in range(60)])
    if isinstance(store, EmbeddedStore):
        store.pack()
    store.write(
        [reading(series, START_MS + 30 * MINUTE_MS, 70), reading(series, START_MS + 90 * MINUTE_MS, 5)]
    )
    found = store.query(series, START_MS, START_MS + 2 * HOUR_MS, step_ms=HOUR_MS, aggregate=Aggregate.MEAN)
    assert [(point.time_ms - START_MS, point.value) for point in found] == [
        (0, pytest.approx(11.0)),
        (HOUR_MS, 5.0),
    ]


def test_late_data_is_history_like_any_other(store, series):
    """What arrives days late, before, between and after what is there, is found raw and by step."""
    for day in (3, 1, 5, 0, 4, 2):
        store.write([reading(series, START_MS + day * DAY_MS + n * HOUR_MS, day) for n in range(24)])
        if isinstance(store, EmbeddedStore) and day % 2:
            store.pack()
    span = (START_MS, START_MS + 6 * DAY_MS)
    assert [point.value for point in store.query(series, *span)] == [float(n // 24) for n in range(144)]
    days = store.query(series, *span, step_ms=DAY_MS, aggregate=Aggregate.MEAN, origin_ms=START_MS)
    assert [point.value for point in days] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_poison_point_stops_nobody(store, series, bad):
    """A reading that can never be stored is named, and all others of its batch are stored."""
    batch = [
        reading(series, START_MS, 1),
        reading(series, START_MS + 1000, bad),
        reading(series, START_MS + 2000, 3),
    ]
    with pytest.raises(PointRefused) as caught:
        store.write(batch)
    assert caught.value.index == 1
    assert [point.value for point in store.query(series, START_MS, START_MS + 5000)] == [1.0, 3.0]


@pytest.mark.parametrize("where", [0, 1, 1234, 2999])
def test_a_poison_point_anywhere_in_a_great_batch(store, series, where):
    """Wherever it lies among thousands, it alone is refused."""
    batch = [reading(series, START_MS + n * 1000, n) for n in range(3000)]
    batch[where] = reading(series, START_MS + where * 1000, math.nan)
    with pytest.raises(PointRefused) as caught:
        store.write(batch)
    assert [index for index, _ in caught.value.refused] == [where]
    points = store.query(series, START_MS, START_MS + DAY_MS)
    assert [point.value for point in points] == [float(n) for n in range(3000) if n != where]


def test_a_store_tells_what_is_in_it(lone_store, series):
    """Series, readings, and the first and last time are those of what was written."""
    before = lone_store.info()
    lone_store.write([reading(series, START_MS + n * 1000, n) for n in range(10)])
    found = lone_store.info()
    assert found.series == before.series + 1
    assert found.readings == before.readings + 10
    assert found.first_ms <= START_MS
    assert found.last_ms >= START_MS + 9000
