"""What can be wrong with a broker or our session there; see :mod:`service.health.looks.catalogue`."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.own import service as own
from api.ports import Condition
from campus.clock import MINUTE_MS
from rules.level import Level
from rules.verdict import Facts
from service.broker.brokers import Brokers
from service.broker.keeper import Restart
from service.trouble import Look, Probe, Trouble

#: what reconnecting alone may take
_BROKER_AWAY_MS = 2 * MINUTE_MS
#: messages a broker dropped are reported for so long
_DROPS_SHOWN_MS = 10 * MINUTE_MS
#: and a lost session, or a broker that was started again
_LOSS_SHOWN_MS = 10 * MINUTE_MS
#: the names of all these alerts
RULES = (
    own.BROKER_AWAY,
    own.BROKER_DROPS,
    own.BROKER_RESTARTED,
    own.BROKER_DAMAGED,
    own.SESSION_TAKEN,
    own.SESSION_LOST,
    own.TOPICS_REFUSED,
)


def looks(brokers: Brokers) -> list[Look]:
    """Everything about brokers that is looked at."""
    return [
        Probe("broker", lambda _: _brokers(brokers)),
        Probe("broker", lambda _: _topics(brokers)),
        Probe("broker", lambda now_ms: _sessions(brokers, now_ms)),
        Probe("broker", _Drops(brokers)),
        _Restarts(brokers),
    ]


def _brokers(brokers: Brokers) -> Iterator[Trouble]:
    every = dict(brokers.connections)
    if not every:
        facts: Facts = {"broker": "", "reason": "not started yet"}
        yield Trouble(
            own.BROKER_AWAY, "broker", Level.CRITICAL, facts, _BROKER_AWAY_MS, "broker", Condition.STARTING
        )
    some = any(connection.connected for connection in every.values())
    condition = Condition.DEGRADED if some else Condition.DOWN
    for name, connection in every.items():
        if not connection.connected:
            keeper = brokers.keeper_of(name)
            reason = (keeper.failure if keeper is not None else "") or connection.reason
            facts = {"broker": name or connection.where, "reason": reason}
            yield Trouble(
                own.BROKER_AWAY, name or "broker", Level.CRITICAL, facts, _BROKER_AWAY_MS, "broker", condition
            )


def _topics(brokers: Brokers) -> Iterator[Trouble]:
    for name, connection in brokers.connections.items():
        if connection.connected and connection.refused_topics:
            topics = ", ".join(connection.refused_topics[:5])
            facts: Facts = {"broker": name or connection.where, "topic": topics}
            yield Trouble(own.TOPICS_REFUSED, name or "broker", Level.WARNING, facts, part="broker")


class _Drops:
    """Remembers what each broker has dropped, as they count from their own start."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._before: dict[str, int] = {}
        self._reported: dict[str, tuple[int, int]] = {}

    def __call__(self, now_ms: int) -> Iterator[Trouble]:
        for name, connection in self._brokers.connections.items():
            dropped = connection.broker_dropped
            before = self._before.setdefault(name, dropped)
            self._before[name] = dropped
            if dropped > before:
                messages, _ = self._reported.get(name, (0, 0))
                self._reported[name] = (messages + dropped - before, now_ms)
            messages, reported_ms = self._reported.get(name, (0, 0))
            if messages and 0 <= now_ms - reported_ms < _DROPS_SHOWN_MS:
                facts: Facts = {"broker": name or connection.where, "messages": messages}
                yield Trouble(own.BROKER_DROPS, name or "broker", Level.CRITICAL, facts, part="broker")
            else:
                self._reported.pop(name, None)


def _sessions(brokers: Brokers, now_ms: int) -> Iterator[Trouble]:
    for name, connection in brokers.connections.items():
        session = connection.session
        facts: Facts = {"broker": name or connection.where}
        # nobody can know our name at our own broker: there, losses have another cause, which the keeper finds
        if brokers.keeper_of(name) is None and session.contested(now_ms):
            yield Trouble(own.SESSION_TAKEN, name or "broker", Level.CRITICAL, facts, part="broker")
        if session.forgotten_ms and now_ms - session.forgotten_ms < _LOSS_SHOWN_MS:
            yield Trouble(own.SESSION_LOST, name or "broker", Level.WARNING, facts, part="broker")


class _Restarts:
    """Reports for a while that our own broker was started again, and that what it had kept was damaged."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._seen: Restart | None = None
        self._seen_ms = 0

    def __call__(self, now_ms: int) -> Iterator[Trouble]:
        keeper = self._brokers.keeper
        if keeper is None or keeper.last is None:
            return
        if keeper.last is not self._seen:
            self._seen, self._seen_ms = keeper.last, now_ms
        if now_ms - self._seen_ms >= _LOSS_SHOWN_MS:
            return
        if self._seen.damaged:
            yield Trouble(own.BROKER_DAMAGED, "broker", Level.WARNING, {"file": self._seen.damaged})
        if self._seen.number:
            facts: Facts = {"reason": self._seen.reason, "times": self._seen.number}
            yield Trouble(own.BROKER_RESTARTED, "broker", Level.WARNING, facts)
