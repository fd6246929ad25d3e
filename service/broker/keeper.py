"""Looks after the embedded broker: started again when it has ended or does not answer, reported every time."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import structlog

from campus.clock import SECOND_MS, steady_ms
from campus.worker import Worker
from service.broker.embedded import EmbeddedBroker
from service.errors import BrokerUnavailable

log = structlog.get_logger()

_LOOK_S = 1.0
_PROBE_MS = 10 * SECOND_MS
#: a broker that writes a large queue to a slow disk says nothing meanwhile, and must not be ended for it
_SILENT_MS = 60 * SECOND_MS
_SHORTEST_WAIT_MS, _LONGEST_WAIT_MS = SECOND_MS, 60 * SECOND_MS
#: a broker that ran for so long is not one that ends at once
_PROVEN_MS = 60 * SECOND_MS


class Restart(msgspec.Struct, frozen=True):
    """One time it was started again; *damaged* is the name under which what it had kept was set aside, if it was."""

    number: int
    reason: str
    damaged: str = ""


class BrokerKeeper:
    """Looks once a second. *on_restart* is called after the broker came up, *on_well* at each look that finds it well."""

    def __init__(
        self,
        broker: EmbeddedBroker,
        *,
        on_restart: Callable[[], object] = lambda: None,
        on_well: Callable[[], object] = lambda: None,
        steady_ms: Callable[[], int] = steady_ms,
        silent_ms: int = _SILENT_MS,
        probe_ms: int = _PROBE_MS,
    ) -> None:
        self._broker = broker
        self._on_restart = on_restart
        self._on_well = on_well
        self._steady_ms = steady_ms
        self._silent_ms = silent_ms
        self._probe_ms = probe_ms
        self._started_ms = self._answered_ms = self._probed_ms = steady_ms()
        self._wait_ms = _SHORTEST_WAIT_MS
        self._next_ms = 0
        self._reason = ""
        self._restarts = 0
        #: the newest time it was started again
        self.last: Restart | None = None
        #: why it does not run; empty when it does
        self.failure = ""
        self.worker = Worker("broker", self.look, pace_s=_LOOK_S, limit_s=120)

    def start(self) -> None:
        """From now on; the broker was started just before."""
        self._started_ms = self._answered_ms = self._probed_ms = self._steady_ms()
        if self._broker.damaged is not None:
            self._note("its store was damaged")
        self.worker.start()

    def stop(self) -> None:
        """From now on nobody starts it again."""
        self.worker.stop(timeout_s=30)

    def look(self) -> None:
        """One look: starts the broker again where that is needed and due."""
        now_ms = self._steady_ms()
        if self._broker.running and not self._is_silent(now_ms):
            self._on_well()
            return
        if not self.failure:
            self._reason = "it did not answer" if self._broker.running else "it had ended"
            self.failure = f"the embedded broker is being started again: {self._reason}"
            log.error("broker.down", program=self._broker.name, reason=self._reason)
            proven = now_ms - self._started_ms >= _PROVEN_MS
            self._wait_ms = _SHORTEST_WAIT_MS if proven else min(2 * self._wait_ms, _LONGEST_WAIT_MS)
            self._next_ms = now_ms if proven or not self._restarts else now_ms + self._wait_ms
        if now_ms >= self._next_ms and not self.worker.stopping:
            self._restart(now_ms)

    def _is_silent(self, now_ms: int) -> bool:
        """Whether it has not answered for too long; asks it now and then."""
        if now_ms - self._probed_ms < self._probe_ms:
            return False
        if self._broker.answers():
            self._answered_ms = self._probed_ms = self._steady_ms()
            return False
        self._probed_ms = self._steady_ms()
        return self._probed_ms - self._answered_ms >= self._silent_ms

    def _restart(self, now_ms: int) -> None:
        self._broker.stop()
        self.worker.touch()
        try:
            self._broker.start()
        except (BrokerUnavailable, OSError) as error:
            self.failure = str(error)
            self._wait_ms = min(2 * self._wait_ms, _LONGEST_WAIT_MS)
            self._next_ms = now_ms + self._wait_ms
            log.warning("broker.not_restarted", reason=str(error), again_in_ms=self._wait_ms)
            return
        self._started_ms = self._answered_ms = self._probed_ms = self._steady_ms()
        self._restarts += 1
        self._note(self._reason)
        self.failure = ""
        log.warning("broker.restarted", program=self._broker.name, reason=self._reason, times=self._restarts)
        self._on_restart()

    def _note(self, reason: str) -> None:
        damaged = self._broker.damaged
        self.last = Restart(self._restarts, reason, damaged.name if damaged is not None else "")
