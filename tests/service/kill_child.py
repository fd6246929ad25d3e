"""The service as a child process that is killed again and again.

This program imports everything once, then forks a child for each line it reads: a start costs no second of imports.
Each child leaves ``PID.up`` in the data folder when it listens, and ``PID.ended`` when it ended as it should.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from campus.campus import Campus
from campus.device import Device, Place
from campus.site import Site
from service.logs import configure_logs
from service.runtime import Runtime
from service.settings import ServiceSettings

FRIDGES = 20


def kill_campus(port: int) -> Campus:
    """One busy freezer without times of its own, and fridges that each fail and recover once."""
    site = Site.model_validate(
        {
            "id": "kill",
            "name": "kill",
            "broker": {"url": f"mqtt://127.0.0.1:{port}"},
            "sources": [
                {"topic": "zigbee2mqtt/#", "decoder": "zigbee2mqtt"},
                {"topic": "application/+/device/+/event/+", "decoder": "chirpstack_v4"},
            ],
            "channels": {"phone": {"kind": "phone_page"}},
            "routes": [{"severity": "warning", "channels": ["phone"]}],
        }
    )
    place = Place(site="kill")
    fridges = [
        Device(
            id=f"fridge-{n}",
            name=f"F{n}",
            kind="cold_storage",
            place=place,
            profile="fridge",
            address=f"24e1240000{n:06x}",
            decoder="chirpstack_v4",
        )
        for n in range(FRIDGES)
    ]
    freezer = Device(
        id="freezer",
        name="F",
        kind="cold_storage",
        place=place,
        profile="freezer",
        address="Freezer",
        decoder="zigbee2mqtt",
    )
    now = {"cold.above_limit": {"for_s": 0, "critical_for_s": 0, "keep_firing_for_s": 0}}
    now["sensor.jump"] = {"enabled": False}  # from 30 to 4 °C within moments is this test's own doing
    return Campus(site=site, devices=[freezer, *fridges], rules={"defaults": now})


def serve(
    data: Path,
    port: int,
    *,
    campus: Callable[[int], Campus] = kill_campus,
    write: Callable[[str], None] = lambda _text: None,
) -> None:
    """The service, until SIGTERM."""
    configure_logs(level="error", as_json=False)
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    runtime = Runtime(campus(port), ServiceSettings(data=data), write=write)
    runtime.start()
    pause = threading.Event()
    while not runtime.brokers.connected and not done.is_set():
        pause.wait(0.01)
    (data / f"{os.getpid()}.up").touch()
    done.wait()
    runtime.stop()
    (data / f"{os.getpid()}.ended").touch()


def main(serve: Callable[[Path, int], None]) -> None:
    """Forks a child a line, which serves; without anybody who asks any more, everybody goes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no child is left to be waited for
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(Path(sys.argv[1]), int(sys.argv[2]))
            os._exit(0)
        print(child, flush=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(serve)
