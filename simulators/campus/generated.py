"""A campus of any size that no school has: for measurements, load, and a year in which everything goes wrong.

Rounds of six buildings (two for teaching, a dormitory, a canteen, an office, once a boiler house) are added until there are
enough devices. They speak the formats of the example school, in about its proportions.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

from campus.calendar.calendar import SchoolCalendar
from campus.calendar.timetable import CalendarSettings
from campus.campus import Campus
from campus.device import Device, FieldMapping, Kind, Place, Role
from campus.site import Building, Site

_THREE_PHASE_FIELDS = {
    "Ep": ("energy", "kWh", "total"), "P": ("active_power", "kW", "total"),
    "Ua": ("voltage", "V", "a"), "Ub": ("voltage", "V", "b"), "Uc": ("voltage", "V", "c"),
    "Ia": ("current", "A", "a"), "Ib": ("current", "A", "b"), "Ic": ("current", "A", "c"),
    "IL": ("residual_current", "mA", ""),
}  # fmt: skip
_MAPPINGS = {
    "boiler-plc": {
        "address": "topic:1",
        "time": {"path": "ts", "format": "epoch"},
        "fields": {
            "data.temp": {"quantity": "temperature", "unit": "°C"},
            "data.kw": {"quantity": "active_power", "unit": "kW", "channel": "total"},
            "data.kwh": {"quantity": "energy", "unit": "kWh", "channel": "total"},
        },
    }
}
_SOURCES = [
    ("zigbee2mqtt/#", "zigbee2mqtt", ""),
    ("application/+/device/+/event/+", "chirpstack_v4", ""),
    ("v3/+/devices/+/up", "tts_v3", ""),
    ("tele/+/+", "tasmota", ""),
    ("+/status/+", "shelly_gen2", ""),
    ("wmbusmeters/+", "wmbusmeters", ""),
    ("/sys/+/+/thing/event/property/post", "aliyun_alink", ""),
    ("factory/+/data", "generic", "boiler-plc"),
]
_USES = {
    "teaching": "教学楼",
    "dormitory": "宿舍楼",
    "canteen": "食堂",
    "office": "行政楼",
    "boiler_house": "锅炉房",
}
#: half of Q3 of the main meter, for each round of buildings (assumed)
_MAIN_M3H = 16.0
_ROUND = ("teaching", "teaching", "dormitory", "canteen", "office")


def generated_campus(
    devices: int, *, year: int, interval_s: float = 60, site_id: str = "simulated"
) -> Campus:
    """A campus with *devices* speaking devices, terms around *year*, and no people."""
    rounds = _Rounds(site_id, interval_s)
    chosen: list[Device] = []
    speaking = 0
    for one in rounds.devices():
        speaking += one.kind is not Kind.GATEWAY
        chosen.append(one)
        if speaking >= devices:
            break
    ids = {one.id for one in chosen}
    chosen = [one if one.parent in ids else one.model_copy(update={"parent": ""}) for one in chosen]
    site = Site.model_validate(
        {
            "id": site_id,
            "name": "模拟学校",
            "buildings": [one.model_dump() for one in rounds.buildings],
            "tariffs": {"water_yuan_m3": 4.1, "electricity_yuan_kwh": 0.56},
            "sources": [{"topic": topic, "decoder": name, "mapping": of} for topic, name, of in _SOURCES],
            "mappings": _MAPPINGS,
            "channels": {"console": {"kind": "console"}, "phone": {"kind": "phone_page"}},
            "routes": [{"severity": "warning", "channels": ["phone"]}],
        }
    )
    hours = SchoolCalendar(school_terms(year), {one.id: one.use for one in rounds.buildings}, site.zone)
    return Campus(site=site, devices=chosen, hours=hours, rules=_limits(rounds.number))


def _limits(rounds: int) -> dict[str, Any]:
    """What differs from the rules' defaults: the main meter carries every building."""
    limit_m3h = _MAIN_M3H * (rounds + 1)
    return {"devices": {"water-main": {"water.burst": {"limit_m3h": limit_m3h, "most_m3h": 10 * limit_m3h}}}}


def school_terms(year: int) -> CalendarSettings:
    """Boarding school terms from the autumn before *year* to the summer after it (days as in most years; assumed)."""
    terms: list[Any] = []
    for first in range(year - 1, year + 2):
        autumn = {"name": f"{first}-1", "from": dt.date(first, 9, 1), "to": dt.date(first + 1, 1, 20)}
        spring = {"name": f"{first}-2", "from": dt.date(first + 1, 3, 1), "to": dt.date(first + 1, 7, 8)}
        terms += [autumn, spring]
    return CalendarSettings.model_validate({"boarding": True, "terms": terms})


class _Rounds:
    """Building after building, device after device, without end."""

    def __init__(self, site: str, interval_s: float) -> None:
        self.buildings: list[Building] = []
        self._site = site
        self._interval_s = interval_s
        self._count = 0
        self.number = 0
        self._gateway = ""

    def devices(self) -> Iterator[Device]:
        """Each gateway comes before the first device behind it."""
        for self.number in itertools.count(1):
            number = self.number
            self._gateway = f"gw-{number}"
            yield self._device(self._gateway, f"LoRa网关{number}", Kind.GATEWAY, "", "", gateway="")
            if number == 1:
                yield from self._boiler_house()
            for index, use in enumerate(_ROUND):
                yield from self._building(use, f"{use}-{number}-{index + 1}")

    def _building(self, use: str, building: str) -> Iterator[Device]:
        name = self._stands(use, building)
        yield self._water(f"water-{building}", f"{name}水表", building)
        yield self._device(
            f"elec-{building}",
            f"{name}电表",
            Kind.ELECTRICITY_METER,
            building,
            "shelly_gen2",
            rated_current_a=250,
        )
        match use:
            case "teaching":
                yield from self._teaching(building, name)
            case "dormitory":
                yield from self._dormitory(building, name)
            case "canteen":
                yield from self._canteen(building, name)
            case _:
                yield from self._office(building, name)

    def _teaching(self, building: str, name: str) -> Iterator[Device]:
        for floor in (1, 2, 3):
            yield self._device(
                f"light-{building}-{floor}",
                f"{name}{floor}层照明",
                Kind.ELECTRICITY_METER,
                building,
                "tasmota",
                rated_current_a=63,
            )
        yield from self._probes(building, name)
        for floor in (1, 3):
            yield self._room(f"room-{building}-{floor}", f"{name}{floor}层室温", building)

    def _dormitory(self, building: str, name: str) -> Iterator[Device]:
        for floor in (1, 2, 3):
            yield self._lora(f"water-{building}-{floor}", f"{name}{floor}层水表", Kind.WATER_METER, building, "EM300-DI",
                             parent=f"water-{building}", pulse_weight=0.01)  # fmt: skip
        for plug in (1, 2):
            yield self._device(
                f"plug-{building}-{plug}",
                f"{name}插座{plug}",
                Kind.ELECTRICITY_METER,
                building,
                "zigbee2mqtt",
                rated_current_a=40,  # its usual evening peak is 25 A
            )
        yield from self._probes(building, name)
        yield self._device(
            f"space-{building}", f"{name}水箱间", Kind.PIPE_PROBE, building, "tasmota", role=Role.PIPE_SPACE
        )
        for floor in (1, 3):
            yield self._room(f"room-{building}-{floor}", f"{name}{floor}层室温", building)

    def _canteen(self, building: str, name: str) -> Iterator[Device]:
        for number in (1, 2, 3, 4):
            yield self._device(f"freezer-{building}-{number}", f"{name}冷冻柜{number}", Kind.COLD_STORAGE, building, "zigbee2mqtt",
                               role=Role.CABINET_AIR, profile="freezer")  # fmt: skip
            yield self._lora(f"fridge-{building}-{number}", f"{name}冷藏柜{number}", Kind.COLD_STORAGE, building, "EM300-TH",
                             role=Role.CABINET_AIR, profile="fridge", decoder="tts_v3")  # fmt: skip
        for number in (1, 2):
            yield self._device(f"sample-{building}-{number}", f"{name}留样柜{number}", Kind.COLD_STORAGE, building, "zigbee2mqtt",
                               role=Role.CABINET_AIR, profile="sample_cabinet")  # fmt: skip
        yield self._room(f"room-{building}", f"{name}后厨", building)

    def _office(self, building: str, name: str) -> Iterator[Device]:
        fields = {key: FieldMapping(quantity=what, unit=unit, channel=channel)
                  for key, (what, unit, channel) in _THREE_PHASE_FIELDS.items()}  # fmt: skip
        identifier = f"a1B2c3/{building}"
        yield self._device(f"panel-{building}", f"{name}配电柜", Kind.ELECTRICITY_METER, building, "aliyun_alink", address=identifier,
                           fields=fields, rated_current_a=160)  # fmt: skip
        yield from self._probes(building, name)
        yield self._lora(
            f"outdoor-{building}",
            f"{name}室外",
            Kind.CLIMATE,
            building,
            "EM300-TH",
            role=Role.OUTDOOR,
            decoder="tts_v3",
        )
        for floor in (1, 2):
            yield self._room(f"room-{building}-{floor}", f"{name}{floor}层室温", building)

    def _boiler_house(self) -> Iterator[Device]:
        building = "boiler"
        name = self._stands("boiler_house", building)
        yield self._device(
            "water-main", "学校总水表", Kind.WATER_METER, building, "wmbusmeters", register_modulus=100_000
        )
        yield self._device(
            "water-boiler",
            "锅炉补水表",
            Kind.WATER_METER,
            building,
            "tasmota",
            parent="water-main",
            pulse_weight=0.001,
        )
        yield self._device(
            "elec-boiler", f"{name}电表", Kind.ELECTRICITY_METER, building, "generic", rated_current_a=100
        )
        yield self._device(
            "boiler-supply", "供暖供水温度", Kind.BOILER, building, "generic", role=Role.HEATING_SUPPLY
        )
        yield self._device(
            "boiler-return", "供暖回水温度", Kind.BOILER, building, "generic", role=Role.HEATING_RETURN
        )

    def _stands(self, use: str, building: str) -> str:
        name = _USES[use] if use == "boiler_house" else f"{_USES[use]}{building.split('-', 1)[1]}"
        self.buildings.append(Building.model_validate({"id": building, "name": name, "use": use}))
        return name

    def _probes(self, building: str, name: str) -> Iterator[Device]:
        for number, profile in ((1, ""), (2, "exposed_pipe")):
            yield self._lora(f"pipe-{building}-{number}", f"{name}管壁{number}", Kind.PIPE_PROBE, building, "EM500-PT100",
                             role=Role.PIPE_WALL, profile=profile)  # fmt: skip

    def _room(self, device: str, name: str, building: str) -> Device:
        return self._device(device, name, Kind.CLIMATE, building, "zigbee2mqtt", role=Role.ROOM)

    def _water(self, device: str, name: str, building: str) -> Device:
        return self._device(device, name, Kind.WATER_METER, building, "wmbusmeters", parent="water-main", register_modulus=100_000,
                            address=f"{33_000_000 + self._count:08}")  # fmt: skip

    def _lora(self, device: str, name: str, kind: Kind, building: str, model: str, **more: Any) -> Device:
        more = {"decoder": "chirpstack_v4", "gateway": self._gateway, "model": model} | more
        return self._device(device, name, kind, building, address=f"24e124{self._count:010x}", **more)

    def _device(
        self, device: str, name: str, kind: Kind, building: str, decoder: str = "", **more: Any
    ) -> Device:
        self._count += 1
        place = Place(site=self._site, building=building)
        given = {"address": "" if kind is Kind.GATEWAY else device, "interval_s": self._interval_s} | more
        return Device(id=device, name=name, kind=kind, place=place, decoder=decoder, **given)
