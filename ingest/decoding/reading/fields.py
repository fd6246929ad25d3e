"""Freely named fields of one object as values: the part that codec objects, gateways and Zigbee devices share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from campus.device import Device
from campus.quantity import SPECS, Quantity
from campus.reading import Quality
from ingest.decoding.reading.names import Meaning, fits, meaning
from ingest.decoding.reading.number import number, truth
from ingest.decoding.reading.sentinel import is_probe_fault, is_sentinel
from ingest.decoding.reading.unit_spelling import folded_unit
from ingest.message import Value

_BOOLEANS = {Quantity.DOOR_OPEN, Quantity.LEAK_DETECTED, Quantity.SWITCH}
#: quantities whose amount may show another meaning than the name
_AMBIGUOUS = {Quantity.BATTERY_LEVEL, Quantity.BATTERY_VOLTAGE, Quantity.VOLTAGE, Quantity.POWER_FACTOR}
_VOLTS = {"V", "mV"}
#: a cell's voltage as a fraction in V, and in whole mV
_CELL_V = (1.5, 4.5)
_CELL_MV = (1000.0, 5000.0)
#: temperature and humidity of a sensor chip that answers all ones (HDC1080, SHT2x behind a 165 K scale)
_FULL_SCALE = (125.0, 100.0)
#: objects within objects that are looked into, and the longest channel
_DEEPEST, _LONGEST_CHANNEL = 2, 24
#: the highest number of a signed register of 16 bits
_REGISTER_END = 0x7FFF
_GOOD, _TEMPERATURE = Quality.GOOD, Quantity.TEMPERATURE


def value_of(
    found: Meaning,
    field: str,
    raw: object,
    dropped: dict[str, str],
    *,
    unit: str = "",
    time_ms: int | None = None,
) -> Value | None:
    """*raw* as a value of what *found* says; None (and a word in *dropped* where it is a fault) for none."""
    if raw is None:
        return None
    quantity, own_unit, channel, scale = found
    if quantity in _BOOLEANS:
        state = truth(raw)
        return None if state is None else Value(quantity, state, "bool", channel, field, time_ms)
    if type(raw) is float and math.isfinite(raw):  # as most are
        raw_amount, stated = raw, unit
    else:
        parsed = number(raw)
        if parsed is None:
            if not isinstance(raw, bool | dict | list):
                dropped[field] = f"not a number: {raw!r:.40}"
            return None
        raw_amount, stated = parsed[0], parsed[1] or unit
    if stated:
        stated = folded_unit(stated)
    if quantity in _AMBIGUOUS and scale == 1.0:
        quantity, own_unit, channel, scale = refined_by_amount(found, raw_amount, stated)
    amount = raw_amount if scale == 1.0 else raw_amount * scale
    # -127 is a probe's fault in °C, and a freezer in tenths of a degree; the ends of a register are none in any scale
    if is_sentinel(quantity, amount) or (
        abs(raw_amount) >= _REGISTER_END and is_sentinel(quantity, raw_amount)
    ):
        dropped[field] = f"{raw_amount:g} means no measurement"
        return None
    quality = _GOOD
    if quantity == _TEMPERATURE and is_probe_fault(quantity, field, amount):
        quality = Quality.SUSPECT
    return Value(quantity, amount, stated or own_unit, channel, field, time_ms, quality)


def refined_by_amount(found: Meaning, amount: float, stated: str) -> Meaning:
    """*found* where the amount, or the *stated* unit, shows what the name leaves open (PAYLOADS.md 1, quirk 12)."""
    match found.quantity:
        case Quantity.BATTERY_LEVEL if stated in _VOLTS:
            return Meaning(Quantity.BATTERY_VOLTAGE, stated, found.channel)
        case Quantity.BATTERY_VOLTAGE if stated == "%":
            return Meaning(Quantity.BATTERY_LEVEL, "%", found.channel)
        case _ if stated:
            return found
        case Quantity.BATTERY_LEVEL:
            return _cell(found, amount)
        case Quantity.BATTERY_VOLTAGE if found.unit == "V" and _within(amount, _CELL_MV):
            return Meaning(Quantity.BATTERY_VOLTAGE, "mV", found.channel)
        case Quantity.VOLTAGE if not found.channel and found.unit == "V" and _within(amount, _CELL_MV):
            return Meaning(Quantity.BATTERY_VOLTAGE, "mV")
        case Quantity.POWER_FACTOR if abs(amount) > 1:
            return Meaning(found.quantity, "%", found.channel)
        case _:
            return found


def _cell(found: Meaning, amount: float) -> Meaning:
    """A battery's figure without a unit: percent, or a cell's volts or millivolts."""
    if _within(amount, _CELL_MV):
        return Meaning(Quantity.BATTERY_VOLTAGE, "mV", found.channel)
    # Zigbee counts a battery in halves of a percent; no battery is at 3.31 %
    if _within(amount, _CELL_V) and (amount * 2) % 1:
        return Meaning(Quantity.BATTERY_VOLTAGE, "V", found.channel)
    return found


def named_values(
    body: Mapping[str, object],
    dropped: dict[str, str],
    *,
    device: Device | None = None,
    skip: Iterable[str] = (),
    time_ms: int | None = None,
    depth: int = 0,
) -> list[Value]:
    """Values of all fields of *body* that the register or their names explain, nested objects included."""
    skipped = set(skip)
    values: list[Value] = []
    for name, raw in body.items():
        key = name.strip()
        if key in skipped:
            continue
        if isinstance(raw, dict):
            values += _apart(_nested(key, raw, dropped, device, time_ms, depth), key, values)
            continue
        found = registered(key, device) or meaning(key)
        if found is None:
            continue
        value = value_of(found, key, raw, dropped, unit=_beside(key, found, body), time_ms=time_ms)
        if value is not None:
            values.append(value)
    return first_of_each(without_full_scale(values, dropped))


def _beside(key: str, found: Meaning, body: Mapping[str, object]) -> str:
    """The unit that a field beside *key* states (``temperature_unit``), where *found* can be measured in it."""
    stated = body.get(f"{key}_unit", body.get(f"{key}Unit"))
    return stated if isinstance(stated, str) and fits(found.quantity, folded_unit(stated)) else ""


def registered(key: str, device: Device | None) -> Meaning | None:
    """What the register says of a field; it wins over what the name suggests."""
    if device is None or key not in device.fields:
        return None
    field = device.fields[key]
    known = field.quantity in SPECS
    return Meaning(
        field.quantity,
        field.unit or (SPECS[Quantity(field.quantity)].unit if known else ""),
        field.channel,
        field.scale,
    )


def first_of_each(values: Iterable[Value]) -> list[Value]:
    """One value of each (quantity, channel, time): the same reading twice (°C and °F) is one reading."""
    seen: dict[tuple[str, str, int | None], Value] = {}
    for value in values:
        seen.setdefault((value.quantity, value.channel, value.time_ms), value)
    return list(seen.values())


def without_full_scale(values: list[Value], dropped: dict[str, str]) -> list[Value]:
    """*values* without a temperature and humidity pair that is the end of a sensor chip's scale."""
    temperature, humidity = _FULL_SCALE
    pair = [
        one
        for one in values
        if (one.quantity, one.value) in {(Quantity.TEMPERATURE, temperature), (Quantity.HUMIDITY, humidity)}
    ]
    if {one.quantity for one in pair} != {Quantity.TEMPERATURE, Quantity.HUMIDITY}:
        return values
    for one in pair:
        dropped[one.field] = f"{one.value:g} is the end of the sensor's scale: no sensor"
    return [one for one in values if one not in pair]


def _within(amount: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] < amount < bounds[1]


def _nested(
    key: str,
    body: Mapping[str, object],
    dropped: dict[str, str],
    device: Device | None,
    time_ms: int | None,
    depth: int,
) -> list[Value]:
    """``{"temperature": {"value": 21.5, "unit": "°C"}}``, values by channel, and objects that group fields."""
    if body and all(name.isdecimal() and len(name) < 3 for name in body):
        return _by_channel(key, body, dropped, device, time_ms)
    raw = next((body[one] for one in ("value", "displayValue", "val", "data") if one in body), None)
    if raw is not None and not isinstance(raw, dict | list):
        found = registered(key, device) or meaning(key)
        unit = body.get("unit")
        stated = unit if isinstance(unit, str) else ""
        value = value_of(found, key, raw, dropped, unit=stated, time_ms=time_ms) if found else None
        return [] if value is None else [value]
    if depth == _DEEPEST:
        body = {name: one for name, one in body.items() if not isinstance(one, dict)}
    return named_values(body, dropped, device=device, time_ms=time_ms, depth=depth + 1)


def _by_channel(
    key: str, body: Mapping[str, object], dropped: dict[str, str], device: Device | None, time_ms: int | None
) -> list[Value]:
    """``{"temperatureSensor": {"1": 22.5, "2": -18.1}}``, as Cayenne LPP is written; one alone has no channel."""
    values = []
    for channel, raw in body.items():
        field = f"{key}.{channel}"
        found = registered(field, device) or meaning(key)
        if found is None:
            continue
        if len(body) > 1 and registered(field, device) is None:
            found = found._replace(channel="_".join(part for part in (found.channel, channel) if part))
        value = value_of(found, field, raw, dropped, time_ms=time_ms)
        if value is not None:
            values.append(value)
    return values


def _apart(inside: list[Value], key: str, before: list[Value]) -> list[Value]:
    """*inside* with *key* as the channel of what would else be lost behind an object's like: ``channel1``, ``channel2``."""
    taken = {(one.quantity, one.channel, one.time_ms) for one in before}
    folder = "".join(one if one.isalnum() else "_" for one in key)[:_LONGEST_CHANNEL]
    return [
        msgspec.structs.replace(one, channel=f"{folder}_{one.channel}".rstrip("_")[:_LONGEST_CHANNEL])
        if (one.quantity, one.channel, one.time_ms) in taken
        else one
        for one in inside
    ]
