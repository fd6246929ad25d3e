"""Drill devices: copies of real ones under names and addresses of their own, to exercise beside them.

A drill runs a :class:`simulators.campus.world.World` of such a campus on the live service's clock and broker. What it publishes goes the
real road in the real formats, and never in the name of a real sensor.
"""

from __future__ import annotations

from collections.abc import Iterable

from campus.campus import Campus
from campus.device import Device
from campus.drill import PREFIX, is_drill

__all__ = ["PREFIX", "drill_campus", "drill_device", "is_drill"]

#: in front of the last digits of a DevEUI or a meter number, which are of a fixed length and shape
_EUI_MARK, _NUMBER_MARK = "d211", "99"


def drill_campus(campus: Campus, devices: Iterable[str]) -> Campus:
    """A campus of drill devices that stand where *devices* stand; raises :class:`campus.errors.UnknownDevice`.

    Parents are kept where they are copied, too. Gateways are not: a drill does not take the way of a real one down.
    """
    chosen = [campus.device(one) for one in devices]
    ids = {one.id for one in chosen}
    return Campus(
        site=campus.site,
        devices=[
            drill_device(one, parent=PREFIX + one.parent if one.parent in ids else "") for one in chosen
        ],
        hours=campus.hours,
        rules=campus.rules,
    )


def drill_device(device: Device, *, parent: str = "") -> Device:
    """The copy of one device, with an address its format allows."""
    changed = {
        "id": PREFIX + device.id,
        "name": f"演练 {device.name}",
        "address": _address(device),
        "parent": parent,
        "gateway": "",
    }
    return device.model_copy(update=changed)


def _address(device: Device) -> str:
    address = device.address or device.id
    match device.decoder:
        case "chirpstack_v4" | "tts_v3":
            return _EUI_MARK + address[len(_EUI_MARK) :]
        case "wmbusmeters":
            return _NUMBER_MARK + address[len(_NUMBER_MARK) :]
        case "aliyun_alink":
            product, _, name = address.rpartition("/")
            return f"{product}/{PREFIX}{name}" if product else PREFIX + name
        case _:
            return PREFIX + address
