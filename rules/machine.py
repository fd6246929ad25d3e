"""The state machine of one (rule, subject): inactive → pending → firing → resolved."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from campus.clock import HOUR_MS
from rules.level import Level, State
from rules.verdict import Evidence, Verdict

_BY_RANK = {1: Level.NOTICE, 2: Level.WARNING, 3: Level.CRITICAL}
#: so many openings within an hour are one flapping alert, which then stays open until an hour is quiet
FLAPS = 4


class Timing(msgspec.Struct, frozen=True):
    """The rule's settings as the machine needs them."""

    delay_ms: Callable[[Level], int]
    keep_firing_ms: int
    max_gap_ms: int


class Change(msgspec.Struct, frozen=True):
    """A transition of this machine."""

    from_state: State
    to_state: State
    severity: Level
    evidence: Evidence


class Machine(msgspec.Struct):
    """What is known of one (rule, subject). *held_ms* says since when each rank or worse has held."""

    state: State = State.INACTIVE
    severity: Level = Level.OK
    rank: int = 0
    verdict_ms: int = 0
    held_ms: dict[int, int] = {}
    clear_ms: int = 0
    openings: list[int] = []
    evidence: Evidence = Evidence()
    unknown: bool = False

    def on_verdict(self, verdict: Verdict, now_ms: int, timing: Timing) -> list[Change]:
        """Takes the rule's word. *Unknown* neither advances nor resolves anything."""
        if verdict.level is Level.UNKNOWN:
            self.unknown = True
            return []
        self.unknown = False
        if self.held_ms and now_ms - self.verdict_ms > timing.max_gap_ms:
            self.held_ms = {}
        self.rank, self.verdict_ms = verdict.level.rank, now_ms
        self.held_ms = {rank: self.held_ms.get(rank, now_ms) for rank in range(1, self.rank + 1)}
        if self.rank:
            self.clear_ms = 0
            self.evidence = verdict.evidence
        elif not self.clear_ms:
            self.clear_ms = now_ms
        return self._settle(now_ms, timing, verdict.evidence)

    def on_time(self, now_ms: int, timing: Timing) -> list[Change]:
        """Lets time pass; only a word that is still fresh counts."""
        if self.unknown or now_ms - self.verdict_ms > timing.max_gap_ms:
            return []
        return self._settle(now_ms, timing, self.evidence)

    def due_ms(self, timing: Timing) -> int | None:
        """When time alone may change something."""
        if self.unknown:
            return None
        moments = [
            since_ms + timing.delay_ms(_BY_RANK[rank])
            for rank, since_ms in self.held_ms.items()
            if rank > self.severity.rank or self.state is not State.FIRING
        ]
        if self.state is State.FIRING and self.clear_ms:
            moments.append(self.clear_ms + self._keep_ms(timing))
        fresh_until_ms = self.verdict_ms + timing.max_gap_ms
        return min((moment for moment in moments if moment <= fresh_until_ms), default=None)

    def adopt(self, severity: Level, since_ms: int) -> None:
        """Takes over an alert that is open elsewhere, as if it had fired here."""
        self.state, self.severity = State.FIRING, severity
        self.openings = [*self.openings, since_ms][-FLAPS:]

    def _settle(self, now_ms: int, timing: Timing, evidence: Evidence) -> list[Change]:
        ripe = max(
            (rank for rank, at in self.held_ms.items() if now_ms - at >= timing.delay_ms(_BY_RANK[rank])),
            default=0,
        )
        if self.state is State.FIRING:
            return self._while_firing(ripe, now_ms, timing, evidence)
        if ripe:
            changes = [self._to(State.PENDING, _BY_RANK[ripe])] if self.state is State.INACTIVE else []
            self.severity = _BY_RANK[ripe]
            self.openings = [*self.openings, now_ms][-FLAPS:]
            return [*changes, self._to(State.FIRING, self.severity)]
        if self.held_ms and self.state is State.INACTIVE:
            return [self._to(State.PENDING, _BY_RANK[max(self.held_ms)])]
        if not self.held_ms and self.state is State.PENDING:
            return [self._to(State.INACTIVE, Level.OK)]
        return []

    def _while_firing(self, ripe: int, now_ms: int, timing: Timing, evidence: Evidence) -> list[Change]:
        if ripe > self.severity.rank:
            self.severity = _BY_RANK[ripe]
            return [self._to(State.FIRING, self.severity)]
        if self.clear_ms and now_ms - self.clear_ms >= self._keep_ms(timing):
            severity, self.severity = self.severity, Level.OK
            self.clear_ms = 0
            change = Change(State.FIRING, State.RESOLVED, severity, evidence)
            self.state = State.INACTIVE
            return [change]
        return []

    def _keep_ms(self, timing: Timing) -> int:
        flapping = len(self.openings) >= FLAPS and self.openings[-1] - self.openings[0] <= HOUR_MS
        return max(timing.keep_firing_ms, HOUR_MS if flapping else 0)

    def _to(self, state: State, severity: Level) -> Change:
        change = Change(self.state, state, severity, self.evidence)
        self.state = state
        return change
