"""The service as a child process that is killed again and again."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from campus.campus import Campus
from campus.device import Device, Place
from campus.site import Site
from service.logs import configure_logs
from service.runtime import Runtime
from service.settings import ServiceSettings

FRIDGES = 40


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


def main() -> None:
    configure_logs(level="error", as_json=False)
    runtime = Runtime(
        kill_campus(int(sys.argv[2])), ServiceSettings(data=Path(sys.argv[1])), write=lambda _text: None
    )
    runtime.start()
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    print("up", flush=True)
    done.wait()
    runtime.stop()


if __name__ == "__main__":
    main()
