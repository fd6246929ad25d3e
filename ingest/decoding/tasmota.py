"""Tasmota: ``tele/NAME/SENSOR`` and ``stat/NAME/STATUS8|10``; times are local without zone."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.document import inner, mapping
from ingest.decoding.fields import value_of
from ingest.decoding.names import Meaning
from ingest.decoding.timestamp import parse, plausible
from ingest.decoding.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_READINGS = {"SENSOR", "STATUS8", "STATUS10", "STATUS0"}
_ENERGY: dict[str, Meaning] = {
    "Total": Meaning(Quantity.ENERGY, "kWh"),
    "Power": Meaning(Quantity.ACTIVE_POWER, "W"),
    "Voltage": Meaning(Quantity.VOLTAGE, "V"),
    "Current": Meaning(Quantity.CURRENT, "A"),
    "Factor": Meaning(Quantity.POWER_FACTOR, "1"),
    "Frequency": Meaning(Quantity.FREQUENCY, "Hz"),
}
_PHASES = ("a", "b", "c")
_TEMPERATURE_UNITS = {"C": "°C", "F": "°F", "K": "K"}
_COUNTER = re.compile(r"C(\d+)")


class Tasmota:
    """Sensor messages; states, results and last wills hold no readings."""

    name: ClassVar[str] = "tasmota"
    topics: ClassVar[tuple[str, ...]] = ("tele/+/+", "stat/+/+")

    def recognises(self, message: Message) -> bool:
        parts = segments(message.topic)
        if len(parts) >= 3 and parts[0] in {"tele", "stat"}:
            return True
        return parts[-1] in _READINGS and b'"' in message.payload

    def decode(self, message: Message, hints: Hints) -> Decoded:
        parts = segments(message.topic)
        if parts[-1] not in _READINGS:
            return Decoded(ignored=f"{parts[-1]} holds no readings")
        address = "/".join(part for part in parts[:-1] if part not in {"tele", "stat"})
        if not address:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        body = mapping(message.payload)
        body = inner(body, "StatusSNS") or body
        time = next(
            (one for key in ("Epoch", "Time") if (one := parse(body.get(key), hints.zone)) is not None), None
        )
        dropped: dict[str, str] = {}
        values = tuple(_values(body, dropped))
        return Decoded((Report(address, plausible(time, message.received_ms), values, dropped),))


def _values(body: dict[str, Any], dropped: dict[str, str]) -> list[Value]:
    values: list[Value] = []
    unit = _TEMPERATURE_UNITS.get(str(body.get("TempUnit", "C")), "°C")
    pressure_unit = str(body.get("PressureUnit", "hPa"))
    for key, one in body.items():
        if not isinstance(one, dict):
            continue
        if key == "ENERGY":
            values += _energy(one, dropped)
        elif key == "COUNTER":
            values += _counters(one, dropped)
        else:
            channel = "device" if key == "ESP32" else key
            values += _sensor(channel, one, unit, pressure_unit, dropped)
    return values


def _sensor(
    name: str,
    one: dict[str, Any],
    unit: str,
    pressure_unit: str,
    dropped: dict[str, str],
) -> list[Value]:
    """One sensor chip: its temperature, humidity and pressure; the dew point is derived, so it is left."""
    wanted = {
        "Temperature": Meaning(Quantity.TEMPERATURE, unit, name),
        "Humidity": Meaning(Quantity.HUMIDITY, "%", name),
        "Pressure": Meaning(Quantity.PRESSURE, pressure_unit, name),
    }
    values = []
    for key, meaning in wanted.items():
        if key in one:
            # ``field`` names the chip, so that a DS18B20's 85 °C and 0 °C are known for what they are
            value = value_of(meaning, f"{name}.{key}", one[key], dropped)
            if value is not None:
                values.append(value)
    return values


def _energy(energy: dict[str, Any], dropped: dict[str, str]) -> list[Value]:
    """The meter; each field is one number, a list by phase, or an object by phase."""
    values: list[Value] = []
    for key, meaning in _ENERGY.items():
        raw = energy.get(key)
        if isinstance(raw, list):
            parts = list(zip(_PHASES, raw, strict=False))
        elif isinstance(raw, dict):
            parts = [(str(name), one) for name, one in raw.items()]
        else:
            parts = [("", raw)]
        for channel, one in parts:
            value = value_of(Meaning(meaning.quantity, meaning.unit, channel), f"ENERGY.{key}", one, dropped)
            if value is not None:
                values.append(value)
    return values


def _counters(counters: dict[str, Any], dropped: dict[str, str]) -> list[Value]:
    names = [key for key in counters if _COUNTER.fullmatch(key)]
    values = []
    for key in names:
        channel = "" if len(names) == 1 else key
        value = value_of(
            Meaning(Quantity.PULSE_COUNT, "count", channel), f"COUNTER.{key}", counters[key], dropped
        )
        if value is not None:
            values.append(value)
    return values
