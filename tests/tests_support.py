"""What tests of several rooms share."""

from __future__ import annotations

import threading
import time

#: how long a test waits for what must come: far beyond what a slow and busy machine needs, as only a hang should fail
PATIENCE_S = 60.0


def wait_until(condition, timeout_s=PATIENCE_S):
    """Waits until *condition* holds, looking often; fails after *timeout_s*."""
    pause = threading.Event()
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        pause.wait(0.01)
