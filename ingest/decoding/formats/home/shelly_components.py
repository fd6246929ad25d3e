"""The components of a Shelly that measure: what each field means, and on which channel."""

from __future__ import annotations

import re
from typing import Any

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.wire.document import inner
from ingest.message import Value

COMPONENT = re.compile(r"([a-z][a-z0-9_]*):(\d+)")
_PHASE_KEY = re.compile(r"([abcn])_(.+)")
#: fields of a component with one circuit
_CIRCUIT: dict[str, Meaning] = {
    "apower": Meaning(Quantity.ACTIVE_POWER, "W"),
    "act_power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "voltage": Meaning(Quantity.VOLTAGE, "V"),
    "current": Meaning(Quantity.CURRENT, "A"),
    "pf": Meaning(Quantity.POWER_FACTOR, "1"),
    "freq": Meaning(Quantity.FREQUENCY, "Hz"),
    "total_act_energy": Meaning(Quantity.ENERGY, "Wh"),
    "output": Meaning(Quantity.SWITCH, "bool"),
}
_TOTALS: dict[str, Meaning] = {
    "total_act_power": Meaning(Quantity.ACTIVE_POWER, "W", "total"),
    "total_current": Meaning(Quantity.CURRENT, "A", "total"),
    "total_act": Meaning(Quantity.ENERGY, "Wh", "total"),
    "total_act_ret": Meaning(Quantity.ENERGY, "Wh", "produced"),
}
_CIRCUITS = {"switch", "pm1", "em1", "em1data", "cover", "light", "cct", "rgb", "rgbw"}
_ENERGY = Meaning(Quantity.ENERGY, "Wh")
_TEMPERATURE = Meaning(Quantity.TEMPERATURE, "°C")


class Components:
    """Collects the values of one device's components. *case*: its ``temperature:0`` is its own case."""

    def __init__(self, *, case: bool, device: Device | None) -> None:
        self._case = case
        self._device = device
        self.values: list[Value] = []
        self.dropped: dict[str, str] = {}
        self.flags: dict[str, str] = {}

    def add(self, name: str, one: object) -> None:
        """Reads component *name*; those that hold no readings are passed over."""
        match = COMPONENT.fullmatch(name)
        if match is None or not isinstance(one, dict):
            return
        errors = one.get("errors")
        if isinstance(errors, list) and errors:
            self.flags[name] = ", ".join(str(error)[:64] for error in errors[:8])
        if match[1] in _CIRCUITS:
            # em1data holds the register of em1, so both are one channel
            self._circuit(f"{match[1].removesuffix('data')}:{match[2]}", one)
        elif match[1] in {"em", "emdata"}:
            self._three_phase(name, one)
        else:
            self._sensor(match[1], match[2], one)

    def _circuit(self, channel: str, one: dict[str, Any]) -> None:
        for key, meaning in _CIRCUIT.items():
            self._take(meaning, channel, f"{channel}.{key}", one.get(key))
        for key, suffix in (("aenergy", ""), ("ret_aenergy", ".produced")):
            self._take(_ENERGY, channel + suffix, f"{channel}.{key}.total", inner(one, key).get("total"))
        returned = one.get("total_act_ret_energy")
        self._take(_ENERGY, f"{channel}.produced", f"{channel}.total_act_ret_energy", returned)
        # the device's own case, never the room's
        self._take(_TEMPERATURE, "device", f"{channel}.temperature", inner(one, "temperature").get("tC"))

    def _three_phase(self, name: str, one: dict[str, Any]) -> None:
        for key, raw in one.items():
            match = _PHASE_KEY.fullmatch(key)
            if match is not None and match[2] in _CIRCUIT:
                self._take(_CIRCUIT[match[2]], match[1], f"{name}.{key}", raw)
            elif match is not None and match[2] == "total_act_ret_energy":
                self._take(_ENERGY, f"{match[1]}.produced", f"{name}.{key}", raw)
            elif key in _TOTALS:
                self._take(_TOTALS[key], _TOTALS[key].channel, f"{name}.{key}", raw)

    def _sensor(self, kind: str, number: str, one: dict[str, Any]) -> None:
        # sensors of an add-on are numbered from 100
        channel = "" if number in {"0", "100"} else number
        field = f"{kind}:{number}"
        match kind:
            case "temperature":
                inside = self._case and number == "0"
                probe = self._case and number == "100"
                where = "device" if inside else "probe" if probe else channel
                fahrenheit = one.get("tC") is None
                meaning = Meaning(Quantity.TEMPERATURE, "°F") if fahrenheit else _TEMPERATURE
                self._take(meaning, where, field, one.get("tF" if fahrenheit else "tC"))
            case "humidity":
                self._take(Meaning(Quantity.HUMIDITY, "%"), channel, field, one.get("rh"))
            case "flood":
                self._take(Meaning(Quantity.LEAK_DETECTED, "bool"), channel, field, one.get("alarm"))
            case "devicepower":
                battery = inner(one, "battery")
                self._take(
                    Meaning(Quantity.BATTERY_LEVEL, "%"), channel, f"{field}.percent", battery.get("percent")
                )
                self._take(Meaning(Quantity.BATTERY_VOLTAGE, "V"), channel, f"{field}.V", battery.get("V"))
            case "voltmeter":
                self._take(Meaning(Quantity.VOLTAGE, "V"), field, field, one.get("voltage"))
            case "input":
                pulses = inner(one, "counts").get("total")
                self._take(Meaning(Quantity.PULSE_COUNT, "count"), channel, f"{field}.counts.total", pulses)
            case _:
                return

    def _take(self, meaning: Meaning, channel: str, field: str, raw: object) -> None:
        found = registered(field, self._device) or meaning._replace(channel=channel)
        value = value_of(found, field, raw, self.dropped)
        if value is not None:
            self.values.append(value)
