"""Quandify CubicMeter clamp-on water meters: a status report of 28 bytes, little-endian, on f_port 1.

Source: the maker's decoder, as github.com/akenza-io/device-type-library (types/quandify) carries it.
"""

from __future__ import annotations

import struct

from campus.quantity import Quantity
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

_REPORT, _ANSWER = 1, 6
_REPORT_BYTES = 28
#: before a report that was asked for: port, status, and the type 1 of a status report
_ASKED_BYTES = 3
_NOT_SENSING = 0x8000
_REVERSE_FLOW = 384
_MEDIUM_LEAK, _LARGE_LEAK = 3, 4


def cubicmeter(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """Total volume, the meter's own word on a leak, temperatures of water and pipe, battery."""
    if f_port == _ANSWER:
        if len(raw) != _ASKED_BYTES + _REPORT_BYTES or raw[2] != 1:
            return len(raw) >= _ASKED_BYTES
        raw = raw[_ASKED_BYTES:]
    elif f_port != _REPORT or len(raw) != _REPORT_BYTES:
        return False
    state, litres = struct.unpack_from("<HI", raw, 4)
    leak, _, battery, coldest, warmest, ambient = raw[22:28]
    if state & _NOT_SENSING:
        uplink.flags["sensing"] = "no water sensed"
    if code := state & ~_NOT_SENSING:
        uplink.flags["error"] = "reverse flow" if code == _REVERSE_FLOW else str(code)
    uplink.values += [
        Value(Quantity.WATER_VOLUME, float(litres), "L", "", "totalVolume"),
        Value(Quantity.LEAK_DETECTED, float(leak in {_MEDIUM_LEAK, _LARGE_LEAK}), "bool", "", "leakState"),
        Value(Quantity.TEMPERATURE, coldest / 2 - 20, "°C", "water_min", "waterTemperatureMin"),
        Value(Quantity.TEMPERATURE, warmest / 2 - 20, "°C", "water_max", "waterTemperatureMax"),
        Value(Quantity.TEMPERATURE, ambient / 2 - 20, "°C", "", "ambientTemperature"),
        Value(Quantity.BATTERY_VOLTAGE, 1800.0 + battery * 8, "mV", "", "batteryRecovered"),
    ]
    return True
