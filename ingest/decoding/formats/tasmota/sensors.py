"""The sensors of a Tasmota message. Each sensor chip is an object of its own, and its name is the channel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.formats.tasmota.script import is_script, script_meaning
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.reading.number import number
from ingest.message import Value

_ENERGY: dict[str, Meaning] = {
    "Total": Meaning(Quantity.ENERGY, "kWh"),
    "ImportActive": Meaning(Quantity.ENERGY, "kWh", "import"),
    "ExportActive": Meaning(Quantity.ENERGY, "kWh", "produced"),
    "Power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "Voltage": Meaning(Quantity.VOLTAGE, "V"),
    "Current": Meaning(Quantity.CURRENT, "A"),
    "Factor": Meaning(Quantity.POWER_FACTOR, "1"),
    "Frequency": Meaning(Quantity.FREQUENCY, "Hz"),
}
#: registers by tariff: a list of two, off-peak first
_TARIFFS = {"TotalTariff": "tariff", "ExportTariff": "produced_tariff"}
#: current transformer on the analogue input; its register is called Energy
_TRANSFORMER = {name: _ENERGY[name] for name in ("Power", "Voltage", "Current")} | {
    "Energy": _ENERGY["Total"]
}
#: fields of any other sensor, with the number some carry (``Temperature1``); the dew point is derived, so it is left
_SENSOR: dict[str, Meaning] = {
    "Temperature": Meaning(Quantity.TEMPERATURE, ""),
    "Humidity": Meaning(Quantity.HUMIDITY, "%"),
    "Pressure": Meaning(Quantity.PRESSURE, ""),
    "Voltage": Meaning(Quantity.VOLTAGE, "V"),
    "Current": Meaning(Quantity.CURRENT, "A"),
    "Power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "Battery": Meaning(Quantity.BATTERY_LEVEL, "%"),
    "BatteryPercentage": Meaning(Quantity.BATTERY_LEVEL, "%"),
    "BatteryVoltage": Meaning(Quantity.BATTERY_VOLTAGE, "V"),
    "ProbeTemperature": Meaning(Quantity.TEMPERATURE, ""),  # a thermocouple's, beside its own chip's
    "ObjectTemperature": Meaning(Quantity.TEMPERATURE, ""),
    "Contact": Meaning(Quantity.DOOR_OPEN, "bool"),
}
_NUMBERED = re.compile(r"([A-Za-z]+?)([0-9]{0,2})")
_COUNTER = re.compile(r"C(\d+)")
_TEMPERATURE_UNITS = {"C": "°C", "F": "°F", "K": "K"}
_PHASES = ("a", "b", "c")
_MOST_CIRCUITS, _MOST_TARIFFS = 32, 4
#: chips whose temperature is their own
_INSIDE = {"ESP32", "ESP8266", "BL09XX", "ADE7880", "ADE7953", "CSE7761"}


_OWN = {"ENERGY", "COUNTER", "ANALOG", "FLOWRATEMETER"}
_CONTAINERS = (list, dict)


class Sensors:
    """The values of one message's *body*, and why other fields are none."""

    __slots__ = ("_body", "_device", "_explained", "_several", "dropped", "values")

    def __init__(self, body: dict[str, Any], device: Device | None) -> None:
        self.values: list[Value] = []
        self.dropped: dict[str, str] = {}
        self._device = device
        #: the register says what some fields mean
        self._explained = device is not None and bool(device.fields)
        self._body = body
        scripts = [
            name
            for name, one in body.items()
            if name not in _OWN and isinstance(one, dict) and is_script(one)
        ]
        self._several = len(scripts) > 1
        for name, one in body.items():
            if not isinstance(one, dict):
                self._top(name, one)
            elif name == "ENERGY":
                self._energy(one)
            elif name == "COUNTER":
                self._counters(one)
            elif name == "ANALOG":
                self._analog(one)
            elif name == "FLOWRATEMETER":
                self._flow(one)
            elif name in scripts:
                self._script(name, one)
            else:
                self._sensor("device" if name in _INSIDE else name, name, one)

    def _unit(self, quantity: str) -> str:
        """The unit that the message states once for all its sensors."""
        if quantity == Quantity.PRESSURE:
            return str(self._body.get("PressureUnit", "hPa"))
        return _TEMPERATURE_UNITS.get(str(self._body.get("TempUnit", "C")), "°C")

    def _top(self, name: str, raw: object) -> None:
        """``Switch1`` and other bare fields mean what the register says, or nothing."""
        if self._device is not None and name in self._device.fields and not isinstance(raw, list):
            self._take(None, name, raw)

    def _script(self, name: str, one: dict[str, Any]) -> None:
        """A meter that a script reads; several on one board are told apart by their names."""
        for key, raw in one.items():
            if isinstance(raw, dict | list):
                continue
            meaning = script_meaning(key)
            if meaning is not None:
                parts = (name if self._several else "", meaning.channel)
                meaning = meaning._replace(channel="_".join(part for part in parts if part))
            if isinstance(raw, str) and number(raw) is None:
                continue  # the meter's number and other texts
            self._take(meaning, f"{name}.{key}", raw)

    def _sensor(self, channel: str, name: str, one: dict[str, Any]) -> None:
        for key, raw in one.items():
            match = _NUMBERED.fullmatch(key)
            meaning = _SENSOR.get(match[1]) if match is not None else None
            if match is not None and meaning is not None:
                unit = meaning.unit or self._unit(meaning.quantity)
                self._take(Meaning(meaning.quantity, unit, channel + match[2]), f"{name}.{key}", raw)
            elif self._device is not None and not isinstance(raw, dict | list):
                # scripted meters (SML) name their fields themselves: the register says what they mean
                self._take(None, f"{name}.{key}", raw)

    def _energy(self, energy: dict[str, Any]) -> None:
        """The meter; each field is one number, a list by phase, or an object by phase."""
        for key, raw in energy.items():
            meaning = _ENERGY.get(key)
            if meaning is None:
                if key in _TARIFFS:
                    self._tariffs(key, raw if isinstance(raw, list) else [raw])
                continue
            if not isinstance(raw, _CONTAINERS):
                self._take(meaning, f"ENERGY.{key}", raw)
                continue
            for part, one in _parts(raw):
                channel = f"{part}_{meaning.channel}" if meaning.channel else part
                self._take(meaning._replace(channel=channel), f"ENERGY.{key}.{part}", one)

    def _tariffs(self, key: str, raw: list[Any]) -> None:
        for order, one in enumerate(raw[:_MOST_TARIFFS], 1):
            self._take(
                Meaning(Quantity.ENERGY, "kWh", f"{_TARIFFS[key]}{order}"), f"ENERGY.{key}.{order}", one
            )

    def _counters(self, counters: dict[str, Any]) -> None:
        names = [key for key in counters if _COUNTER.fullmatch(key)]
        for key in names:
            channel = "" if len(names) == 1 else key
            self._take(Meaning(Quantity.PULSE_COUNT, "count", channel), f"COUNTER.{key}", counters[key])

    def _analog(self, analog: dict[str, Any]) -> None:
        """Raw steps (``A0``) mean nothing by themselves; a thermistor or current transformer does."""
        self._sensor(
            "ANALOG", "ANALOG", {key: raw for key, raw in analog.items() if not isinstance(raw, dict)}
        )
        for key, one in analog.items():
            if key.startswith("CTEnergy") and isinstance(one, dict):
                channel = key.removeprefix("CTEnergy")
                for name, meaning in _TRANSFORMER.items():
                    self._take(meaning._replace(channel=channel), f"ANALOG.{key}.{name}", one.get(name))

    def _flow(self, meter: dict[str, Any]) -> None:
        unit = {"l/min": "L/min", "m3/h": "m3/h", "m³/h": "m3/h"}.get(
            str(meter.get("Unit", "l/min")), "L/min"
        )
        rates = meter.get("Rate")
        for order, raw in enumerate(rates if isinstance(rates, list) else [rates], 1):
            channel = "" if not isinstance(rates, list) or len(rates) == 1 else str(order)
            self._take(Meaning(Quantity.WATER_FLOW, unit, channel), "FLOWRATEMETER.Rate", raw)

    def _take(self, meaning: Meaning | None, field: str, raw: object) -> None:
        found = (registered(field, self._device) if self._explained else None) or meaning
        if found is None:
            return
        value = value_of(found, field, raw, self.dropped)
        if value is not None:
            self.values.append(value)


def _parts(raw: list[Any] | dict[str, Any]) -> Iterator[tuple[str, object]]:
    """What one field of the meter says, by phase."""
    if isinstance(raw, list):
        # a Sonoff SPM has up to 32 circuits; three and fewer are phases, or the channels of a double relay
        names = _PHASES if len(raw) <= len(_PHASES) else [str(order + 1) for order in range(_MOST_CIRCUITS)]
        yield from zip(names, raw, strict=False)
    else:
        yield from ((str(name), one) for name, one in raw.items())
