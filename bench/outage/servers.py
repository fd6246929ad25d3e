"""The servers around the service, each a child process that can be killed and started again on its own data."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from service.broker.embedded import EmbeddedBroker

_POSTGRES = Path("/usr/lib/postgresql/15/bin")
_READY_S = 60.0
TOPICS = ("zigbee2mqtt/#", "application/+/device/+/event/+")


class Server:
    """A program on a free port; *ready* says whether it answers."""

    def __init__(
        self, command: Callable[[int], list[str]], ready: Callable[[int], bool], **options: object
    ) -> None:
        self.port = free_port()
        self._command = command(self.port)
        self._ready = ready
        self._options = options
        self.start()

    def start(self) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        self._process = subprocess.Popen(self._command, **quiet, **self._options)
        deadline = time.monotonic() + _READY_S
        while not self._ready(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self._command[0]} did not come up on port {self.port}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL, to its children, too."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def broker(program: str, folder: Path) -> EmbeddedBroker:
    """The embedded broker as the service would start it, beside the service, so that it outlives it."""
    scripts = Path(sysconfig.get_path("scripts"))
    place = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin:{scripts}")
    if place is None:
        raise SystemExit(f"{program} is not installed")
    started = EmbeddedBroker(folder, program=place, topics=TOPICS)
    started.start()
    return started


def victoriametrics(folder: Path) -> tuple[Server, str]:
    """VictoriaMetrics and the store's URL."""
    program = shutil.which("victoria-metrics") or "victoria-metrics"

    def command(port: int) -> list[str]:
        return [
            program,
            f"-httpListenAddr=127.0.0.1:{port}",
            f"-storageDataPath={folder}",
            "-retentionPeriod=1y",
        ]

    server = Server(command, lambda port: _answers(f"http://127.0.0.1:{port}/health"))
    return server, f"victoriametrics://127.0.0.1:{server.port}"


def influxdb(folder: Path, program: str) -> tuple[Server, str]:
    """InfluxDB 2 from the program at *program*, set up with a bucket of its own, and the store's URL."""

    def command(port: int) -> list[str]:
        return [
            program, "--http-bind-address", f"127.0.0.1:{port}", "--bolt-path", str(folder / "influxd.bolt"),
            "--engine-path", str(folder / "engine"), "--sqlite-path", str(folder / "influxd.sqlite"),
            "--reporting-disabled",
        ]  # fmt: skip

    folder.mkdir(parents=True)
    server = Server(command, lambda port: _answers(f"http://127.0.0.1:{port}/health"))
    body = {
        "username": "bench",
        "password": "bench-bench",
        "org": "bench",
        "bucket": "bench",
        "token": "bench-token",
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/api/v2/setup",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    return server, f"influxdb2://bench-token@127.0.0.1:{server.port}/bench/bench"


def postgresql(folder: Path) -> tuple[Server, str]:
    """A PostgreSQL cluster of its own, and its URL. Run as root, it is started as the user postgres."""
    as_user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    folder.mkdir(parents=True)
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    cluster, home = folder / "cluster", {"cwd": folder}
    make = [str(_POSTGRES / "initdb"), "-D", str(cluster), "-A", "trust", "-U", "bench", "--no-instructions"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, **as_user, **home)

    def command(port: int) -> list[str]:
        own = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
        return [str(_POSTGRES / "postgres"), "-D", str(cluster), "-p", str(port), *own]

    server = Server(command, _speaks_postgres, **as_user, **home)
    return server, f"postgresql+psycopg://bench@127.0.0.1:{server.port}/postgres"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _speaks_postgres(port: int) -> bool:
    """Whether it takes connections by now, and not only its socket."""
    command = [str(_POSTGRES / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


class Service:
    """Services on the same data, one after the other, by :mod:`bench.outage.host`."""

    def __init__(self, settings: Path) -> None:
        self._host = subprocess.Popen(
            [sys.executable, "-m", "bench.outage.host", str(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        self._host.stdin.write(b"start\n")
        self._host.stdin.flush()
        self._newest = int(self._host.stdout.readline())

    def end(self, how: signal.Signals) -> None:
        """Signals the service and waits until it is gone; it may have ended by itself where it had no database."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._newest, how)
        while self.alive:
            time.sleep(0.005)

    def keep_up(self) -> None:
        """Starts it again where it ended by itself, as systemd does."""
        if not self.alive:
            self.start()

    @property
    def alive(self) -> bool:
        return Path(f"/proc/{self._newest}").exists()

    def close(self) -> None:
        os.killpg(self._host.pid, signal.SIGKILL)
        self._host.wait()
