"""What a browser calls itself, in words a person knows: the program and the machine."""

from __future__ import annotations

#: parts of a browser's own name, those that others copy last
_PROGRAMS = (
    ("MicroMessenger", "WeChat"),
    ("wxwork", "WeCom"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """``Chrome · Windows``; what is not known is shown as it is."""
    program = next((name for mark, name in _PROGRAMS if mark in user_agent), "")
    machine = next((name for mark, name in _MACHINES if mark in user_agent), "")
    return " · ".join(filter(None, (program, machine))) or user_agent[:80]
