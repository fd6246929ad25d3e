"""Freely named fields of one object as values: the part that codec objects, gateways and Zigbee devices share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from campus.device import Device
from campus.quantity import SPECS, Quantity
from campus.reading import Quality
from ingest.decoding.names import Meaning, meaning
from ingest.decoding.number import number, truth
from ingest.decoding.sentinel import is_probe_fault, is_sentinel
from ingest.message import Value

_BOOLEANS = {Quantity.DOOR_OPEN, Quantity.LEAK_DETECTED, Quantity.SWITCH}


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
    if found.quantity in _BOOLEANS:
        state = truth(raw)
        return None if state is None else Value(found.quantity, state, "bool", found.channel, field, time_ms)
    parsed = number(raw)
    if parsed is None:
        if not isinstance(raw, bool):
            dropped[field] = f"not a number: {raw!r:.40}"
        return None
    amount, written = parsed
    if is_sentinel(found.quantity, amount):
        dropped[field] = f"{amount} means no measurement"
        return None
    quality = Quality.SUSPECT if is_probe_fault_field(found, field, amount) else Quality.GOOD
    return Value(
        found.quantity, amount, written or unit or found.unit, found.channel, field, time_ms, quality
    )


def is_probe_fault_field(found: Meaning, field: str, amount: float) -> bool:
    """Whether a one-wire probe's field has the value of an absent probe."""
    one_wire = "ds18" in field.lower() or field.lower() in {"tempc_ds", "temp_ds"}
    return is_probe_fault(found.quantity, amount) and (one_wire or amount == 85.0)


def named_values(
    body: Mapping[str, object],
    dropped: dict[str, str],
    *,
    device: Device | None = None,
    skip: Iterable[str] = (),
) -> list[Value]:
    """Values of all fields of *body* that the register or their names explain, nested objects included."""
    skipped = set(skip)
    values: list[Value] = []
    for name, raw in body.items():
        key = name.strip()
        if key in skipped:
            continue
        if isinstance(raw, dict):
            values += _nested(key, raw, dropped, device)
            continue
        found = registered(key, device) or meaning(key)
        if found is not None:
            value = value_of(found, key, raw, dropped)
            if value is not None:
                values.append(value)
    return first_of_each(values)


def registered(key: str, device: Device | None) -> Meaning | None:
    """What the register says of a field; it wins over what the name suggests."""
    if device is None or key not in device.fields:
        return None
    field = device.fields[key]
    known = field.quantity in SPECS
    return Meaning(
        field.quantity, field.unit or (SPECS[Quantity(field.quantity)].unit if known else ""), field.channel
    )


def first_of_each(values: Iterable[Value]) -> list[Value]:
    """One value of each (quantity, channel, time): the same reading twice (°C and °F) is one reading."""
    seen: dict[tuple[str, str, int | None], Value] = {}
    for value in values:
        seen.setdefault((value.quantity, value.channel, value.time_ms), value)
    return list(seen.values())


def _nested(
    key: str, body: Mapping[str, object], dropped: dict[str, str], device: Device | None
) -> list[Value]:
    """``{"temperature": {"value": 21.5, "unit": "°C"}}`` and plain objects one level down."""
    raw = body.get("value", body.get("displayValue"))
    if raw is not None and not isinstance(raw, dict | list):
        found = registered(key, device) or meaning(key)
        unit = body.get("unit")
        value = (
            value_of(found, key, raw, dropped, unit=unit if isinstance(unit, str) else "") if found else None
        )
        return [] if value is None else [value]
    plain = {name: one for name, one in body.items() if not isinstance(one, dict)}
    return named_values(plain, dropped, device=device)
