"""What the fields of rtl_433 mean: the unit is the key's ending (``temperature_C``, ``power_W``), and numbers tell probes apart.

Source: github.com/merbanan/rtl_433, docs/DATA_FORMAT.md and the decoders' own output fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.formats.radio.ert import commodity, register_value
from ingest.decoding.reading.fields import first_of_each, registered, value_of, without_full_scale
from ingest.decoding.reading.names import Meaning
from ingest.message import Value

_UNITS = {
    "C": "°C", "F": "°F", "W": "W", "A": "A", "V": "V", "mV": "mV", "kWh": "kWh", "Hz": "Hz", "hPa": "hPa", "kPa": "kPa",
    "PSI": "psi", "psi": "psi", "m3": "m3", "gal": "gal", "l": "L", "pct": "%",
}  # fmt: skip
_QUANTITY = {
    "temperature": Quantity.TEMPERATURE, "temp": Quantity.TEMPERATURE, "ambient": Quantity.TEMPERATURE,
    "power": Quantity.ACTIVE_POWER, "current": Quantity.CURRENT, "voltage": Quantity.VOLTAGE, "frequency": Quantity.FREQUENCY,
    "energy": Quantity.ENERGY, "total": Quantity.ENERGY, "cumulative": Quantity.ENERGY, "reading": Quantity.ENERGY,
    "pressure": Quantity.PRESSURE, "volume": Quantity.WATER_VOLUME, "battery": Quantity.BATTERY_VOLTAGE,
}  # fmt: skip
_KEY = re.compile(
    r"([a-z]+)_?([0-9]{1,2})?(?:_(int|amb))?_(C|F|W|A|V|mV|kWh|Hz|hPa|kPa|PSI|psi|m3|gal|pct)(?:_(ext))?"
)
_PLACES = {"int": "internal", "amb": "ambient", "ext": "external"}
_LEAK, _DOOR = Meaning(Quantity.LEAK_DETECTED, "bool"), Meaning(Quantity.DOOR_OPEN, "bool")
_PULSES = Meaning(Quantity.PULSE_COUNT, "count")
_NAMED: dict[str, Meaning] = {
    "humidity": Meaning(Quantity.HUMIDITY, "%"),
    "humidity_1": Meaning(Quantity.HUMIDITY, "%", "1"),
    "humidity_2": Meaning(Quantity.HUMIDITY, "%", "2"),
    "water": _LEAK,
    "detect_wet": _LEAK,
    "leak_detected": _LEAK,
    "leaking": _LEAK,
    "contact_open": _DOOR,
    "opened": _DOOR,
    "reed_open": Meaning(Quantity.DOOR_OPEN, "bool", "reed"),
    "impulses_total": _PULSES,
    "pulse": _PULSES,
}
_BATTERY_OK = "battery_ok"
#: where one decoder gives a key another meaning, or none: these are rates, heaters' words and intervals
_BY_MODEL: dict[str, dict[str, Meaning | None]] = {
    "Voltcraft-EC3k": {
        "power": Meaning(Quantity.ACTIVE_POWER, "W"),
        "energy": Meaning(Quantity.ENERGY, "kWh"),
    },
    "Fineoffset-WH55": {"alarm": _LEAK},
    "Bresser-Leakage": {"alarm": _LEAK},
    "Norgo-NGE101": {"impulses": _PULSES},
    "Blueline-PowerCost": {"impulses": _PULSES},
    "Ikea-Sparsnas": {"pulses": _PULSES},
    "Efergy-Optical": {"energy_kWh": None},  # power over the past interval, by its own source
    "Vaillant-VRT340f": {"water": None},
    "Oria-WA150KM": {"temperature": Meaning(Quantity.TEMPERATURE, "°C")},
}
#: registers of meters, with the key that says the kind, or what they meter
_REGISTERS = (
    "Consumption",
    "consumption_data",
    "consumption",
    "LastConsumptionCount",
    "LastGenerationCount",
    "reading",
    "volume",
)
_WATER_METERS = ("Neptune", "Badger", "Orion", "Arad", "Mueller")
_FLAGS = ("leak", "leaknow", "backflow", "nouse", "tamper", "physical_tamper", "encoder_tamper", "probe_fail")


def field_values(
    body: Mapping[str, object], model: str, device: Device | None, dropped: dict[str, str]
) -> list[Value]:
    """All values of one message's fields; registers of meters by their endpoint type."""
    values: list[Value] = []
    for key, raw in body.items():
        if isinstance(raw, dict | list):
            continue
        value = _value(key, raw, body, model, device, dropped)
        if value is not None:
            values.append(value)
    return first_of_each(without_full_scale(values, dropped))


def flags_of(body: Mapping[str, object]) -> dict[str, str]:
    """The device's own words on its state, where they say something."""
    said = {key: body[key] for key in _FLAGS if isinstance(body.get(key), int | str)}
    return {key: str(raw)[:64] for key, raw in said.items() if raw not in {0, "", "0x0000"}}


def _value(
    key: str, raw: object, body: Mapping[str, object], model: str, device: Device | None, dropped: dict[str, str]
) -> Value | None:  # fmt: skip
    said = registered(key, device)
    if said is not None:
        return value_of(said, key, raw, dropped)
    own = _BY_MODEL.get(model, {})
    if key in own:
        found = own[key]
        return None if found is None else value_of(found, key, raw, dropped)
    if key == _BATTERY_OK:
        return _battery_ok(raw)
    if key in _REGISTERS:
        channel = "produced" if key == "LastGenerationCount" else ""
        return register_value(_metered(body, model), key, raw, device, dropped, channel)
    found = _NAMED.get(key) or _by_ending(key)
    return None if found is None else value_of(found, key, raw, dropped)


def _battery_ok(raw: object) -> Value | None:
    """1 and 0 mean good and low; a figure between them is a level (DATA_FORMAT.md)."""
    amount = _amount(raw)
    if amount is None or not 0 <= amount <= 1:
        return None
    if amount in {0.0, 1.0}:
        return Value(_BATTERY_OK, amount, "bool", field=_BATTERY_OK)
    return Value(Quantity.BATTERY_LEVEL, amount, "1", field=_BATTERY_OK)


def _amount(raw: object) -> float | None:
    try:
        return None if isinstance(raw, bool) or not isinstance(raw, int | float | str) else float(raw)
    except (ValueError, OverflowError):
        return None


def _metered(body: Mapping[str, object], model: str) -> str:
    if model.startswith(_WATER_METERS):
        return "water"
    kind = body.get("MeterType")
    if isinstance(kind, str) and kind.lower() in {"gas", "water"}:
        return kind.lower()
    return next((commodity(body[key]) for key in ("EndpointType", "ERTType", "ert_type") if key in body), "")


def _by_ending(key: str) -> Meaning | None:
    match = _KEY.fullmatch(key)
    if match is None or match[1] not in _QUANTITY:
        return None
    quantity, unit = _QUANTITY[match[1]], _UNITS[match[4]]
    if match[1] == "battery" and unit == "%":
        quantity = Quantity.BATTERY_LEVEL
    if not _ENDS[quantity].issuperset({match[4]}):
        return None
    place = _PLACES.get(match[3] or match[5] or "", "")
    if match[1] == "ambient":
        place = "ambient"
    return Meaning(quantity, unit, "_".join(one for one in (place, match[2]) if one))


#: the endings each quantity can have
_ENDS: dict[str, set[str]] = {
    Quantity.TEMPERATURE: {"C", "F"}, Quantity.ACTIVE_POWER: {"W"}, Quantity.CURRENT: {"A"}, Quantity.VOLTAGE: {"V", "mV"},
    Quantity.FREQUENCY: {"Hz"}, Quantity.ENERGY: {"kWh"}, Quantity.PRESSURE: {"hPa", "kPa", "PSI", "psi"},
    Quantity.WATER_VOLUME: {"m3", "gal"}, Quantity.BATTERY_VOLTAGE: {"V", "mV"}, Quantity.BATTERY_LEVEL: {"pct"},
}  # fmt: skip
