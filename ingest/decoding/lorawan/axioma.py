"""Axioma Qalcosonic W1 water meters (f_port 100): little-endian, litres.

*Extended* is current time, status, volume, then a logged time and volume with 16-bit steps whose spacing is a setting (so
they are left). *Enhanced* (version byte 1) is time, status, the volume logged 23 hours before, and 23 hourly steps packed in
14 bits each.
"""

from __future__ import annotations

import struct

from campus.clock import HOUR_MS
from campus.quantity import Quantity
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

_DATA_PORT = 100
_EXTENDED = (9, 17, 47, 48)
_ENHANCED = 51
_STEPS, _STEP_BITS = 23, 14
_NO_VOLUME = 0xFFFFFFFF
#: the meter's error word, most telling first: (mask, value, word)
_STATES = (
    (0xE0, 0x60, "backflow"), (0xE0, 0xA0, "burst"), (0xE0, 0x20, "leakage"), (0xE0, 0x80, "low temperature"),
    (0x10, 0x10, "temporary error"), (0x08, 0x08, "permanent error"), (0x04, 0x04, "low battery"),
)  # fmt: skip
_LEAKS = {"burst", "leakage"}


def w1(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """Volumes with their own times, and the meter's status."""
    if f_port not in {_DATA_PORT, 0}:  # 101 parameters, 103 alarms: no register in them
        return True
    if len(raw) == _ENHANCED and raw[0] == 1:
        _enhanced(raw, uplink)
        return True
    if len(raw) not in _EXTENDED:
        return False
    seconds, status, litres = struct.unpack_from("<IBI", raw)
    _state(status, uplink, seconds * 1000)
    _volume(litres, uplink, seconds * 1000, "volume")
    if len(raw) >= _EXTENDED[1]:
        logged_seconds, logged_litres = struct.unpack_from("<II", raw, 9)
        _volume(logged_litres, uplink, logged_seconds * 1000, "logVolume")
    return True


def _enhanced(raw: bytes, uplink: Uplink) -> None:
    seconds, status, litres = struct.unpack_from("<IBI", raw, 1)
    packed = int.from_bytes(raw[10:], "little")
    _state(status, uplink, seconds * 1000)
    steps = [(packed >> (_STEP_BITS * number)) & ((1 << _STEP_BITS) - 1) for number in range(_STEPS)]
    if packed >> (_STEP_BITS * _STEPS):  # a multiplier that no document explains: the steps cannot be read
        _volume(litres, uplink, seconds * 1000 - _STEPS * HOUR_MS, "logVolume")
        return
    for hours, step in zip(range(_STEPS, -1, -1), [0, *steps], strict=True):
        litres += step
        _volume(litres, uplink, seconds * 1000 - hours * HOUR_MS, "volume" if hours == 0 else "logVolume")


def _volume(litres: int, uplink: Uplink, at_ms: int, field: str) -> None:
    if litres == _NO_VOLUME:
        uplink.dropped[field] = "0xFFFFFFFF: no volume"
        return
    uplink.values.append(Value(Quantity.WATER_VOLUME, float(litres), "L", "", field, at_ms))


def _state(status: int, uplink: Uplink, at_ms: int) -> None:
    words = [word for mask, value, word in _STATES if status & mask == value]
    if words:
        uplink.flags["status"] = ", ".join(words)
    leak = float(not _LEAKS.isdisjoint(words))
    uplink.values.append(Value(Quantity.LEAK_DETECTED, leak, "bool", "", "status", at_ms))
