"""systemd hears of us while, and only while, everything that alerts depend on proves to be alive."""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests_support import PATIENCE_S

from api.ports import Condition, Health, Part
from campus.worker import Worker
from service.health.lifeline import FROZEN_EXIT, Lifeline
from service.health.systemd import Notifier

CHILD = Path(__file__).parent / "frozen_child.py"
ROOT = Path(__file__).parents[3]


class Systemd:
    """A socket as systemd's, which hears what it is told."""

    def __init__(self, address):
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def hear(self, timeout_s=PATIENCE_S):
        """The next message as a dict; None where none comes in time."""
        self.socket.settimeout(timeout_s)
        with contextlib.suppress(TimeoutError):
            return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
        return None

    def hear_until(self, key):
        """Listens until a message has *key*; that message."""
        for _ in range(1000):
            message = self.hear()
            assert message is not None, f"no {key} came"
            if key in message:
                return message
        raise AssertionError(key)

    def forget(self):
        """Throws away what has come so far."""
        with contextlib.suppress(BlockingIOError):
            self.socket.settimeout(0)
            while True:
                self.socket.recv(4096)

    def close(self):
        self.socket.close()


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path):
    address = str(tmp_path / "notify") if request.param == "path" else f"@shouyuan-test-{os.getpid()}"
    listening = Systemd(address)
    yield listening
    listening.close()


def test_what_is_sent(systemd):
    """Lines of keys and values, one datagram; a value never breaks into a second line."""
    environment = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "30000000", "OTHER": "1"}
    notifier = Notifier.of(environment, 7)
    assert environment == {"OTHER": "1"}  # our children are not to speak for us
    assert notifier.watchdog_ms == 30_000
    assert notifier.tell(READY="1", STATUS="two\nlines")
    assert systemd.hear() == {"READY": "1", "STATUS": "two lines"}
    notifier.close()
    assert not notifier.tell(READY="1")


@pytest.mark.parametrize(
    ("environment", "heard", "watchdog_ms"),
    [
        ({}, False, 0),
        ({"WATCHDOG_USEC": "1000000"}, False, 1000),
        ({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"}, False, 0),
        ({"WATCHDOG_USEC": "soon"}, False, 0),
        ({"NOTIFY_SOCKET": "/nowhere/at/all"}, True, 0),
    ],
)
def test_without_systemd(environment, heard, watchdog_ms):
    """Nobody to tell, or nobody listening, or another process meant: nothing fails."""
    notifier = Notifier.of(dict(environment), 7)
    assert (notifier.heard, notifier.watchdog_ms) == (heard, watchdog_ms)
    assert not notifier.tell(WATCHDOG="1")
    notifier.close()


class Told:
    """A notifier that remembers."""

    watchdog_ms = 0

    def __init__(self):
        self.states = []

    def tell(self, **states):
        self.states.append(states)
        return True

    def take(self):
        states, self.states = self.states, []
        return [key for one in states for key in one if key != "STATUS"]

    def close(self):
        pass


class Line:
    """A lifeline over workers that are stepped by hand, on a clock that is, too."""

    def __init__(self, *names, exit_after_s=0.0):
        self.now_ms = 0
        self.told, self.left = Told(), []
        self.workers = {}
        for name in names:
            self.workers[name] = Worker(name, lambda: None, limit_s=1.0, steady_ms=lambda: self.now_ms)
            self.workers[name]._thread = threading.current_thread()
        health = Health((Part("store", Condition.DEGRADED),))
        self.line = Lifeline(
            self.workers.values, lambda: health, self.told, exit_after_s=exit_after_s, frozen_ms=60_000,
            steady_ms=lambda: self.now_ms, leave=self.left.append,
        )  # fmt: skip

    def work(self, *names):
        for name in names or self.workers:
            self.workers[name].work()
        return self.look()

    def look(self):
        self.line.step()
        return self.told.take()


def test_ready_when_proven():
    """More time is asked for until each vital worker has done a step; then READY is said once, and pings follow."""
    line = Line("ingest", "rules", "keeper")
    assert line.look() == ["EXTEND_TIMEOUT_USEC", "WATCHDOG"]
    assert line.work("ingest") == ["EXTEND_TIMEOUT_USEC", "WATCHDOG"]
    assert line.work("rules") == ["READY", "WATCHDOG"]
    assert line.work("rules") == ["WATCHDOG"]


def test_a_start_that_never_ends_is_not_helped():
    """After half an hour no more time is asked for."""
    line = Line("ingest")
    line.now_ms += 31 * 60_000
    assert line.look() == []


@pytest.mark.parametrize("stuck", ["ingest", "rules"])
def test_one_frozen_worker_ends_the_pings(stuck):
    """While one vital worker shows no progress for a minute there is no ping; progress brings them back."""
    line = Line("ingest", "rules", "keeper")
    line.work()
    well = [name for name in line.workers if name != stuck]
    for _ in range(6):
        line.now_ms += 10_000
        assert line.work(*well) == ["WATCHDOG"]
    line.now_ms += 1
    assert line.work(*well) == []
    assert line.work(stuck) == ["WATCHDOG"]


def test_what_may_hang_without_a_restart():
    """A worker that nobody's alerts depend on keeps no ping back, nor does one that fails and tries again."""
    line = Line("ingest", "keeper")
    line.work()
    line.now_ms += 3_600_000
    assert line.work("ingest") == ["WATCHDOG"]
    line.workers["ingest"]._step = lambda: 1 / 0
    assert line.work("ingest") == ["WATCHDOG"]


def test_a_worker_without_thread_ends_the_pings():
    """A vital worker that has ended is as bad as one that is frozen."""
    line = Line("ingest", "rules")
    line.work()
    line.workers["rules"]._thread = threading.Thread()
    assert line.look() == []


def test_the_process_ends_itself_where_asked_to(monkeypatch):
    """Without systemd a frozen service ends with a code of its own after the time it was given."""
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda *_, **__: None)
    monkeypatch.setattr("faulthandler.dump_traceback", lambda *_, **__: None)
    line = Line("ingest", exit_after_s=10.0)
    line.work()
    line.now_ms += 61_000
    line.look()
    line.now_ms += 9_000
    line.look()
    assert line.left == []
    line.now_ms += 1_000
    line.look()
    assert line.left == [FROZEN_EXIT]


class Child:
    """The service in a process of its own, with systemd's variables."""

    def __init__(self, systemd, data, *, exit_after_s=0.0):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        environment |= {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "600000"}
        self.process = subprocess.Popen(
            [sys.executable, str(CHILD), str(data), str(exit_after_s)],
            env=environment,
            stderr=subprocess.PIPE,
        )

    def send(self, number):
        self.process.send_signal(number)

    def close(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()


@pytest.fixture
def started(tmp_path):
    systemd = Systemd(str(tmp_path / "notify"))
    children = []

    def start(**options):
        children.append(Child(systemd, tmp_path / "data", **options))
        systemd.hear_until("READY")
        systemd.hear_until("WATCHDOG")
        return systemd, children[0]

    yield start
    children[0].close()
    systemd.close()


#: several pings' time
SILENCE_S = 2.0


def test_a_real_process(started):
    """A stopped process is silent and speaks again; one that ends in order says so first."""
    systemd, child = started()
    child.send(signal.SIGSTOP)
    os.waitid(os.P_PID, child.process.pid, os.WSTOPPED | os.WNOWAIT)
    systemd.forget()
    assert systemd.hear(SILENCE_S) is None
    child.send(signal.SIGCONT)
    systemd.hear_until("WATCHDOG")
    child.send(signal.SIGTERM)
    systemd.hear_until("STOPPING")
    assert child.process.wait(PATIENCE_S) == 0


def test_a_held_interpreter_is_silent_and_ends(started):
    """Code that lets no other thread have its turn ends the pings, and the process where asked to, with its stack in the log."""
    systemd, child = started(exit_after_s=3.0)
    child.send(signal.SIGUSR1)
    while systemd.hear(SILENCE_S) is not None:
        pass
    assert child.process.wait(PATIENCE_S) == 1
    text = child.process.stderr.read().decode()
    assert "Timeout" in text
    assert "hold_the_interpreter" in text


def test_a_rule_that_hangs_ends_the_pings(started):
    """Everything else lives, and says what it waits for; but no ping goes out, and the process ends where asked to."""
    systemd, child = started(exit_after_s=3.0)
    child.send(signal.SIGUSR2)
    # on a busy machine any part may be late for a moment before that, and be well again: what counts is how it ends
    messages = []
    while child.process.poll() is None or (messages and messages[-1] is not None):
        messages.append(systemd.hear(0.1))
    assert child.process.returncode == FROZEN_EXIT
    heard = [one for one in messages if one is not None]
    pings = [n for n, one in enumerate(heard) if "WATCHDOG" in one]
    silent = heard[pings[-1] + 1 if pings else 0 :]
    assert any(re.search("frozen:.* rules for", one.get("STATUS", "")) for one in silent)
    assert "Thread 0x" in child.process.stderr.read().decode()


def test_the_unit_file():
    """The example unit waits for READY, has a watchdog, restarts for ever, and starts a command that exists."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(ROOT / "deploy" / "shouyuan.service", encoding="utf-8")
    service = unit["Service"]
    assert (service["Type"], service["Restart"], service["WatchdogSec"]) == ("notify", "always", "60")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert service["ExecStart"].split()[1:3] == ["up", "--campus"]
