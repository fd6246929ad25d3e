"""What a history comes to under given rules: which alerts, when, and how many messages to whom. Nothing is sent.

Decisions and routes are those of the book of alerts (:mod:`alerts.decision`, :mod:`alerts.routing`); a message counts
for whoever was on duty when the alert changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from alerts.decision import Reason, decide
from alerts.routing import Destination, destinations
from campus.campus import Campus
from campus.reading import Reading
from rules.engine.engine import Engine
from rules.engine.replay import is_alert, replay
from rules.engine.settings import RuleSettings
from rules.level import Level, State
from rules.verdict import Evidence, Transition

_AT_ONCE = 512


class PastAlert(msgspec.Struct):
    """One (rule, subject) from firing to resolved. *severity* is its last, *worst* its highest; *messages* all it cost."""

    rule: str
    subject: str
    opened_ms: int
    severity: Level
    worst: Level
    evidence: Evidence
    resolved_ms: int | None = None
    historical: bool = False
    messages: int = 0


class RecipientLoad(msgspec.Struct):
    """How many messages one recipient gets over one channel, by the reason for them."""

    channel: str
    recipient: str
    name: str
    opened: int = 0
    escalated: int = 0
    resolved: int = 0

    @property
    def messages(self) -> int:
        return self.opened + self.escalated + self.resolved


class Projection(msgspec.Struct):
    """What one set of rules comes to; *name* is the rule file's. *faults* are rules that failed and started anew."""

    name: str
    alerts: list[PastAlert]
    recipients: list[RecipientLoad]
    readings: int = 0
    faults: list[str] = []

    @property
    def messages(self) -> int:
        return sum(one.messages for one in self.recipients)


class PastBook:
    """Takes transitions as the book of alerts does, in memory."""

    def __init__(self, campus: Campus) -> None:
        self._campus = campus
        self._open: dict[tuple[str, str], PastAlert] = {}
        self._recipients: dict[tuple[str, str], RecipientLoad] = {}
        self.alerts: list[PastAlert] = []

    def take(self, transition: Transition) -> None:
        """Opens, changes or ends an alert, and counts the messages that tell of it."""
        key = transition.rule, transition.subject
        alert = self._open.get(key)
        decision = decide(transition, alert.severity if alert is not None else None)
        if decision.reason is Reason.NOT_OPEN:
            return
        if alert is None:
            alert = self._open[key] = _opened(transition)
            self.alerts.append(alert)
        if transition.to_state is State.RESOLVED or transition.historical:
            alert.resolved_ms = transition.time_ms
            del self._open[key]
        else:
            alert.severity = transition.severity
            alert.worst = max(alert.worst, alert.severity, key=lambda level: level.rank)
        if decision.tell:
            self._notify(alert, decision.reason, transition.time_ms)

    def recipients(self) -> list[RecipientLoad]:
        """Who gets how many messages, the most first."""
        return sorted(self._recipients.values(), key=lambda one: (-one.messages, one.channel, one.recipient))

    def _notify(self, alert: PastAlert, reason: Reason, time_ms: int) -> None:
        resolved = reason is Reason.RESOLVED
        for one in destinations(alert.rule, alert.severity, self._campus, time_ms, resolved=resolved):
            alert.messages += 1
            recipients = self._recipient_of(one)
            match reason:
                case Reason.OPENED:
                    recipients.opened += 1
                case Reason.ESCALATED:
                    recipients.escalated += 1
                case _:
                    recipients.resolved += 1

    def _recipient_of(self, one: Destination) -> RecipientLoad:
        key = one.channel, one.recipient.id
        return self._recipients.setdefault(key, RecipientLoad(*key, one.recipient.name))


def backtest(
    name: str,
    campus: Campus,
    rules: Mapping[str, object],
    readings: Iterable[Reading],
    *,
    subjects: Collection[str] | None = None,
    until_ms: int | None = None,
) -> Projection:
    """What *rules* (the layers of a rules.yaml) make of *readings*, which are in order of time.

    *subjects* are the devices that are judged, None for all; time goes on to *until_ms*, so that silence at the end
    is noticed.
    """
    engine = Engine(campus, RuleSettings(rules), subjects=subjects)
    book, count = PastBook(campus), _Count(readings)
    for transition in filter(is_alert, replay(engine, count, until_ms=until_ms)):
        book.take(transition)
    return Projection(
        name, book.alerts, book.recipients(), count.readings, [str(one) for one in engine.faults]
    )


class _Count:
    """Passes readings on and counts them, some hundred at a time."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._rest = iter(readings)
        self.readings = 0

    def __iter__(self) -> Iterator[Reading]:
        while some := list(itertools.islice(self._rest, _AT_ONCE)):
            self.readings += len(some)
            yield from some


def _opened(transition: Transition) -> PastAlert:
    return PastAlert(
        rule=transition.rule,
        subject=transition.subject,
        opened_ms=transition.time_ms,
        severity=transition.severity,
        worst=transition.severity,
        evidence=transition.evidence,
        historical=transition.historical,
    )
