"""The service as it is killed: a program that imports everything once and forks a service for each line it reads.

python -m bench.outage.host SETTINGS     (a JSON file: data, broker, store, database, provider, fridges)
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

from bench.outage.publisher import FREEZERS, fridge_address
from campus.campus import Campus
from campus.device import Device, Place
from campus.site import Site
from service.logs import configure_logs
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings


def campus(settings: dict[str, str]) -> Campus:
    """Freezers and fridges, judged at once."""
    site = Site.model_validate(
        {
            "id": "outages",
            "name": "outages",
            "broker": {"url": settings["broker"]},
            "store": settings["store"],
            "sources": [
                {"topic": "zigbee2mqtt/#", "decoder": "zigbee2mqtt"},
                {"topic": "application/+/device/+/event/+", "decoder": "chirpstack_v4"},
            ],
            "channels": {"bot": {"kind": "wecom_bot", "key": "KEY", "base_url": settings["provider"]}},
            "routes": [{"severity": "warning", "channels": ["bot"]}],
        }
    )
    common = {"kind": "cold_storage", "place": Place(site="outages")}
    freezers = [
        Device(
            id=f"freezer-{number}", name=f"冷冻柜{number}", profile="freezer", address=f"Freezer{number}",
            decoder="zigbee2mqtt", **common,
        )
        for number in range(FREEZERS)
    ]  # fmt: skip
    fridges = [
        Device(
            id=f"fridge-{number}", name=f"冷藏柜{number}", profile="fridge", address=fridge_address(number),
            decoder="chirpstack_v4", **common,
        )
        for number in range(int(settings["fridges"]))
    ]  # fmt: skip
    at_once = {"cold.above_limit": {"for_s": 0, "critical_for_s": 0, "keep_firing_for_s": 0}}
    at_once["sensor.jump"] = {"enabled": False}  # from 30 to 4 °C within moments is this bench's own doing
    return Campus(site=site, devices=[*freezers, *fridges], rules={"defaults": at_once})


def serve(settings: dict[str, str]) -> None:
    """One service, until SIGTERM or SIGKILL."""
    configure_logs(level="critical", as_json=False)
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    own = ServiceSettings(data=Path(settings["data"]), database_url=settings["database"])
    runtime = Runtime(campus(settings), own, write=lambda _text: None)
    runtime.start()
    done.wait()
    runtime.stop()


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no child is left to be waited for
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = 1
            try:
                serve(settings)
                code = 0
            finally:
                os._exit(code)
        print(child, flush=True)
    if os.getsid(0) == os.getpid():  # nobody asks any more: no service is left behind
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
