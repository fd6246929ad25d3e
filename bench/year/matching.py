"""Which alert answers which fault, which comes of a fault beside it, and which is false."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from bench.year.alert import Alert
from campus.campus import Campus
from campus.clock import DAY_MS
from campus.device import Kind
from rules.level import Level
from simulators.campus.label import Expectation, Label

#: an alert that opens so long after a fault's end may still be of it: rules of days look back on yesterday
AFTER_MS = 2 * DAY_MS
#: cold and ice that physics brought about are foreseen: an alert so long before one, or open until then, is of it
_FORESEEN_MS = DAY_MS // 2
_FORESEEN = {"pipe_cold", "pipe_frozen"}
_METERS = ("water.balance", "electricity.cross_check")
#: rules that a fault can make speak about its neighbours: devices of its building, the meters before and behind it
_SPREADS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("leak", "blocked_meter", "meter_swap", "reboot", "pipe_burst"), ("water.",)),
    **dict.fromkeys(("power_cut", "breaker_trip"), ("electricity.", "cold.", "sensor.", "boiler.", "water.")),
    **dict.fromkeys(
        ("left_on", "overload", "voltage", "phase_lost", "loose_neutral", "earth_leakage"), ("electricity.",)
    ),
    **dict.fromkeys(("draught", "pipe_cold", "pipe_frozen"), ("pipe.", "water.thaw")),
    "heating_failure": ("pipe.", "boiler."),
    "gateway_down": ("sensor.", *_METERS),
    **dict.fromkeys(
        ("sensor_stuck", "sensor_dying", "sensor_silent", "sensor_offset", "low_battery", "weak_radio", "wrong_clock"),
        _METERS,
    ),
}  # fmt: skip
#: faults of whole buildings or radios: also about their own devices only the rules above come of them
_WIDE = {"power_cut", "heating_failure", "gateway_down"}
#: what hard frost does by itself before a window is left open: told already is told in time
_WEATHER = {"draught"}
#: oddities that are nothing: whatever is said during one must have another cause
_NO_CAUSE = {"crowd", "cold_snap"}


class Answer(NamedTuple):
    """What came of one expectation: the alert and when it was bad enough, or nothing; *masked* by one open before."""

    label: Label
    expected: Expectation
    alert: Alert | None = None
    time_ms: int = 0
    masked: bool = False

    @property
    def found(self) -> bool:
        """While it lasted, or by its deadline."""
        return self.alert is not None

    @property
    def delay_ms(self) -> int:
        """From the fault's start."""
        return self.time_ms - self.label.start_ms


class Matched(NamedTuple):
    """Every alert is in one place only: it answers one fault, is related to one, or false."""

    answers: list[Answer]
    related: list[Alert]
    false: list[Alert]


def matched(campus: Campus, labels: Sequence[Label], alerts: Sequence[Alert], *, slack_ms: int) -> Matched:
    """Matches by subject and time window; *slack_ms* is what coarse reports add to every deadline.

    Faults choose in the order they begin, and of several alerts each takes the earliest about its own devices, then the
    earliest of all. An alert answers one fault only (but several expectations of that one).
    """
    taken: dict[int, Label] = {}
    answers = [
        _answer(label, expected, alerts, taken, slack_ms)
        for label in sorted(labels, key=lambda one: one.start_ms)
        for expected in label.expect
    ]
    rest = [one for one in alerts if id(one) not in taken]
    beside = [(label, _neighbours(campus, label)) for label in labels]
    related = [
        one
        for one in rest
        if not _forbidden(one, labels) and any(_comes_of(one, label, devices) for label, devices in beside)
    ]
    known = {id(one) for one in related}
    return Matched(answers, related, [one for one in rest if id(one) not in known])


def _answer(
    label: Label, expected: Expectation, alerts: Sequence[Alert], taken: dict[int, Label], slack_ms: int
) -> Answer:
    until_ms = max(label.end_ms, expected.by_ms + slack_ms)
    best: tuple[bool, int, Alert] | None = None
    masked = False
    for alert in alerts:
        if alert.rule not in expected.rules or (expected.subjects and alert.subject not in expected.subjects):
            continue
        time_ms = alert.at_least_ms(Level(expected.level))
        if time_ms is None or taken.get(id(alert), label) is not label:
            continue
        if time_ms < label.start_ms:
            stands = alert.closed_ms is None or alert.closed_ms > label.start_ms
            masked = masked or stands
            if stands and label.kind in _WEATHER:
                return _take(taken, Answer(label, expected, alert, label.start_ms))
        elif time_ms <= until_ms:
            found = (alert.subject not in label.devices, time_ms, alert)
            best = found if best is None else min(best, found, key=lambda one: one[:2])
    if best is None:
        return Answer(label, expected, masked=masked)
    return _take(taken, Answer(label, expected, best[2], best[1]))


def _take(taken: dict[int, Label], answer: Answer) -> Answer:
    taken[id(answer.alert)] = answer.label
    return answer


def _neighbours(campus: Campus, label: Label) -> frozenset[str]:
    """Devices of the same buildings, and every meter before and behind."""
    known = [campus.devices[one] for one in label.devices if one in campus.devices]
    buildings = {one.place.building for one in known if one.kind is not Kind.GATEWAY} - {""}
    found = {one.id for one in campus.devices.values() if one.place.building in buildings}
    for one in known:
        found.update(child.id for child in campus.children(one.id))
    for name in [one for one in found if one in campus.devices]:
        parent = campus.devices[name].parent
        while parent and parent not in found:
            found.add(parent)
            parent = campus.devices[parent].parent
    return frozenset(found)


def _comes_of(alert: Alert, label: Label, neighbours: frozenset[str]) -> bool:
    from_ms, moment_ms = label.start_ms, alert.opened_ms
    if label.kind in _FORESEEN:
        open_until_ms = math.inf if alert.closed_ms is None else alert.closed_ms
        from_ms, moment_ms = from_ms - _FORESEEN_MS, max(moment_ms, min(open_until_ms, from_ms))
    if label.kind in _NO_CAUSE or moment_ms < from_ms or alert.opened_ms >= label.end_ms + AFTER_MS:
        return False
    own = alert.subject in label.devices
    if own and label.kind not in _WIDE:
        return True
    return (own or alert.subject in neighbours) and alert.rule.startswith(_SPREADS.get(label.kind, ()))


def _forbidden(alert: Alert, labels: Sequence[Label]) -> bool:
    return any(alert.rule in one.forbidden and one.covers(alert.subject, alert.opened_ms) for one in labels)
