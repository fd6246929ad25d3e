"""The service as a child process that is killed again and again.

This program imports everything once, then forks a child for each line it reads: a start costs no second of imports.
The line may name one of :data:`SEAMS`, at which the child kills itself.
Each child leaves ``PID.up`` in the data folder when it listens, and ``PID.ended`` when it ended as it should.
"""

from __future__ import annotations

import itertools
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
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings

FRIDGES = 20
#: where a death leaves something half done, as the call that does not happen: (part, method)
SEAMS = {
    "committed, not acknowledged": ("pipeline", "_acknowledge"),
    "stored, position not kept": ("storing", "_move_to"),
    "judged, not committed": ("book", "apply"),
    "alert committed, nobody woken": ("rules", "_on_transitions"),
    "sent, not written down": ("dispatcher", "_outbox.settle"),
}


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
    if seam := os.environ.get("SEAM"):
        _die_at(runtime, *SEAMS[seam])
    runtime.start()
    pause = threading.Event()
    while not runtime.brokers.connected and not done.is_set():
        pause.wait(0.01)
    (data / f"{os.getpid()}.up").touch()
    done.wait()
    runtime.stop()
    (data / f"{os.getpid()}.ended").touch()


def _die_at(runtime: Runtime, part: str, method: str) -> None:
    """Lets the second call of *method* be the end."""
    owner = getattr(runtime, part)
    *inside, name = method.split(".")
    for one in inside:
        owner = getattr(owner, one)
    original, calls = getattr(owner, name), itertools.count()

    def die_or_do(*args: object, **options: object) -> object:
        if next(calls) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **options)

    setattr(owner, name, die_or_do)


def main(serve: Callable[[Path, int], None]) -> None:
    """Forks a child a line, which serves; without anybody who asks any more, everybody goes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no child is left to be waited for
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.environ["SEAM"] = line.strip()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(Path(sys.argv[1]), int(sys.argv[2]))
            os._exit(0)
        print(child, flush=True)
    if (
        os.getsid(0) == os.getpid()
    ):  # where somebody started it without a session, that one's group is not ours
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(serve)
