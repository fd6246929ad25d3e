"""The school year: its campus, its calendar with the oddities of every year, and what goes wrong when."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import NamedTuple

from campus.calendar.calendar import CalendarSettings, DayType, SchoolCalendar
from campus.campus import Campus
from campus.clock import HOUR_MS, to_ms
from simulators.campus.generated import generated_campus, school_terms
from simulators.faults.scenario import Scenario, read_scenarios

DEVICES = 200
INTERVAL_S = 900.0
FIRST_DAY = dt.date(2025, 9, 1)
YEAR_DAYS = 365
#: nothing goes wrong before the rules have seen two weeks: what they learn needs that long (assumed for a new service)
_LEAD_IN_DAYS = 14
#: exam weeks with longer evenings, a Saturday the school makes up for by itself (beside the national ones), sports days,
#: and a cold snap while everybody is at home
_EXAM_WEEKS = (("2026-01-12", "2026-01-16"), ("2026-06-29", "2026-07-03"))
_MAKE_UP_SATURDAY = dt.date(2025, 12, 13)
_SPORTS_DAYS = (dt.date(2025, 10, 17), dt.date(2026, 5, 15))
_SNAP_IN_THE_BREAK = dt.date(2026, 2, 3)


class Rate(NamedTuple):
    """How often a scenario happens in a year of 200 devices, and on which days it can begin.

    *days*: ``any``; ``school`` is a school day; ``ordinary`` is school or its weekend for as long as the scenario lasts
    (its fault shows only while people come and go).
    """

    times: int
    days: str = "any"
    months: tuple[int, ...] = tuple(range(1, 13))


_WINTER = (12, 1, 2)
#: orders of magnitude, ranked as the scenarios are: a toilet runs on every fortnight somewhere, the heating fails once
#: (assumed; no statistic of schools is known to us)
RATES = {
    "running_toilet": Rate(24, "ordinary"), "lights_left_on": Rate(30, "school"),
    "air_conditioning_left_on": Rate(8, "school", (5, 6, 7, 9)), "dripping_tap": Rate(20),
    "freezer_door_open": Rate(24), "battery_low": Rate(14), "gateway_down": Rate(6), "breaker_trip": Rate(10, "ordinary"),
    "power_cut": Rate(4), "frozen_pipe": Rate(3, "any", _WINTER), "compressor_failure": Rate(6),
    "pipe_bursts_on_thaw": Rate(2, "any", _WINTER), "heating_failure": Rate(1, "any", _WINTER), "burst_main": Rate(3),
    "overload": Rate(8, "ordinary"), "earth_leakage": Rate(2), "earth_leakage_slow": Rate(2), "dying_sensor": Rate(6),
    "stuck_sensor": Rate(6), "meter_swap": Rate(4), "refrigerant_loss": Rate(3), "loose_neutral": Rate(2),
    "phase_lost": Rate(3), "weak_radio": Rate(6), "wrong_clock": Rate(4), "blocked_meter": Rate(2, "ordinary"),
    "underground_leak": Rate(3), "defrost_stuck": Rate(3), "low_voltage": Rate(4), "probe_drift": Rate(2),
    "flood_while_closed": Rate(3), "cistern_cycles": Rate(6), "canteen_breaker": Rate(3), "silent_sensor": Rate(12),
    "counter_reboot": Rate(4),
}  # fmt: skip
#: of the calendar, not of chance
_DATED = {"sports_day": _SPORTS_DAYS, "cold_snap": (_SNAP_IN_THE_BREAK,)}


class Planned(NamedTuple):
    """A scenario and when it begins."""

    start_ms: int
    scenario: Scenario


def school_calendar(campus: Campus) -> SchoolCalendar:
    """Boarding school terms with exam weeks and a make-up Saturday."""
    terms = school_terms(FIRST_DAY.year + 1)
    settings = CalendarSettings.model_validate(
        terms.model_dump(by_alias=True)
        | {
            "school_days": [_MAKE_UP_SATURDAY],
            "exam_weeks": [{"from": start, "to": end} for start, end in _EXAM_WEEKS],
            "hours": {"teaching": {"exam": ["06:00-23:00"]}},
        }
    )
    return SchoolCalendar(settings, {one.id: one.use for one in campus.site.buildings}, campus.site.zone)


def school() -> tuple[Campus, SchoolCalendar]:
    """The campus of the year, and its calendar."""
    made = generated_campus(DEVICES, year=FIRST_DAY.year + 1, interval_s=INTERVAL_S)
    calendar = school_calendar(made)
    return Campus(site=made.site, devices=made.devices.values(), hours=calendar, rules=made.rules), calendar


def planned(campus: Campus, calendar: SchoolCalendar, *, seed: int) -> list[Planned]:
    """Everything of the year in the order it begins; each scenario draws from random numbers of its own."""
    known = read_scenarios()
    found = [Planned(midnight_ms(campus, day), known[name]) for name, days in _DATED.items() for day in days]
    for name, rate in RATES.items():
        chance = random.Random(f"{seed}:year:{name}")
        days = list(_days(calendar, known[name], rate))
        for _ in range(rate.times):
            start_ms = midnight_ms(campus, chance.choice(days)) + chance.randrange(24 * 60) * HOUR_MS // 60
            found.append(Planned(start_ms, known[name]))
    return sorted(found, key=lambda one: (one.start_ms, one.scenario.name))


def _days(calendar: SchoolCalendar, scenario: Scenario, rate: Rate) -> Iterator[dt.date]:
    """Days on which it can begin, so that it is over within the year."""
    lasts = dt.timedelta(milliseconds=scenario.lasts) + dt.timedelta(days=1)
    for number in range(_LEAD_IN_DAYS, YEAR_DAYS):
        day = FIRST_DAY + dt.timedelta(days=number)
        fits = day.month in rate.months and (day + lasts - FIRST_DAY).days < YEAR_DAYS
        if rate.days == "school":
            fits = fits and calendar.day_type(day) is DayType.SCHOOL_DAY
        elif rate.days == "ordinary":
            span = (calendar.day_type(day + dt.timedelta(days=ahead)) for ahead in range(lasts.days + 1))
            fits = fits and all(one in {DayType.SCHOOL_DAY, DayType.TERM_WEEKEND} for one in span)
        if fits:
            yield day


def midnight_ms(campus: Campus, day: dt.date) -> int:
    """The beginning of a day of the school."""
    return to_ms(dt.datetime.combine(day, dt.time(), campus.site.zone))
