"""Carlo Gavazzi UWP-A and UWP-M, which carry an energy meter's values: little-endian, each behind the byte that names it.

Source: github.com/akenza-io/device-type-library (types/gavazzi), which knows four of the names. A name it does not know has
no known length either, so that reading ends there and the rest is handed on as it came.
"""

from __future__ import annotations

from typing import NamedTuple

from campus.quantity import Quantity
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

_MEASUREMENTS = 1
_END = 0xFF
#: what the makers' meters write for a value beyond their range
_OVERFLOW = {4: (0x7FFFFFFF, 0xFFFFFFFF), 8: (0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)}


class _Field(NamedTuple):
    name: str
    size: int
    steps: int
    quantity: Quantity
    unit: str
    channel: str = ""
    signed: bool = False


#: by the byte before it; *steps* of the number make one of the unit
_FIELDS = {
    0x3C: _Field("totalKWh", 8, 10, Quantity.ENERGY, "kWh"),
    0x91: _Field("l2V", 4, 10, Quantity.VOLTAGE, "V", "b"),
    0x92: _Field("l2A", 4, 1000, Quantity.CURRENT, "A", "b"),
    0x93: _Field("l2KW", 4, 1_000_000, Quantity.ACTIVE_POWER, "kW", "b", signed=True),
}


def uwp(raw: bytes, _f_port: int, uplink: Uplink) -> bool:
    """The known values; False where there is not one, or one is cut off."""
    if raw[0] != _MEASUREMENTS:
        return False
    at = 1
    while at < len(raw) and (field := _FIELDS.get(raw[at])) is not None:
        part = raw[at + 1 : at + 1 + field.size]
        if len(part) < field.size:
            return False
        at += 1 + field.size
        if int.from_bytes(part, "little") in _OVERFLOW[field.size]:
            uplink.dropped[field.name] = "beyond the meter's range"
            continue
        amount = int.from_bytes(part, "little", signed=field.signed) / field.steps
        uplink.values.append(Value(field.quantity, amount, field.unit, field.channel, field.name))
    if at < len(raw) and raw[at] != _END:
        uplink.flags["rest"] = raw[at:].hex()
    return bool(uplink.values or uplink.dropped)
