"""The service with a decoder, a rule and a channel that each kill the process on a particular input."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from kill_child import kill_campus, main, serve

from alerts.channels.phone_page import PhonePageChannel
from campus.campus import Campus
from campus.site import Route
from ingest.decoding.formats.home.zigbee2mqtt import Zigbee2Mqtt
from rules.cold.above_limit import AboveLimit

#: what kills: a message with this text, this value of a fridge, and a message to people about that fridge
POISON = b"poison"
POISON_C = 33.25
DEADLY_FRIDGE, UNTOLD = "fridge-1", "F2"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _campus(port: int) -> Campus:
    campus = kill_campus(port)
    site = campus.site.model_copy(
        update={
            "channels": campus.site.channels | {"console": {"kind": "console"}},
            "routes": (Route(severity="warning", channels=["phone"], fallback=["console"]),),
        }
    )
    site = type(site).model_validate(site.model_dump())
    return Campus(site=site, devices=list(campus.devices.values()), rules=campus.rules)


def _poison() -> None:
    decode, judge, send = Zigbee2Mqtt.decode, AboveLimit.on_reading, PhonePageChannel.send

    def deadly_decode(self: Any, message: Any, hints: Any) -> Any:
        if POISON in message.payload:
            _die()
        return decode(self, message, hints)

    def deadly_rule(self: Any, state: Any, reading: Any, context: Any) -> Any:
        if context.device.id == DEADLY_FRIDGE and reading.value == POISON_C:
            _die()
        return judge(self, state, reading, context)

    def deadly_channel(self: Any, message: Any, recipient: Any, *, doubtful: bool = False) -> Any:
        if message.what == UNTOLD:
            _die()
        return send(self, message, recipient, doubtful=doubtful)

    Zigbee2Mqtt.decode = deadly_decode  # type: ignore[method-assign]  # what this program is for
    AboveLimit.on_reading = deadly_rule  # type: ignore[method-assign]
    PhonePageChannel.send = deadly_channel  # type: ignore[method-assign]


def serve_poison(data: Path, port: int) -> None:
    """The service, until it dies."""

    def write(text: str) -> None:
        with (data / "console.txt").open("a", encoding="utf-8") as file:
            file.write(text)

    _poison()
    serve(data, port, campus=_campus, write=write)


if __name__ == "__main__":
    main(serve_poison)
