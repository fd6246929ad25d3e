"""wmbusmeters: flat JSON, the unit in each key's ending, registers named ``total_*``."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.document import mapping, text
from ingest.decoding.fields import first_of_each, value_of
from ingest.decoding.names import Meaning
from ingest.decoding.timestamp import parse, plausible
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_MEANINGS: tuple[tuple[re.Pattern[str], Meaning], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"total_m3", Meaning(Quantity.WATER_VOLUME, "m3")),
        (r"(?:total_)?back(?:ward|flow)(?:_volume)?_m3", Meaning(Quantity.WATER_BACKFLOW_VOLUME, "m3")),
        (r"(?:volume_|current_)?flow_m3h", Meaning(Quantity.WATER_FLOW, "m3/h")),
        (r"max_flow_m3h", Meaning(Quantity.WATER_FLOW, "m3/h", "max")),
        (r"(?:total_energy_consumption|total_energy|energy)_kwh|total_kwh", Meaning(Quantity.ENERGY, "kWh")),
        (r"total_energy_production_kwh", Meaning(Quantity.ENERGY, "kWh", "produced")),
        (r"(?:current_)?power(?:_consumption)?_kw", Meaning(Quantity.ACTIVE_POWER, "kW")),
        (r"(?:flow|forward|supply)_temperature_c", Meaning(Quantity.TEMPERATURE, "°C", "supply")),
        (r"return_temperature_c", Meaning(Quantity.TEMPERATURE, "°C", "return")),
        (r"(?:external|ambient)_temperature_c", Meaning(Quantity.TEMPERATURE, "°C", "ambient")),
        (r"(?:current_)?temperature_c|water_temperature_c", Meaning(Quantity.TEMPERATURE, "°C")),
        (r"(?:current_)?(?:relative_)?humidity_rh", Meaning(Quantity.HUMIDITY, "%")),
        (r"battery(?:_voltage)?_v", Meaning(Quantity.BATTERY_VOLTAGE, "V")),
        (r"rssi_dbm", Meaning(Quantity.SIGNAL_STRENGTH, "dBm")),
    )
)
_PHASED = re.compile(r"(voltage|current|power)_at_phase_([123])_(v|a|kw)")
_PHASES = {"1": "a", "2": "b", "3": "c"}
_PHASED_MEANING = {
    "v": Meaning(Quantity.VOLTAGE, "V"),
    "a": Meaning(Quantity.CURRENT, "A"),
    "kw": Meaning(Quantity.ACTIVE_POWER, "kW"),
}
_METER_CLOCKS = ("meter_datetime", "device_datetime", "meter_date_time", "device_date_time")
_FLAGS = ("status", "current_status", "leak_date", "error_flags", "prev_status")


class WMBusMeters:
    """Telegrams of meters; the topic is the user's, so the body is what is recognised."""

    name: ClassVar[str] = "wmbusmeters"
    topics: ClassVar[tuple[str, ...]] = ("wmbusmeters/+",)

    def recognises(self, message: Message) -> bool:
        head = message.payload[:4096]
        return message.topic.startswith("wmbusmeters/") or (
            b'"meter"' in head and b'"id"' in head and b'"timestamp"' in head and b'"media"' in head
        )

    def decode(self, message: Message, hints: Hints) -> Decoded:
        body = mapping(message.payload)
        address = text(body.get("id"))
        if not address:
            raise Rejected("no_device", "id is missing")
        dropped: dict[str, str] = {}
        clocks = (parse(body.get(key), hints.zone) for key in ("timestamp", *_METER_CLOCKS))
        time_ms = next((one for one in clocks if plausible(one, message.received_ms) is not None), None)
        flags = {key: str(body[key])[:200] for key in _FLAGS if body.get(key) not in {None, "", "OK", "null"}}
        values = tuple(_values(body, dropped))
        return Decoded((Report(address, time_ms, values, dropped, flags),))


def _values(body: dict[str, Any], dropped: dict[str, str]) -> list[Value]:
    values = []
    gas = text(body.get("media")) == "gas"
    for key, raw in body.items():
        found = _meaning(key, text(body.get("meter")))
        if found is None:
            continue
        if gas and found.quantity == Quantity.WATER_VOLUME:
            found = Meaning(Quantity.GAS_VOLUME, "m3")
        value = value_of(found, key, raw, dropped)
        if value is not None:
            values.append(value)
    return first_of_each(values)


def _meaning(key: str, driver: str) -> Meaning | None:
    phased = _PHASED.fullmatch(key)
    if phased is not None:
        base = _PHASED_MEANING[phased[3]]
        return Meaning(base.quantity, base.unit, _PHASES[phased[2]])
    if key == "voltage_v":
        # a water or heat meter has no mains: its volts are the battery's
        mains = "energy" in driver or driver in {"amiplus", "abbb23", "em24", "ebzwmbe", "esyswm"}
        return Meaning(Quantity.VOLTAGE if mains else Quantity.BATTERY_VOLTAGE, "V")
    return next((meaning for pattern, meaning in _MEANINGS if pattern.fullmatch(key)), None)
