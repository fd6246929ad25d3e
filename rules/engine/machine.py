"""The state machine of one (rule, subject): inactive → pending → firing → resolved.

A level fires once it has held for its delay, by verdicts or by time while the last verdict is fresh. An alert
resolves, or becomes less severe, by verdicts alone: silence proves nothing. *Unknown* does neither; a gap longer than
``max_gap_ms`` starts both over.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from campus.clock import HOUR_MS
from rules.level import Level, State
from rules.verdict import Evidence, Verdict

_BY_RANK = {1: Level.NOTICE, 2: Level.WARNING, 3: Level.CRITICAL}
#: so many openings and escalations within an hour are one flapping alert, which then stays open until an hour is quiet
FLAPS = 4
# Every word passes here, and a member of an enum takes longer to look up than the rest.
_UNKNOWN, _OK, _INACTIVE, _FIRING = Level.UNKNOWN, Level.OK, State.INACTIVE, State.FIRING


class Timing(msgspec.Struct, frozen=True):
    """The rule's settings as the machine needs them."""

    delay_ms: Callable[[Level], int]
    keep_firing_ms: int
    max_gap_ms: int
    least_confirmations: int = 1


class Change(msgspec.Struct, frozen=True):
    """A transition of this machine."""

    from_state: State
    to_state: State
    severity: Level
    evidence: Evidence


class Machine(msgspec.Struct):
    """What is known of one (rule, subject).

    *held_ms* says since when each rank or worse has held and *confirmations* how many verdicts said so; *clear_ms* since when
    all has been well; *eased_ms* since when it has been better than the severity told, *eased_rank* the worst since.
    """

    state: State = State.INACTIVE
    severity: Level = Level.OK
    verdict_ms: int = 0
    held_ms: dict[int, int] = {}
    #: named "words" in snapshots, as ever
    confirmations: dict[int, int] = msgspec.field(default_factory=dict, name="words")
    clear_ms: int = 0
    eased_ms: int = 0
    eased_rank: int = 0
    openings: list[int] = []
    evidence: Evidence = Evidence()
    advice: str = ""
    unknown: bool = False

    def on_verdict(self, verdict: Verdict, now_ms: int, timing: Timing) -> list[Change]:
        """Takes the rule's verdict. *Unknown* neither advances nor resolves anything."""
        level = verdict.level
        if level is _UNKNOWN:
            self.unknown = True
            return []
        self.unknown = False
        if level is _OK and self.state is _INACTIVE:  # the usual case: well, as before
            self.verdict_ms = now_ms
            return []
        rank = level.rank
        if now_ms - self.verdict_ms > timing.max_gap_ms:
            # What was bad before a silence need not have been so in it. What was well before and is well after it, is
            # well: else a rule or device that speaks twice a day would never see the end of an alert.
            self.held_ms, self.confirmations = {}, {}
        self.verdict_ms = now_ms
        self.held_ms = {one: self.held_ms.get(one, now_ms) for one in range(1, rank + 1)}
        self.confirmations = {one: self.confirmations.get(one, 0) + 1 for one in range(1, rank + 1)}
        self._note_easing(rank, now_ms)
        if rank:
            self.evidence = verdict.evidence
        return self._settle(now_ms, timing, verdict.evidence, spoken=True)

    def on_time(self, now_ms: int, timing: Timing) -> list[Change]:
        """Lets time pass; only a verdict that is still fresh counts."""
        if self.unknown or now_ms - self.verdict_ms > timing.max_gap_ms:
            return []
        return self._settle(now_ms, timing, self.evidence, spoken=False)

    def due_ms(self, timing: Timing) -> int | None:
        """When time alone may change something."""
        if self.unknown or not self.held_ms:
            return None
        moments = [
            since_ms + timing.delay_ms(_BY_RANK[rank])
            for rank, since_ms in self.held_ms.items()
            if self.confirmations[rank] >= timing.least_confirmations
            and (self.state is not State.FIRING or rank > self.severity.rank)
        ]
        fresh_until_ms = self.verdict_ms + timing.max_gap_ms
        return min((moment for moment in moments if moment <= fresh_until_ms), default=None)

    def adopt(self, severity: Level, since_ms: int) -> None:
        """Takes over an alert that is open elsewhere, as if it had fired here."""
        self.state, self.severity = State.FIRING, severity
        self.openings = [*self.openings, since_ms][-FLAPS:]

    def _note_easing(self, rank: int, now_ms: int) -> None:
        self.clear_ms = 0 if rank else self.clear_ms or now_ms
        if self.state is not State.FIRING or rank >= self.severity.rank:
            self.eased_ms = self.eased_rank = 0
        elif self.eased_ms:
            self.eased_rank = max(self.eased_rank, rank)
        else:
            self.eased_ms, self.eased_rank = now_ms, rank

    def _settle(self, now_ms: int, timing: Timing, evidence: Evidence, *, spoken: bool) -> list[Change]:
        ripe = max(
            (
                rank
                for rank, at in self.held_ms.items()
                if now_ms - at >= timing.delay_ms(_BY_RANK[rank])
                and self.confirmations[rank] >= timing.least_confirmations
            ),
            default=0,
        )
        if self.state is State.FIRING:
            return self._while_firing(ripe, now_ms, timing, evidence, spoken=spoken)
        if ripe:
            changes = [self._to(State.PENDING, _BY_RANK[ripe])] if self.state is State.INACTIVE else []
            return [*changes, self._fire(ripe, now_ms)]
        if self.held_ms and self.state is State.INACTIVE:
            return [self._to(State.PENDING, _BY_RANK[max(self.held_ms)])]
        if not self.held_ms and self.state is State.PENDING:
            return [self._to(State.INACTIVE, Level.OK)]
        return []

    def _while_firing(
        self, ripe: int, now_ms: int, timing: Timing, evidence: Evidence, *, spoken: bool
    ) -> list[Change]:
        if ripe > self.severity.rank:
            return [self._fire(ripe, now_ms)]
        keep_ms = self._keep_ms(timing)
        if spoken and self.clear_ms and now_ms - self.clear_ms >= keep_ms:
            return [self._resolve(evidence)]
        if spoken and self.eased_rank and now_ms - self.eased_ms >= keep_ms:
            self.severity = _BY_RANK[self.eased_rank]
            self.eased_ms = self.eased_rank = 0
            return [self._to(State.FIRING, self.severity)]
        if spoken and self.held_ms and self.advice != evidence.advice:  # as when a cold pipe has frozen
            return [self._to(State.FIRING, self.severity)]
        return []

    def _fire(self, rank: int, now_ms: int) -> Change:
        self.severity = _BY_RANK[rank]
        self.eased_ms = self.eased_rank = 0
        self.openings = [*self.openings, now_ms][-FLAPS:]
        return self._to(State.FIRING, self.severity)

    def _resolve(self, evidence: Evidence) -> Change:
        facts = {
            **self.evidence.facts,
            **evidence.facts,
        }  # the last of the time it was bad, with its extremes
        ended = msgspec.structs.replace(evidence, facts=facts, since_ms=self.evidence.since_ms)
        change = Change(State.FIRING, State.RESOLVED, self.severity, ended)
        self.state, self.severity, self.advice = State.INACTIVE, Level.OK, ""
        self.clear_ms = self.eased_ms = self.eased_rank = 0
        return change

    def _keep_ms(self, timing: Timing) -> int:
        flapping = len(self.openings) >= FLAPS and self.openings[-1] - self.openings[0] <= HOUR_MS
        return max(timing.keep_firing_ms, HOUR_MS if flapping else 0)

    def _to(self, state: State, severity: Level) -> Change:
        change = Change(self.state, state, severity, self.evidence)
        self.state = state
        if state is State.FIRING:
            self.advice = self.evidence.advice
        return change
