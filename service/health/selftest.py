"""The self-test alarm: a reading of an internal device goes the whole pipeline, and must come out of the rules in time.

Broker, receiver, decoder, journal, rules, alert book: each may seem well by itself while nothing comes through. People
are sent no message; they hear of it only when the alarm does not come out, with the place where it was last seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import structlog

from alerts.own import parts as own_parts
from api.ports import Condition
from campus.clock import MINUTE_MS, SECOND_MS, steady_ms
from campus.selftest import Round, Stage, Trace
from campus.worker import Worker
from rules.level import Level
from rules.verdict import Facts
from service.trouble import Trouble

log = structlog.get_logger()

#: within which it must have come out
WITHIN_MS = 30 * SECOND_MS
#: after a failure the next one does not wait for its usual time
_AGAIN_MS = 30 * SECOND_MS
_LOOK_S, _IDLE_S = 0.2, 2.0

#: a broker of ours that is away is waited for so long; its own trouble is reported elsewhere, so the rest is tested without it
_PATIENCE_MS = 10 * SECOND_MS
#: sends the payloads on their way, in patience over a broker only; whether that was possible
Send = Callable[[Sequence[bytes], bool], bool]


class SelfTest:
    """*every_s* is asked each time, 0 for never; *send* publishes where there is a broker of ours."""

    def __init__(
        self,
        trace: Trace,
        send: Send,
        every_s: Callable[[], float],
        *,
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self._trace = trace
        self._send = send
        self._every_s = every_s
        self._steady_ms = steady_ms
        self._round: Round | None = None
        self._began_ms = 0
        self._due_ms = self._started_ms = steady_ms()
        #: when the last one came out, and where the last one was lost; None where that is not so
        self.passed_ms: int | None = None
        self.lost_at: Stage | None = None
        self.worker = Worker("selftest", self.step, pace_s=self._pace_s, steady_ms=steady_ms)

    def step(self) -> None:
        """Begins a test that is due, or looks where the one under way is."""
        now_ms = self._steady_ms()
        if self._round is None:
            if self._every_s() and now_ms >= self._due_ms:
                self._begin(now_ms)
            return
        if self._trace.stage is Stage.WAITING:
            if self._send(self._round.payloads(), now_ms - self._began_ms < _PATIENCE_MS):
                self._trace.reach(Stage.PUBLISHED, [self._round.mark])
        elif self._trace.stage is Stage.PASSED:
            self._pass(now_ms)
            return
        if now_ms - self._began_ms > WITHIN_MS:
            self._lose(now_ms)

    def look(self, _now_ms: int) -> Iterator[Trouble]:
        """What is wrong with the pipeline as a whole."""
        now_ms, every_ms = self._steady_ms(), self._every_s() * SECOND_MS
        if not every_ms:
            return
        since_ms = self._started_ms if self.passed_ms is None else self.passed_ms
        facts: Facts = {"part": "selftest", "seconds": (now_ms - since_ms) / SECOND_MS}
        if self.lost_at is not None:
            facts["stage"] = self.lost_at.name.lower()
            yield Trouble(
                own_parts.SELFTEST_FAILED, "pipeline", Level.CRITICAL, facts, 0, "selftest", Condition.DOWN
            )
        elif now_ms - since_ms > 2 * every_ms + 2 * WITHIN_MS:
            yield Trouble(
                own_parts.SELFTEST_FAILED, "pipeline", Level.CRITICAL, facts, 0, "selftest", Condition.DOWN
            )
        elif self.passed_ms is None:
            yield Trouble(
                own_parts.NOT_PROVEN, "selftest", Level.WARNING, facts, 2 * MINUTE_MS, "selftest", Condition.STARTING
            )  # fmt: skip

    def _begin(self, now_ms: int) -> None:
        self._round, self._began_ms = Round.fresh(), now_ms
        self._trace.begin(self._round)

    def _pass(self, now_ms: int) -> None:
        if self.lost_at is not None:
            log.info("selftest.passed_again")
        log.debug("selftest.passed", took_ms=now_ms - self._began_ms)
        self._round, self.lost_at, self.passed_ms = None, None, now_ms
        self._due_ms = self._began_ms + round(self._every_s() * SECOND_MS)

    def _lose(self, now_ms: int) -> None:
        self._round, self.lost_at = None, self._trace.stage
        self._due_ms = now_ms + _AGAIN_MS
        log.error("selftest.lost", stage=self.lost_at.name.lower(), waited_ms=now_ms - self._began_ms)

    def _pace_s(self) -> float:
        return _IDLE_S if self._round is None and self._due_ms > self._steady_ms() else _LOOK_S
