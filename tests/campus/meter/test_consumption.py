"""Consumption by hours, days and months."""

import zoneinfo

import pytest

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, SHANGHAI, iso, parse_iso
from campus.meter.consumption import consumption, steps
from campus.meter.meter import Meter
from campus.meter.period import Unit, edges
from campus.meter.register import Register
from campus.meter.step import Reason

START_MS = parse_iso("2026-11-21T00:00:00+08:00")
METER = Meter(modulus=1000, most_per_hour=5)


def hours(readings, count, meter=METER):
    """The uses of *count* hours from midnight, of readings (minute, m3)."""
    points = [(START_MS + round(minute * MINUTE_MS), value) for minute, value in readings]
    edges_ms = [START_MS + one * HOUR_MS for one in range(count + 1)]
    return consumption(steps(Register(), points, meter), edges_ms)


def rounded(uses):
    return [(round(use.volume, 6), round(use.inferred, 6), sorted(use.reasons)) for use in uses]


def test_hours_of_minutes():
    """Dense readings: every hour is measured, also where a step lies over its edge."""
    found = hours([(m + 0.5, 10 + 0.01 * m) for m in range(-1, 121)], 2)
    assert rounded(found) == [(0.6, 0, []), (0.6, 0, [])]
    assert [use.covered_ms for use in found] == [HOUR_MS, HOUR_MS]


def test_a_gap_is_known_in_total_and_inferred_by_hour():
    """4 m3 over four hours without a reading: 1 m3 an hour, marked; the day around them holds a measured sum."""
    readings = [(0, 10), (60, 10.6), (300, 14.6), (360, 15.0)]
    assert rounded(hours(readings, 6)) == [
        (0.6, 0, []),
        *[(1.0, 1.0, [Reason.GAP])] * 4,
        (0.4, 0, []),
    ]
    points = [(START_MS + minute * MINUTE_MS, value) for minute, value in readings]
    (day,) = consumption(steps(Register(), points, METER), [START_MS, START_MS + DAY_MS])
    assert (round(day.volume, 6), day.inferred, day.covered_ms) == (5.0, 0, 6 * HOUR_MS)


def test_a_gap_in_which_nothing_passed_is_measured():
    """A register that did not move says 0 for every hour of its silence."""
    assert rounded(hours([(0, 10), (600, 10)], 10)) == [(0, 0, [])] * 10


def test_sparse_readings_share_a_period_by_a_straight_line():
    """Readings every hour at half past: what an hour gets is half a guess, and said so."""
    found = hours([(-30, 10), (30, 11), (90, 13)], 2)
    assert rounded(found) == [(0.5 + 1.0, 1.5, [Reason.EDGE]), (1.0, 1.0, [Reason.EDGE])]


def test_nothing_known_is_not_nothing_used():
    """Hours before the first reading and after the last have no coverage."""
    found = hours([(60, 10), (90, 10.5)], 3)
    assert [use.covered_ms for use in found] == [0, 30 * MINUTE_MS, 0]


def test_events_are_seen_through():
    """A rollover counts, a new register does not, backflow stands apart; only the reset is inferred."""
    assert rounded(hours([(0, 999.5), (30, 0.5), (60, 1.0)], 1)) == [(1.5, 0, [])]
    assert rounded(hours([(0, 500), (20, 0.0), (40, 0.3), (60, 0.4)], 1)) == [(0.4, 0.3, [Reason.RESET])]
    (use,) = hours([(0, 500), (30, 499.8), (60, 500.3)], 1)
    assert (round(use.volume, 6), round(use.backflow, 6), use.inferred) == (0.3, 0.2, 0)


@pytest.mark.parametrize(
    ("unit", "zone", "start", "end", "expected"),
    [
        (Unit.HOUR, SHANGHAI, "2026-11-21T08:30:00+08:00", "2026-11-21T10:00:00+08:00", ["08", "09", "10"]),
        (Unit.DAY, SHANGHAI, "2026-11-21T08:30:00+08:00", "2026-11-22T00:00:01+08:00", ["21", "22", "23"]),
        (Unit.MONTH, SHANGHAI, "2026-12-31T00:00:00+08:00", "2027-02-01T00:00:00+08:00", ["12", "01", "02"]),
    ],
)
def test_periods_are_local(unit, zone, start, end, expected):
    """Whole local hours, days and months around the span asked for."""
    found = [iso(one, zone) for one in edges(parse_iso(start), parse_iso(end), unit, zone)]
    at = {Unit.HOUR: slice(11, 13), Unit.DAY: slice(8, 10), Unit.MONTH: slice(5, 7)}[unit]
    assert [one[at] for one in found] == expected
    rest = {Unit.HOUR: ":00:00", Unit.DAY: "T00:00:00", Unit.MONTH: "-01T00:00:00"}[unit]
    assert all(one.removesuffix("+08:00").endswith(rest) for one in found)


def test_a_day_of_25_hours():
    """Where clocks are put back a day is longer, and its hours stay hours."""
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    start, end = parse_iso("2026-10-25T00:00:00", zone), parse_iso("2026-10-26T00:00:00", zone)
    assert edges(start, end, Unit.DAY, zone) == [start, start + 25 * HOUR_MS]
    assert len(edges(start, end, Unit.HOUR, zone)) == 26


def test_half_hour_zones():
    """Hours begin where the local clock says so."""
    zone = zoneinfo.ZoneInfo("Asia/Kolkata")
    start = parse_iso("2026-11-21T10:10:00", zone)
    assert iso(edges(start, start + 1, Unit.HOUR, zone)[0], zone) == "2026-11-21T10:00:00+05:30"
