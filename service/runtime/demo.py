"""The demonstration: the example school, simulated over real MQTT, and a drill whose alert comes within a minute."""

from __future__ import annotations

from pathlib import Path

import service
from campus.campus import Campus
from campus.clock import SECOND_MS
from campus.device import Device, Kind, Place, Role
from campus.folder import load_campus
from service.errors import DemoMissing
from simulators.drills.freezer import EVERY_MS

_SERVICE = Path(service.__file__).resolve().parent
_INSTALLED = _SERVICE / "examples" / "school"
_IN_CHECKOUT = _SERVICE.parent / "examples" / "school"
#: the example school: inside the package where a wheel was installed, in the repository's root where a checkout runs
DEMO_FOLDER = _INSTALLED if _INSTALLED.exists() else _IN_CHECKOUT
DRILL_FREEZER = "drill-freezer"


def demo_campus() -> Campus:
    """The example school with a drill freezer whose delays are seconds."""
    if not DEMO_FOLDER.exists():
        raise DemoMissing(DEMO_FOLDER)
    school = load_campus(DEMO_FOLDER)
    broker = school.site.broker.model_copy(update={"listen": "127.0.0.1:0"})
    drill = Device(
        id=DRILL_FREEZER,
        name="演练冷冻柜",
        kind=Kind.COLD_STORAGE,
        place=Place(site=school.site.id, building="canteen", floor="1层", room="冷库间"),
        role=Role.CABINET_AIR,
        profile="freezer",
        address="演练冷冻柜",
        decoder="zigbee2mqtt",
        interval_s=EVERY_MS / SECOND_MS,
    )
    seconds = {"for_s": 10, "critical_for_s": 15, "keep_firing_for_s": 10}
    devices = {**dict(school.rules.get("devices") or {}), DRILL_FREEZER: {"cold.above_limit": seconds}}  # type: ignore[call-overload]  # YAML is untyped
    return Campus(
        site=school.site.model_copy(update={"broker": broker}),
        devices=[*school.devices.values(), drill],
        people=school.people.values(),
        roster=school.roster,
        hours=school.hours,
        rules={**school.rules, "devices": devices},
    )
