"""The demonstration as a process of its own, watched from outside: its memory, and how soon it says that it lives."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple, Self

_START_S = 120.0
_LOOK_S = 0.1
#: an attack that is over at once may show its effect later
_LEAST_LOOKS = 30
_PAGE = re.compile(r"http://127\.0\.0\.1:(\d+)/\s")
_LINK = re.compile(r"token=(\S+)")
_MQTT = re.compile(r"MQTT:\s+127\.0\.0\.1:(\d+)")


class Seen(NamedTuple):
    """What was seen during an attack: the most memory, and how long /health/live took at the longest and in the middle."""

    peak_mb: float
    longest_s: float
    middle_s: float
    refused: int


class Service:
    """`shouyuan up --demo` in *folder*, with its own broker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "up.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service", "up", "--demo", "--data", str(folder / "data"), "--port", "0"],
                stdout=log, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        self.port = int(self._wait_for(_PAGE))
        self.token = self._wait_for(_LINK)
        self.mqtt_port = int(self._wait_for(_MQTT))

    def _wait_for(self, pattern: re.Pattern[str]) -> str:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            found = pattern.search(self._log.read_text(encoding="utf-8", errors="replace"))
            if found:
                return found[1]
            time.sleep(_LOOK_S)
        raise SystemExit(
            f"the service did not start:\n{self._log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
        )

    def memory_mb(self) -> float:
        """Resident memory of the service, without its broker."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def live_s(self) -> float:
        """How long /health/live takes on a connection of its own; raises OSError where it gives no good answer."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/health/live")
            if connection.getresponse().status != 200:
                raise OSError("not well")
        finally:
            connection.close()
        return time.perf_counter() - began

    def stop(self) -> None:
        """Ends it in order."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)


class Watch:
    """Looks at *service* ten times a second for as long as the block lasts; see :attr:`seen` afterwards."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._times_s: list[float] = []
        self._peak_mb = 0.0
        self._refused = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def seen(self) -> Seen:
        """What was seen so far."""
        times_s = sorted(self._times_s) or [float("inf")]
        return Seen(self._peak_mb, times_s[-1], times_s[len(times_s) // 2], self._refused)

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S) or len(self._times_s) + self._refused < _LEAST_LOOKS:
            if self._over.is_set():
                time.sleep(_LOOK_S)
            self._peak_mb = max(self._peak_mb, self._service.memory_mb())
            try:
                self._times_s.append(self._service.live_s())
            except OSError:
                self._refused += 1
