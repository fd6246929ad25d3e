"""A worker: its step is repeated whatever happens, and how it does is seen from what it did."""

import threading

import pytest
from structlog.testing import capture_logs
from tests_support import wait_until

from campus.worker import Doing, Worker


class Steady:
    """A steady clock that goes on when it is told to."""

    def __init__(self):
        self.now_ms = 1_000_000

    def __call__(self):
        return self.now_ms


class Steps:
    """A step that raises what it is given, and then works; it may take a while."""

    def __init__(self, clock, *errors, takes_ms=0):
        self.clock, self.errors, self.takes_ms, self.calls = clock, list(errors), takes_ms, 0

    def __call__(self):
        self.calls += 1
        self.clock.now_ms += self.takes_ms
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def steady():
    return Steady()


def alive(worker):
    """*worker* as if its thread ran, for what is judged without one."""
    worker._thread = threading.current_thread()
    return worker


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), SystemExit(3), KeyboardInterrupt()])
def test_whatever_escapes_is_counted_and_the_step_repeated(steady, error):
    """No kind of exception ends a worker; the next step that works is its recovery."""
    worker = alive(Worker("w", Steps(steady, error), retry_s=(7.0,), steady_ms=steady))
    with capture_logs() as logs:
        assert worker.work() == 7.0
        failed = worker.progress()
        assert worker.work() == 0.0
    assert (failed.failures, failed.failures_in_a_row, failed.doing(steady())) == (1, 1, Doing.FAILING)
    assert failed.last_error.startswith(type(error).__name__)
    assert worker.progress().doing(steady()) is Doing.WELL
    assert [line["event"] for line in logs] == ["worker.failed", "worker.recovered"]


def test_rests_grow_with_failures_in_a_row(steady):
    """Each failure in a row waits longer, up to the last figure; a success begins anew."""
    steps = Steps(steady, *[OSError("away")] * 4)
    worker = Worker("w", steps, retry_s=(1.0, 5.0, 30.0), expected=(OSError,), steady_ms=steady)
    with capture_logs() as logs:
        assert [worker.work() for _ in range(5)] == [1.0, 5.0, 30.0, 30.0, 0.0]
        steps.errors.append(OSError("away again"))
        assert worker.work() == 1.0
    assert [line["log_level"] for line in logs] == ["warning", "info", "warning"]


def test_a_failure_while_failing_is_guarded(steady):
    """What is called on a failure may fail, too; the reason names both."""

    def on_failure(_):
        raise RuntimeError("and this")

    worker = alive(Worker("w", Steps(steady, ValueError("first")), on_failure=on_failure, steady_ms=steady))
    worker.work()
    assert worker.progress().last_error == "ValueError: first; then RuntimeError: and this"


def test_nothing_is_well_before_the_first_step(steady):
    """A worker that never finished a step is starting, not well; so is one that was never started."""
    worker = Worker("w", Steps(steady), steady_ms=steady)
    assert worker.progress().doing(steady()) is Doing.STARTING
    assert alive(worker).progress().doing(steady()) is Doing.STARTING
    worker.work()
    assert worker.progress().doing(steady()) is Doing.WELL


def test_a_step_that_takes_too_long_is_stuck(steady):
    """The age of a step under way counts, without the step having to end; touching and pausing are progress."""
    seen = []

    def step():
        for touch in (lambda: None, worker.touch, lambda: worker.pause(0.0)):
            touch()
            for seconds in (9, 2):
                steady.now_ms += seconds * 1000
                seen.append(worker.progress().doing(steady()))

    worker = alive(Worker("w", step, limit_s=10.0, steady_ms=steady))
    worker.work()
    assert seen == [Doing.STARTING, Doing.STUCK] * 3


def test_a_step_that_is_overdue_is_stuck(steady):
    """A thread that does not come back from its rest is as good as stuck, though no step is under way."""
    worker = alive(Worker("w", Steps(steady), pace_s=60.0, limit_s=10.0, steady_ms=steady))
    worker.work()
    steady.now_ms += 69_000
    assert worker.progress().doing(steady()) is Doing.WELL
    steady.now_ms += 2_000
    assert worker.progress().doing(steady()) is Doing.STUCK
    assert worker.progress().idle_ms(steady()) == 11_000


def test_the_pace_may_be_asked_for():
    """A worker that knows when it is needed next says so after each step; its failure is one of the step."""
    paces = iter([2.5])
    worker = Worker("w", lambda: None, pace_s=lambda: next(paces), retry_s=(4.0,))
    assert [worker.work(), worker.work()] == [2.5, 4.0]


def test_in_its_thread():
    """It steps at once, rests until woken, survives what escapes, and stops within its rest."""
    steps = Steps(Steady(), SystemExit())
    worker = Worker("w", steps, pace_s=3600.0, retry_s=(0.0,))
    worker.start()
    wait_until(lambda: steps.calls == 2, 30)
    worker.wake()
    wait_until(lambda: steps.calls == 3, 30)
    assert worker.stop(30)
    assert (worker.alive, worker.stopping, worker.progress().steps) == (False, True, 2)
    worker.start()  # what was stopped stays so
    assert not worker.alive


def test_one_that_cannot_be_stopped_is_named():
    """A step that hangs does not hold up the stop of the service."""
    entered, hang = threading.Event(), threading.Event()
    worker = Worker("w", lambda: (entered.set(), hang.wait()))
    worker.start()
    assert entered.wait(30)
    with capture_logs() as logs:
        assert not worker.stop(0.01)
    assert logs[0]["worker"] == "w"
    hang.set()
    assert worker.stop(30)


def test_a_thread_that_has_ended_is_begun_anew():
    """Where the thread is gone though nobody stopped it, starting again brings it back."""
    steps = Steps(Steady())
    worker = Worker("w", steps, pace_s=3600.0)
    worker._thread = threading.Thread()  # never ran
    assert worker.progress().doing(0) is Doing.ENDED
    worker.start()
    wait_until(lambda: steps.calls == 1, 30)
    assert worker.stop(30)
