"""Every store counts local days, and forgets what it is told to."""

import pytest

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, parse_iso
from store.timeseries.contract import Aggregate

MIDNIGHT_MS = parse_iso("2026-03-21T00:00:00+08:00")


def by_day(store, series, start_ms, end_ms, aggregate=Aggregate.SUM):
    points = store.query(series, start_ms, end_ms, step_ms=DAY_MS, aggregate=aggregate, origin_ms=MIDNIGHT_MS)
    return [((point.time_ms - MIDNIGHT_MS) // DAY_MS, point.value) for point in points]


def test_a_local_day_ends_at_local_midnight(store, make):
    """The last millisecond belongs to the old day, midnight to the new one, and 08:00 (0 h UTC) to neither edge."""
    store.write(
        [
            make(MIDNIGHT_MS - 1, 1),
            make(MIDNIGHT_MS, 10),
            make(MIDNIGHT_MS + 8 * HOUR_MS - 1, 100),
            make(MIDNIGHT_MS + 8 * HOUR_MS, 1000),
            make(MIDNIGHT_MS + DAY_MS - 1, 10_000),
            make(MIDNIGHT_MS + DAY_MS, 100_000),
        ]
    )
    found = by_day(store, make(0, 0).series, MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS + 2 * DAY_MS)
    assert found == [(-1, 1.0), (0, 11_110.0), (1, 100_000.0)]


def test_days_without_readings_are_left_out(store, make):
    """A gap of a week gives no points, not zeros."""
    store.write([make(MIDNIGHT_MS, 1), make(MIDNIGHT_MS + 7 * DAY_MS, 2)])
    found = by_day(store, make(0, 0).series, MIDNIGHT_MS, MIDNIGHT_MS + 30 * DAY_MS, Aggregate.COUNT)
    assert found == [(0, 1.0), (7, 1.0)]


def test_a_range_within_a_day_has_the_day_s_time(store, make):
    """A step cut by the range counts only what lies in the range, and is named by the step's own start."""
    store.write([make(MIDNIGHT_MS + hour * HOUR_MS + 7 * MINUTE_MS, 1) for hour in range(24)])
    found = by_day(
        store, make(0, 0).series, MIDNIGHT_MS + 10 * HOUR_MS + MINUTE_MS, MIDNIGHT_MS + 12 * HOUR_MS
    )
    assert found == [(0, 2.0)]


def test_an_origin_off_the_hour(store, make):
    """Steps may begin at any minute; an origin in the future aligns the past just as well."""
    origin_ms = MIDNIGHT_MS + 20 * MINUTE_MS
    store.write([make(MIDNIGHT_MS + minute * MINUTE_MS, minute) for minute in range(0, 150, 10)])
    span = (MIDNIGHT_MS, MIDNIGHT_MS + 3 * HOUR_MS)
    for origin in (origin_ms, origin_ms + 500 * DAY_MS, origin_ms - 500 * DAY_MS):
        points = store.query(
            make(0, 0).series, *span, step_ms=HOUR_MS, aggregate=Aggregate.FIRST, origin_ms=origin
        )
        assert [((point.time_ms - MIDNIGHT_MS) // MINUTE_MS, point.value) for point in points] == [
            (-40, 0.0),
            (20, 20.0),
            (80, 80.0),
            (140, 140.0),
        ]


@pytest.mark.differs("victoriametrics")  # its own retention forgets
@pytest.mark.parametrize("into_hour_ms", [0, 1, 30 * MINUTE_MS])
def test_what_is_forgotten_is_gone_exactly(lone_store, make, into_hour_ms):
    """Raw points, steps and the latest forget the same: before the limit, not at it."""
    limit_ms = parse_iso("2016-03-01T00:00:00Z") + into_hour_ms
    lone_store.write(
        [make(limit_ms - 2 * HOUR_MS, 1), make(limit_ms - 1, 2), make(limit_ms, 4), make(limit_ms + 1, 8)]
    )
    lone_store.write([make(limit_ms - 1, 2, channel="gone")])
    lone_store.delete_before(limit_ms)
    span = (limit_ms - DAY_MS, limit_ms + DAY_MS)
    series, gone = make(0, 0).series, make(0, 0, channel="gone").series
    assert [point.value for point in lone_store.query(series, *span)] == [4.0, 8.0]
    steps = lone_store.query(series, *span, step_ms=HOUR_MS, aggregate=Aggregate.SUM)
    assert [point.value for point in steps] == [12.0]
    assert lone_store.latest([series, gone]).keys() == {series}
    assert lone_store.series(series.device) == [series]


@pytest.mark.differs("victoriametrics")  # its own retention forgets
def test_what_was_forgotten_can_be_written_again(lone_store, make):
    """A restored backup of old readings is stored as if it were new."""
    old_ms = parse_iso("2016-06-01T00:00:00Z")
    lone_store.write([make(old_ms, 1)])
    lone_store.delete_before(old_ms + HOUR_MS)
    lone_store.write([make(old_ms + 60_000, 3)])
    points = lone_store.query(
        make(0, 0).series, old_ms, old_ms + HOUR_MS, step_ms=HOUR_MS, aggregate=Aggregate.SUM
    )
    assert [point.value for point in points] == [3.0]
