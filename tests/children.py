"""The service in child processes, which are killed or kill themselves."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests_support import PATIENCE_S, wait_until

ROOT = Path(__file__).parents[1]


class Children:
    """Services on the same data, one after the other."""

    def __init__(self, data, port, program="kill_child.py"):
        self._data = data
        command = [sys.executable, f"tests/service/outages/{program}", str(data), str(port)]
        self._parent = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def start(self, seam=""):
        """Starts another; with a *seam* it kills itself there."""
        self._parent.stdin.write(f"{seam}\n".encode())
        self._parent.stdin.flush()
        self._newest = int(self._parent.stdout.readline())

    def wait_up(self):
        wait_until((self._data / f"{self._newest}.up").exists)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):  # it may have died by itself
            os.kill(self._newest, signal.SIGKILL)
        self.wait_gone()

    def wait_gone(self):
        """Waits until it has died by itself."""
        wait_until(self.is_gone)

    def end(self):
        """Asks it to end; fails where it does not end well."""
        os.kill(self._newest, signal.SIGTERM)
        wait_until(self.is_gone)
        assert (self._data / f"{self._newest}.ended").exists()

    def close(self):
        os.killpg(self._parent.pid, signal.SIGKILL)
        self._parent.wait(PATIENCE_S)
        self._parent.stdin.close()
        self._parent.stdout.close()

    def is_gone(self):
        try:
            os.kill(self._newest, 0)
        except ProcessLookupError:
            return True
        return False
