"""What changes from one set of rules to another: alerts that go, come, move or weigh differently."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from alerts.backtest import PastAlert, Projection, RecipientLoad
from campus.clock import HOUR_MS, iso

#: an alert that opens or ends so near another of the same rule and subject is taken for the same, moved
SAME_WITHIN_MS = 6 * HOUR_MS
_NEVER_MS = 1 << 62


class Kind(enum.StrEnum):
    """How an alert differs."""

    ONLY_FIRST = "only_first"
    ONLY_OTHER = "only_other"
    EARLIER = "earlier"
    LATER = "later"
    SEVERITY = "severity"


class Change(msgspec.Struct, frozen=True):
    """An alert as the first rules raise it and as the other ones do; None where they do not."""

    first: PastAlert | None
    other: PastAlert | None

    @property
    def moved_ms(self) -> int:
        """How much later the other rules raise it; below 0: earlier."""
        if self.first is None or self.other is None:
            return 0
        return self.other.opened_ms - self.first.opened_ms

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All that differs; nothing where it stays as it was."""
        if self.first is None:
            return (Kind.ONLY_OTHER,)
        if self.other is None:
            return (Kind.ONLY_FIRST,)
        moved = (Kind.EARLIER,) if self.moved_ms < 0 else (Kind.LATER,) if self.moved_ms > 0 else ()
        return moved + ((Kind.SEVERITY,) if self.first.worst is not self.other.worst else ())

    @property
    def alert(self) -> PastAlert:
        """The alert as the other rules have it, or else as the first."""
        found = self.other or self.first
        if found is None:
            raise ValueError("a change of no alert")
        return found


def compare(first: Projection, other: Projection) -> list[Change]:
    """What differs between two outcomes of one history, in order of time."""
    ours, theirs = _by_key(first.alerts), _by_key(other.alerts)
    found = [
        change
        for key in ours.keys() | theirs.keys()
        for change in _pairs(ours.get(key, ()), theirs.get(key, ()))
        if change.kinds
    ]
    return sorted(found, key=lambda one: (one.alert.opened_ms, one.alert.rule, one.alert.subject))


def comparison_json(outcomes: Sequence[Projection]) -> dict[str, Any]:
    """Every outcome, and what each after the first changes; times as ISO 8601."""
    first, *others = outcomes
    return {
        "outcomes": [_outcome_json(one) for one in outcomes],
        "changes": [
            {
                "first": first.name,
                "other": other.name,
                "messages": other.messages - first.messages,
                "alerts": [_change_json(one) for one in compare(first, other)],
            }
            for other in others
        ],
    }


def _by_key(alerts: Iterable[PastAlert]) -> dict[tuple[str, str], list[PastAlert]]:
    found: dict[tuple[str, str], list[PastAlert]] = defaultdict(list)
    # Historical ones are found after what followed them.
    for one in sorted(alerts, key=lambda alert: alert.opened_ms):
        found[one.rule, one.subject].append(one)
    return found


def _pairs(ours: Sequence[PastAlert], theirs: Sequence[PastAlert]) -> Iterator[Change]:
    """Each alert once: with the one it overlaps most nearly, or lies near to, or alone."""
    near = sorted(_near(ours, theirs))
    taken: dict[int, int] = {}
    used: set[int] = set()
    for *_, one, two in near:
        if one not in taken and two not in used:
            taken[one] = two
            used.add(two)
    for index, alert in enumerate(ours):
        yield Change(alert, theirs[taken[index]] if index in taken else None)
    for index, alert in enumerate(theirs):
        if index not in used:
            yield Change(None, alert)


def _near(ours: Sequence[PastAlert], theirs: Sequence[PastAlert]) -> Iterator[tuple[bool, int, int, int]]:
    """(apart, distance of their beginnings, index, index) of alerts that may be the same.

    Of one rule and subject no two alerts overlap, so both lists are gone through side by side.
    """
    start = 0
    for one, alert in enumerate(ours):
        while start < len(theirs) and _end_ms(theirs[start]) + SAME_WITHIN_MS < alert.opened_ms:
            start += 1
        for two in range(start, len(theirs)):
            other = theirs[two]
            if other.opened_ms > _end_ms(alert) + SAME_WITHIN_MS:
                break
            apart = other.opened_ms > _end_ms(alert) or alert.opened_ms > _end_ms(other)
            yield apart, abs(other.opened_ms - alert.opened_ms), one, two


def _end_ms(alert: PastAlert) -> int:
    return _NEVER_MS if alert.resolved_ms is None else alert.resolved_ms


def _outcome_json(outcome: Projection) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "readings": outcome.readings,
        "messages": outcome.messages,
        "alerts": [_alert_json(one) for one in outcome.alerts],
        "told": [_recipient_json(one) for one in outcome.recipients],
        "faults": outcome.faults,
    }


def _alert_json(alert: PastAlert) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "subject": alert.subject,
        "opened": iso(alert.opened_ms),
        "resolved": None if alert.resolved_ms is None else iso(alert.resolved_ms),
        "severity": alert.worst.value,
        "historical": alert.historical,
        "messages": alert.messages,
        "evidence": msgspec.to_builtins(alert.evidence),
    }


def _recipient_json(recipient: RecipientLoad) -> dict[str, Any]:
    return {**msgspec.to_builtins(recipient), "messages": recipient.messages}


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "rule": change.alert.rule,
        "subject": change.alert.subject,
        "kinds": [one.value for one in change.kinds],
        "moved_s": change.moved_ms / 1000,
        "first": None if change.first is None else _alert_json(change.first),
        "other": None if change.other is None else _alert_json(change.other),
    }
