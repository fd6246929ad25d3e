"""A worker: one thread that repeats a step, never ends by itself, and shows what it did and when.

What escapes from a step is logged, counted, and the step repeated after a rest; so no thread of the service ends in
silence. How a worker does is judged by what it did (:class:`Progress`), not by what it says.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Sequence

import msgspec
import structlog

from campus.clock import SECOND_MS, steady_ms

log = structlog.get_logger()

#: a step that takes longer than this is stuck, unless its worker says otherwise
LIMIT_S = 30.0
_REASON_CHARS = 300


class Doing(enum.StrEnum):
    """How a worker does, by what it did."""

    #: no step has ended yet: nothing is proven
    STARTING = "starting"
    WELL = "well"
    #: the last step failed; it is repeated
    FAILING = "failing"
    #: a step has been under way, or is overdue, for longer than the limit
    STUCK = "stuck"
    #: its thread is gone, though nobody stopped it
    ENDED = "ended"


class Progress(msgspec.Struct, frozen=True):
    """What a worker did and when, in milliseconds of the steady clock."""

    name: str
    #: whether it was started at all, and whether its thread runs
    started: bool
    alive: bool
    #: steps that ended well, and steps that failed, since the start
    steps: int
    failures: int
    #: failures since the last step that ended well
    failures_in_a_row: int
    last_error: str
    #: when the last step ended well; None before the first
    last_step_ms: int | None
    #: since when the step under way shows no progress; None while resting
    working_since_ms: int | None
    #: when the next step is to begin, while resting
    due_ms: int
    limit_ms: int

    def idle_ms(self, now_ms: int) -> int:
        """For how long a step has been under way, or overdue."""
        since_ms = self.due_ms if self.working_since_ms is None else self.working_since_ms
        return max(0, now_ms - since_ms)

    def doing(self, now_ms: int) -> Doing:
        """The verdict at *now_ms* of the steady clock; the worst that holds."""
        if not self.alive:
            return Doing.ENDED if self.started else Doing.STARTING
        if self.idle_ms(now_ms) > self.limit_ms:
            return Doing.STUCK
        if self.failures_in_a_row:
            return Doing.FAILING
        return Doing.STARTING if self.last_step_ms is None else Doing.WELL


class Worker:
    """Repeats *step*, resting *pace_s* after each (a number, or asked after each step).

    After a failure it rests as long as *retry_s* says for so many failures in a row, and *on_failure* is called, whose
    own failure is guarded, too. Failures of the *expected* kinds are logged without a traceback. *limit_s* is the longest
    a step may take without progress before it is called stuck.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], object],
        *,
        pace_s: float | Callable[[], float] = 0.0,
        retry_s: Sequence[float] = (1.0,),
        on_failure: Callable[[BaseException], object] = lambda _: None,
        expected: tuple[type[Exception], ...] = (),
        limit_s: float = LIMIT_S,
        steady_ms: Callable[[], int] = steady_ms,
    ) -> None:
        self.name = name
        self._step = step
        self._pace_s = pace_s
        self._retry_s = retry_s
        self._on_failure = on_failure
        self._expected = expected
        self._limit_ms = round(limit_s * SECOND_MS)
        self._steady_ms = steady_ms
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._thread: threading.Thread | None = None
        self._steps = self._failures = 0
        self.failures_in_a_row = 0
        self._last_error = ""
        self._last_step_ms: int | None = None
        self._working_since_ms: int | None = None
        self._due_ms = steady_ms()

    def start(self) -> None:
        """Begins to work; begins anew where the thread has ended though nobody stopped it."""
        if self.alive or self._stopping.is_set():
            return
        self._working_since_ms, self._due_ms = None, self._steady_ms()
        thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        thread.start()
        self._thread = thread  # not before: one that has not begun yet has not ended

    def request_stop(self) -> None:
        """Asks to stop after the step under way, without waiting for it."""
        self._stopping.set()
        self._news.set()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Asks to stop, and waits so long for the step under way; whether the thread has ended."""
        self.request_stop()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
        if self.alive:
            log.warning("worker.still_at_work", worker=self.name, timeout_s=timeout_s)
        return not self.alive

    def wake(self) -> None:
        """There is something to do: ends the rest, or skips the next one."""
        self._news.set()

    def pause(self, seconds: float) -> bool:
        """Rests in the middle of a step, which is progress and not being stuck; True when told to stop."""
        self.touch()
        stopping = self._stopping.wait(seconds)
        self.touch()
        return stopping

    def touch(self) -> None:
        """The step under way has got on: a long one calls this now and then."""
        if self._working_since_ms is not None:
            self._working_since_ms = self._steady_ms()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def progress(self) -> Progress:
        """What it did and when; safe from any thread, and never waits."""
        return Progress(
            name=self.name,
            started=self._thread is not None,
            alive=self.alive,
            steps=self._steps,
            failures=self._failures,
            failures_in_a_row=self.failures_in_a_row,
            last_error=self._last_error,
            last_step_ms=self._last_step_ms,
            working_since_ms=self._working_since_ms,
            due_ms=self._due_ms,
            limit_ms=self._limit_ms,
        )

    def work(self) -> float:
        """One guarded step; how many seconds to rest after it. Never raises."""
        self._working_since_ms = self._steady_ms()
        try:
            self._step()
            rest_s = self._pace_s() if callable(self._pace_s) else self._pace_s
        except BaseException as error:  # noqa: BLE001 - no error may end a worker in silence, SystemExit least of all
            rest_s = self._fail(error)
        else:
            self._succeed()
        self._due_ms = self._steady_ms() + round(rest_s * SECOND_MS)
        self._working_since_ms = None
        return rest_s

    def _succeed(self) -> None:
        failures, self.failures_in_a_row = self.failures_in_a_row, 0
        self._steps += 1
        self._last_step_ms = self._steady_ms()
        if failures:
            log.info("worker.recovered", worker=self.name, failures=failures)

    def _fail(self, error: BaseException) -> float:
        rest_s = self._retry_s[min(self.failures_in_a_row, len(self._retry_s) - 1)]
        self._failures += 1
        self.failures_in_a_row += 1
        self._last_error = f"{type(error).__name__}: {error}"[:_REASON_CHARS]
        try:
            if self.failures_in_a_row == 1:
                self._log_failure(error)
            self._on_failure(error)
        except BaseException as another:  # noqa: BLE001 - nor may a failure while failing
            self._last_error = f"{self._last_error}; then {type(another).__name__}: {another}"[:_REASON_CHARS]
        return rest_s

    def _log_failure(self, error: BaseException) -> None:
        """Written down once; that it goes on is seen in health, and its end is written down again."""
        if isinstance(error, self._expected):
            log.warning("worker.failed", worker=self.name, reason=self._last_error)
        else:
            log.error("worker.failed", worker=self.name, reason=self._last_error, exc_info=error)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._news.clear()
            rest_s = self.work()
            if rest_s > 0 and not self._stopping.is_set():
                self._news.wait(rest_s)
