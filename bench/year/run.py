"""Lets the year pass: the simulators' readings straight into the rules, a day at a time, and nothing kept but alerts."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bench.year.alert import Alert, Alerts
from bench.year.plan import FIRST_DAY, midnight_ms, planned, school
from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, from_ms
from campus.quantity import Quantity
from campus.reading import Quality, Reading
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from simulators.campus.label import Label
from simulators.campus.simulated import Report
from simulators.campus.world import World

_BATCH = 512
#: as ingest: what is older than this at its receipt is history
_LATE_MS = HOUR_MS
#: values that often mean "no probe" (DOMAIN.md 2.4), which ingest marks as doubtful
_DOUBTFUL_C = {85.0, -127.0}


class Year(NamedTuple):
    """What was true, what was said of it, and what it took."""

    campus: Campus
    labels: list[Label]
    alerts: list[Alert]
    days: int
    readings: int
    seconds: float


def passed(*, seed: int, days: int) -> Year:
    """The first *days* of the school year of *seed*."""
    campus, calendar = school()
    world, engine, alerts = World(campus, seed=seed), Engine(campus, RuleSettings(campus.rules)), Alerts()
    waiting = planned(campus, calendar, seed=seed)
    first_ms = midnight_ms(campus, FIRST_DAY)
    started, count, told_ms = time.perf_counter(), 0, 0
    for day in range(days):
        start_ms, end_ms = first_ms + day * DAY_MS, first_ms + (day + 1) * DAY_MS
        while waiting and waiting[0].start_ms < end_ms:
            one = waiting.pop(0)
            world.begin(one.scenario, one.start_ms)
        for batch in _batches(world.run(start_ms, end_ms)):
            alerts.take(engine.advance(batch[-1].received_ms, batch), told_ms)
            told_ms = batch[-1].received_ms
            count += len(batch)
        if day % 7 == 6:
            _tell(f"{from_ms(end_ms, campus.site.zone):%Y-%m-%d} {count:,} readings, {len(alerts.found)} alerts, "
                  f"{time.perf_counter() - started:.0f} s")  # fmt: skip
    end_ms = first_ms + days * DAY_MS
    alerts.take(engine.advance(end_ms))
    assert not engine.faults, engine.faults
    labels = [_cut(one, end_ms) for one in world.labels() if one.start_ms < end_ms]
    return Year(campus, labels, alerts.found, days, count, time.perf_counter() - started)


def _batches(reports: Iterable[Report]) -> Iterator[list[Reading]]:
    readings = (_received(one) for report in reports for one in report.readings())
    while batch := list(itertools.islice(readings, _BATCH)):
        yield batch


def _received(one: Reading) -> Reading:
    """As it comes through ingest: doubtful values and late arrivals are marked."""
    if one.received_ms - one.time_ms > _LATE_MS:
        return Reading(one.series, one.value, one.time_ms, one.received_ms, Quality.LATE)
    if one.value in _DOUBTFUL_C and one.series.quantity is Quantity.TEMPERATURE:
        return Reading(one.series, one.value, one.time_ms, one.received_ms, Quality.SUSPECT)
    return one


def _cut(label: Label, end_ms: int) -> Label:
    """Nobody can say within the year what is due after it."""
    return label._replace(expect=tuple(one for one in label.expect if one.by_ms < end_ms))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
