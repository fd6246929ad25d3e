"""Judges the rules on real recordings, when they lie beside the checkout, and on a simulated school year.

What is found, how soon, and how often they cry wolf. Every figure is of the rules' own defaults: nothing is set for a device by its name.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections.abc import Iterable, Sequence

from bench.recordings import sources
from bench.year.figures import figures
from bench.year.plan import YEAR_DAYS
from bench.year.run import passed
from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.reading import Reading
from rules.engine.engine import Engine
from rules.engine.replay import is_alert, replay
from rules.engine.settings import RuleSettings
from rules.level import Level, State
from rules.verdict import Transition

MONTH_MS = 30.44 * DAY_MS
LEAKS_L_H = (2, 5, 10, 20, 50)
#: of 48 hourly readings in the two days after a leak began
_FEWEST_READINGS = 30
#: of the year, from 24 December to 1 January
_CLOSED_SHARE = 9 / 365.25
Row = tuple[str, str, str, str, bool]


class Judged:
    """The alerts of one recording, and how fast they were found."""

    def __init__(self, campus: Campus, readings: Sequence[Reading]) -> None:
        started = time.perf_counter()
        engine = Engine(campus, RuleSettings())
        self.alerts = [one for one in replay(engine, readings) if is_alert(one)]
        self.per_second = len(readings) / (time.perf_counter() - started)
        self.weeks = (readings[-1].time_ms - readings[0].time_ms) / (7 * DAY_MS)
        assert not engine.faults, engine.faults

    def opened(self, *prefixes: str, least: Level = Level.NOTICE) -> list[Transition]:
        """Alerts that opened, of rules so named, of this severity or worse."""
        return [
            one
            for one in self.alerts
            if one.to_state is State.FIRING
            and one.from_state is not State.FIRING
            and one.rule.startswith(prefixes)
            and one.severity.rank >= least.rank
        ]

    def messages(self, least: Level = Level.WARNING) -> int:
        """Messages as people would get them: what comes within the hour after another's is one with it."""
        moments = sorted(
            one.time_ms
            for one in self.alerts
            if one.severity.rank >= least.rank
            and (one.to_state is State.RESOLVED or one.from_state is not State.FIRING or _worse(one))
        )
        count, until_ms = 0, 0
        for moment in moments:
            if moment > until_ms:
                count, until_ms = count + 1, moment + HOUR_MS
        return count


def _worse(one: Transition) -> bool:
    return one.severity is Level.CRITICAL


def row(recording: str, figure: str, found: object, goal: str, good: bool = True) -> Row:
    return recording, figure, f"{found:.3g}" if isinstance(found, float) else str(found), goal, good


def coldstore() -> Iterable[Row]:
    """Two real failures, probe faults, and messages a week; the failures' times were given with the recording."""
    campus, readings = sources.coldstore()
    judged = Judged(campus, readings)
    name = "coldstore_saveris"
    for start, peak in (
        ("2021-10-06T08:30", "2021-10-07T20:00"),
        ("2021-10-17T16:30", "2021-10-18T11:00"),
    ):
        start_ms, peak_ms = (sources.local_ms(one, "UTC") for one in (start, peak))
        found = [
            one.time_ms
            for one in judged.opened("cold.", least=Level.WARNING)
            if start_ms - DAY_MS <= one.time_ms <= peak_ms and one.subject.startswith("deep")
        ]
        hours = (found[0] - start_ms) / HOUR_MS if found else float("inf")
        yield row(name, f"failure {start[:10]} found after, h", hours, "before its peak", bool(found))
    leaps = judged.opened("sensor.jump", "sensor.implausible")
    yield row(name, "probe leaps named", len(leaps), ">= 2", len(leaps) >= 2)
    weekly = judged.messages() / judged.weeks
    yield row(name, "messages a week (site: 75)", weekly, "<= 5", weekly <= 5)
    every = len([one for one in judged.alerts if one.severity.rank >= Level.WARNING.rank]) / judged.weeks
    yield row(name, "alert changes a week, ungrouped", every, "-")
    yield row(name, "readings a second", round(judged.per_second), "-")


def freezer() -> Iterable[Row]:
    """Eight defrosts, and not one alert."""
    judged = Judged(*sources.freezer())
    alerts = len(judged.opened(""))
    yield row("freezer_celsi", "alerts in 14 days, 8 defrosts", alerts, "0", alerts == 0)


def lake() -> Iterable[Row]:
    """Four winters of a pipe that never froze."""
    campus, readings = sources.lake()
    judged = Judged(campus, readings)
    freeze = len(judged.opened("pipe.", least=Level.WARNING))
    yield row("lake_pipe_temps", "freeze alerts in 4 winters", freeze, "0", freeze == 0)
    yield row("lake_pipe_temps", "cold notices", len(judged.opened("pipe.")), "-")
    doubtful = sum(1 for one in readings if one.quality)
    named = len(judged.opened("sensor.implausible"))
    yield row(
        "lake_pipe_temps", f"faults named (of {doubtful} values)", named, "all", named > 0 or not doubtful
    )
    gaps = len(judged.opened("sensor.silent"))
    yield row("lake_pipe_temps", "gaps named", gaps, "> 0", gaps > 0)


def water() -> Iterable[Row]:
    """Household meters: alerts that lie near no candidate, then leaks added to meters without any."""
    campus, readings = sources.water()
    judged = Judged(campus, readings)
    spans = list(_candidates())
    outside = [
        one
        for one in judged.opened("water.")
        if not any(
            meter == one.subject and start <= one.time_ms + DAY_MS and one.time_ms <= end + 3 * DAY_MS
            for meter, start, end in spans
        )
    ]
    by_meter: dict[str, list[Reading]] = {}
    for one in readings:
        by_meter.setdefault(one.series.device, []).append(one)
    months = sum(one[-1].time_ms - one[0].time_ms for one in by_meter.values()) / MONTH_MS
    rate = len(outside) / months
    yield row("daiad_water", "false alerts a meter-month", rate, "<= 0.1", rate <= 0.1)
    yield row("daiad_water", "alerts within candidates", len(judged.opened("water.")) - len(outside), "-")
    silent = len(judged.opened("sensor.silent")) / months
    yield row("daiad_water", "silences a meter-month", silent, "-")
    clean = sorted(set(by_meter) - {meter for meter, _, _ in spans} - {one.subject for one in outside})
    for litres in LEAKS_L_H:
        yield _leaks(campus, {name: by_meter[name] for name in clean}, litres)


def _candidates() -> Iterable[tuple[str, int, int]]:
    for name in ("continuous_flow_runs_24h.csv", "sustained_high_use_3h.csv"):
        with (sources.ROOT / "daiad_water" / name).open(encoding="utf-8") as file:
            for line in csv.DictReader(file):
                start, end = (
                    sources.local_ms(line[key], "Europe/Madrid") for key in ("start_local", "end_local")
                )
                yield line["meter"], start, end


def _leaks(campus: Campus, meters: dict[str, list[Reading]], litres: int) -> Row:
    """A constant leak from a random hour of each meter, after a month of learning, watched for a fortnight."""
    chance, hours = random.Random(litres), []
    for readings in meters.values():
        first_ms, last_ms = readings[0].time_ms, readings[-1].time_ms
        if last_ms - first_ms < 60 * DAY_MS:
            continue
        start_ms = chance.randrange(first_ms + 30 * DAY_MS, last_ms - 20 * DAY_MS, HOUR_MS)
        if sum(1 for one in readings if 0 <= one.time_ms - start_ms <= 2 * DAY_MS) < _FEWEST_READINGS:
            continue  # a meter that is hardly heard shows nothing to anybody
        window = [
            _leaking(one, start_ms, litres / 1000)
            for one in readings
            if start_ms - 30 * DAY_MS <= one.time_ms <= start_ms + 14 * DAY_MS
        ]
        device = campus.device(window[0].series.device)
        judged = Judged(Campus(site=campus.site, devices=[device]), window)
        found = [one.time_ms for one in judged.opened("water.") if one.time_ms > start_ms]
        hours.append((found[0] - start_ms) / HOUR_MS if found else float("inf"))
    hours.sort()
    within = sum(1 for one in hours if one <= 48) / len(hours)
    middle = hours[len(hours) // 2]
    figure = f"leak {litres} L/h in {len(hours)} meters: within 48 h"
    shown = (
        f"{within:.2f} (median {middle:.0f} h, ever {sum(1 for one in hours if one < 1e9) / len(hours):.2f})"
    )
    return "daiad_water", figure, shown, ">= 0.95" if litres == 10 else "-", litres != 10 or within >= 0.95


def _leaking(one: Reading, start_ms: int, leak_m3h: float) -> Reading:
    if one.time_ms <= start_ms:
        return one
    leaked_m3 = leak_m3h * (one.time_ms - start_ms) / HOUR_MS
    return Reading(one.series, round(one.value + leaked_m3, 3), one.time_ms, one.received_ms, one.quality)


def estates(every: int) -> Iterable[Row]:
    """University buildings: waste alerts a building-month, in ordinary weeks and on closed days of weekdays."""
    campus, readings = sources.estates(every)
    judged = Judged(campus, readings)
    span: dict[str, list[int]] = {}
    for one in readings:
        span.setdefault(one.series.device, [one.time_ms, one.time_ms])[1] = one.time_ms
    months = sum(end - start for start, end in span.values()) / MONTH_MS
    waste = judged.opened("electricity.left_on", "electricity.baseload_rise")
    name = f"cambridge_estates/{every}"
    closed = sum(_is_new_year(one.time_ms) for one in waste)
    rate = (len(waste) - closed) / (months * (1 - _CLOSED_SHARE))
    figure = f"waste alerts a building-month in ordinary weeks ({len(span)} buildings)"
    yield row(name, figure, rate, "<= 0.2", rate <= 0.2)
    yield row(name, "waste alerts in the nine days from 24 Dec, a building", 12 * closed / months, "-")
    yield row(name, "readings a second", round(judged.per_second), "-")


def _is_new_year(time_ms: int) -> bool:
    day = time.gmtime((time_ms - 30 * MINUTE_MS) / 1000)
    return (day.tm_mon, day.tm_mday) >= (12, 24) or (day.tm_mon, day.tm_mday) == (1, 1)


def school_year(seed: int, days: int) -> Iterable[Row]:
    """A year of a northern boarding school in which everything goes wrong that does."""
    for one in figures(passed(seed=seed, days=days)):
        yield f"school_year/{seed}", one.name, one.found, one.goal, one.good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", default="", help="the recordings whose name begins so; year for the school year"
    )
    parser.add_argument("--every", type=int, default=6, help="one estate building in so many; 1 for all")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated school year")
    parser.add_argument("--days", type=int, default=YEAR_DAYS, help="of the school year from 1 September")
    wanted = parser.parse_args()
    if not 1 <= wanted.days <= YEAR_DAYS:
        parser.error(f"--days {wanted.days}: expected 1 to {YEAR_DAYS}")
    recordings = {
        "coldstore": coldstore, "freezer": freezer, "lake": lake, "daiad": water,
        "cambridge": lambda: estates(wanted.every),
    }  # fmt: skip
    if not sources.ROOT.exists():
        print(
            "the recordings are not beside this checkout; only the simulated year is judged", file=sys.stderr
        )
        recordings = {}
    parts = recordings | {"year": lambda: school_year(wanted.seed, wanted.days)}
    bad = 0
    print(f"{'recording':<22}{'figure':<58}{'found':<64}{'goal':<18}")
    for name, part in parts.items():
        if not name.startswith(wanted.only):
            continue
        for recording, figure, found, goal, good in part():
            print(f"{recording:<22}{figure:<58}{found:<64}{goal:<18}{'' if good else 'MISSED'}", flush=True)
            bad += not good
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
