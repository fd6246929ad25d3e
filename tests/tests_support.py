"""What tests of several rooms share."""

from __future__ import annotations

import threading
import time


def wait_until(condition, timeout_s=10.0):
    """Waits until *condition* holds, looking often; fails after *timeout_s*."""
    pause = threading.Event()
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        pause.wait(0.01)
