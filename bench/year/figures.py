"""The year in figures: recall by fault and time to detection, false alerts per campus-month by rule and severity."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bench.year.matching import Answer, Matched, matched
from bench.year.plan import INTERVAL_S
from bench.year.run import Year
from campus.clock import DAY_MS, HOUR_MS, SECOND_MS, from_ms
from rules.level import Level

_MONTH_DAYS = 30.44
#: scenarios speak of devices that report each minute; these need two of their own reports
SLACK_MS = round(2 * INTERVAL_S * SECOND_MS)
LEAST_RECALL, MOST_FALSE = 0.98, 1.0


class Figure(NamedTuple):
    """One line of the table."""

    name: str
    found: str
    goal: str = "-"
    good: bool = True


def figures(year: Year) -> list[Figure]:
    """All lines; details of misses and false criticals go to stderr, for whoever asks why."""
    result = matched(year.campus, year.labels, year.alerts, slack_ms=SLACK_MS)
    months = year.days / _MONTH_DAYS
    _explain(year, result)
    return [*_recall(result.answers), *_false(result, months), *_cost(year)]


def _recall(answers: Sequence[Answer]) -> Iterable[Figure]:
    groups: dict[tuple[str, str, str], list[Answer]] = defaultdict(list)
    for one in answers:
        label = one.label
        groups[label.scenario, label.kind, one.expected.level].append(one)
    for (scenario, kind, level), group in sorted(groups.items()):
        yield Figure(f"{scenario}/{kind} {level}", _told(group), _due(group))
    for level in (Level.CRITICAL, Level.WARNING, Level.NOTICE):
        every = [one for one in answers if one.expected.level == level]
        if every:
            judged = level is Level.CRITICAL
            good = not judged or _share_found(every) >= LEAST_RECALL
            goal = f"recall >= {LEAST_RECALL}" if judged else "-"
            yield Figure(f"every fault expected {level}", _told(every), goal, good)


def _told(group: Sequence[Answer]) -> str:
    """``12: recall 1.00, in time 0.92, median 0.3 h, p90 0.6 h``."""
    timely = sum(one.found and one.time_ms <= one.expected.by_ms + SLACK_MS for one in group) / len(group)
    text = f"{len(group)}: recall {_share_found(group):.2f}, in time {timely:.2f}"
    hours = sorted(one.delay_ms / HOUR_MS for one in group if one.found)
    if hours:
        text += f", median {quantile(hours, 0.5):.3g} h, p90 {quantile(hours, 0.9):.3g} h"
    return text


def _share_found(group: Sequence[Answer]) -> float:
    return sum(one.found for one in group) / len(group)


def _due(group: Sequence[Answer]) -> str:
    hours = sorted({(one.expected.by_ms - one.label.start_ms) / HOUR_MS for one in group})
    return "in " + " or ".join(f"{one:.3g} h" for one in hours)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank: the smallest value that so many are not above."""
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]


def _false(result: Matched, months: float) -> Iterable[Figure]:
    false = Counter((one.rule, one.worst) for one in result.false)
    for (rule, level), count in sorted(false.items(), key=lambda one: (-one[0][1].rank, -one[1], one[0][0])):
        yield Figure(f"false {level} {rule}", f"{count / months:.2f} a campus-month ({count})")
    for level in (Level.CRITICAL, Level.WARNING, Level.NOTICE):
        count = sum(number for (_, worst), number in false.items() if worst is level)
        judged = level is Level.CRITICAL
        goal = f"<= {MOST_FALSE:.0f}" if judged else "-"
        good = not judged or count / months <= MOST_FALSE
        yield Figure(
            f"false {level}, all rules", f"{count / months:.2f} a campus-month ({count})", goal, good
        )
    related = len(result.related)
    yield Figure(
        "further alerts of the faults themselves", f"{related / months:.1f} a campus-month ({related})"
    )


def _cost(year: Year) -> Iterable[Figure]:
    yield Figure(f"{len(year.campus.devices)} devices, {year.days} days",
                 f"{year.readings:,} readings in {year.seconds:.0f} s")  # fmt: skip


def _explain(year: Year, result: Matched) -> None:
    zone = year.campus.site.zone
    for one in result.answers:
        if not one.found:
            label, expected = one.label, one.expected
            masked = " (an alert was open already)" if one.masked else ""
            days = (label.end_ms - label.start_ms) / DAY_MS
            print(f"missed: {label.scenario}/{label.kind} {expected.level} about {', '.join(label.devices[:3])} "
                  f"from {from_ms(label.start_ms, zone):%Y-%m-%d %H:%M} for {days:.2g} d{masked}", file=sys.stderr)  # fmt: skip
    for alert in result.false:
        if alert.worst is Level.CRITICAL:
            opened = from_ms(alert.opened_ms, zone)
            print(
                f"false critical: {alert.rule} about {alert.subject} at {opened:%Y-%m-%d %H:%M}",
                file=sys.stderr,
            )
