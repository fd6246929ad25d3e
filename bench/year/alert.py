"""Alerts as people had them: what opened, how bad it grew and when, from the rules' transitions."""

from __future__ import annotations

from collections.abc import Iterable

from rules.level import Level, State
from rules.verdict import Transition


class Alert:
    """One alert from its opening on: the severities it reached, each with the moment it first did."""

    def __init__(self, rule: str, subject: str, opened_ms: int) -> None:
        self.rule = rule
        self.subject = subject
        self.opened_ms = opened_ms
        self.closed_ms: int | None = None
        self.reached: dict[Level, int] = {}

    def grow(self, severity: Level, time_ms: int) -> None:
        """It is (now) so severe."""
        self.reached.setdefault(severity, time_ms)

    def at_least_ms(self, level: Level) -> int | None:
        """When it first was of this level or worse, if ever."""
        moments = [time_ms for one, time_ms in self.reached.items() if one.rank >= level.rank]
        return min(moments, default=None)

    @property
    def worst(self) -> Level:
        """The worst it ever was."""
        return max(self.reached, key=lambda one: one.rank)


class Alerts:
    """Collects alerts from a stream of transitions; those of history are recorded for nobody to act on, and left out."""

    def __init__(self) -> None:
        self.found: list[Alert] = []
        self._open: dict[tuple[str, str], Alert] = {}

    def take(self, transitions: Iterable[Transition], since_ms: int = 0) -> None:
        """Goes on with what happened next; nobody was told before *since_ms*, whatever a wrong clock says."""
        for one in transitions:
            key, time_ms = (one.rule, one.subject), max(one.time_ms, since_ms)
            if one.to_state is State.RESOLVED:
                closed = self._open.pop(key, None)
                if closed is not None:
                    closed.closed_ms = time_ms
            elif one.to_state is State.FIRING and not one.historical:
                alert = self._open.get(key)
                if alert is None:
                    alert = self._open[key] = Alert(one.rule, one.subject, time_ms)
                    self.found.append(alert)
                alert.grow(one.severity, time_ms)
