"""Topics beside the readings that no decoder has to look at: announcements, and the broker's own."""

from __future__ import annotations


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
    return ""
