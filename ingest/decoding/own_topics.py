"""On which topics a registered device speaks and is spoken to, where its format's topics name it.

For the rights of its account at the embedded broker. Formats of bridges (Zigbee2MQTT, wmbusmeters, network servers that name
a device in the payload only) are not here: their topics belong to the program that publishes for many devices.
"""

from __future__ import annotations

import re

import msgspec

from campus.device import Device
from campus.site import Site

_PLACE = "{address}"
#: a level of a topic, or several; nothing that a broker would take for a wildcard
_PLAIN = re.compile(r"[^+#\x00-\x1f]+")
_NUMBERED = re.compile(r"topic:(\d+)")

_PUBLISHES: dict[str, tuple[str, ...]] = {
    "tasmota": ("tele/{address}/+", "stat/{address}/+", "{address}/tele/+", "{address}/stat/+"),
    "shelly_gen1": ("shellies/{address}/#", "shellies/announce"),
    "shelly_gen2": ("{address}/status/+", "{address}/events/rpc", "{address}/online"),
    "chirpstack_v4": ("application/+/device/{address}/event/+",),
    "chirpstack_v3": ("application/+/device/{address}/event/+",),
    "milesight_gateway": ("/milesight/uplink/{address}", "milesight/uplink/{address}"),
    "thingpark": ("mqtt/things/{address}/uplink",),
    "aliyun_alink": ("/sys/{address}/thing/event/#",),
    "huawei_iotda": ("$oc/devices/{address}/#",),
    "tuya_tylink": ("tylink/{address}/thing/+/+",),
    "edgelogger": ("device/{address}/up/+",),
}
_HEARS: dict[str, tuple[str, ...]] = {
    "tasmota": ("cmnd/{address}/#", "{address}/cmnd/+"),
    "shelly_gen1": ("shellies/{address}/command", "shellies/{address}/+/+/command", "shellies/command"),
    "shelly_gen2": ("{address}/rpc", "{address}/command", "{address}/command/#"),
    "chirpstack_v4": ("application/+/device/{address}/command/+",),
    "chirpstack_v3": ("application/+/device/{address}/command/+",),
    "aliyun_alink": ("/sys/{address}/thing/service/#", "/sys/{address}/thing/event/+/post_reply"),
    "huawei_iotda": ("$oc/devices/{address}/sys/commands/#",),
    "edgelogger": ("device/{address}/down/+",),
}


class OwnTopics(msgspec.Struct, frozen=True):
    """Topic filters; both empty where the format's topics do not name the device."""

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


def own_topics(device: Device, site: Site) -> OwnTopics:
    """What *device* alone publishes and hears."""
    if not _PLAIN.fullmatch(device.address):
        return OwnTopics()
    if device.decoder in {"generic", "raw_modbus"}:
        return OwnTopics(_mapped(device, site))
    return OwnTopics(*(_named(table.get(device.decoder, ()), device) for table in (_PUBLISHES, _HEARS)))


def _named(patterns: tuple[str, ...], device: Device) -> tuple[str, ...]:
    # a DevEUI is written in either case
    spellings = dict.fromkeys((device.address, device.address.lower()))
    return tuple(pattern.replace(_PLACE, one) for pattern in patterns for one in spellings)


def _mapped(device: Device, site: Site) -> tuple[str, ...]:
    """Where the site's mapping takes the address from a level of the topic."""
    found: list[str] = []
    for source in site.sources:
        mapping = site.mappings.get(source.mapping)
        number = _NUMBERED.fullmatch(mapping.address) if mapping is not None else None
        levels = source.topic.split("/")
        if source.decoder != device.decoder or number is None or int(number[1]) >= len(levels):
            continue
        if levels[int(number[1])] == "+":
            levels[int(number[1])] = device.address
            found.append("/".join(levels))
    return tuple(found)
