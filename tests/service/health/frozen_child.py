"""The service as a child that can be frozen: SIGUSR1 holds the interpreter, SIGUSR2 hangs the rules; SIGTERM stops it."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from campus.campus import Campus
from campus.site import Site
from service.health.lifeline import Lifeline
from service.health.systemd import from_environment
from service.logs import configure_logs
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings


def main(data: Path, exit_after_s: float) -> None:
    configure_logs(level="error", as_json=False)
    site = Site.model_validate({"id": "s", "name": "S", "broker": {"url": "mqtt://127.0.0.1:1"}})
    settings = ServiceSettings(data=data, frozen_exit_s=exit_after_s)
    runtime = Runtime(Campus(site=site), settings, write=lambda _text: None)
    runtime.lifeline = Lifeline(
        runtime.workers, runtime.health, from_environment(), exit_after_s=exit_after_s, frozen_ms=500
    )
    done, hang = threading.Event(), threading.Event()

    def hold_the_interpreter(*_: object) -> None:
        sum(range(1 << 62))  # one call of C: no other thread gets a turn before it ends

    def hang_the_rules(*_: object) -> None:
        runtime.rules.worker._limit_ms = 200
        runtime.rules.worker._step = hang.wait

    signal.signal(signal.SIGTERM, lambda *_: done.set())
    signal.signal(signal.SIGUSR1, hold_the_interpreter)
    signal.signal(signal.SIGUSR2, hang_the_rules)
    runtime.start()
    while not done.wait(0.1):
        pass
    hang.set()
    runtime.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
