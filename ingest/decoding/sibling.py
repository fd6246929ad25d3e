"""Topics beside the readings that no decoder has to look at: discovery, and the broker's own."""

from __future__ import annotations

import re

_HOME_ASSISTANT = re.compile(r"[^/]+/[^/]+(?:/[^/]+){1,2}/config")
_COMPONENTS = frozenset(
    [
        "alarm_control_panel",
        "binary_sensor",
        "button",
        "camera",
        "climate",
        "cover",
        "device",
        "device_automation",
        "device_tracker",
        "event",
        "fan",
        "humidifier",
        "image",
        "lawn_mower",
        "light",
        "lock",
        "number",
        "scene",
        "select",
        "sensor",
        "siren",
        "switch",
        "tag",
        "text",
        "update",
        "vacuum",
        "valve",
        "water_heater",
    ]
)


def sibling(topic: str) -> str:
    """Why messages on *topic* hold no readings whatever their payload; "" for topics that may."""
    if topic.startswith("$SYS/"):
        return "the broker's own statistics"
    if topic.startswith("tasmota/discovery/"):
        return "Tasmota's discovery"
    if topic == "shellies/announce":
        return "Shelly's announcement"
    if topic == "homeassistant/status":
        return "Home Assistant's own state"
    if _HOME_ASSISTANT.fullmatch(topic) and topic.split("/")[1] in _COMPONENTS:
        return "Home Assistant's discovery"
    return ""
