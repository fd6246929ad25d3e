"""Dragino LTC2 and LTC2-LB: two PT100 probes with the device's time; big-endian, f_port 2 live, 3 logged, 5 status.

The first LTC2 says in byte 2 whether it sends hundredths, tenths, or resistances; its hundredths run on as unsigned
numbers above 327 °C and end where −70 °C begins (0xE4A8). LTC2-LB has alarm flags there and always sends tenths.

Source: LTC2 and LTC2-LB (v1.0, v1.2) of github.com/dragino/dragino-end-node-decoder.
"""

from __future__ import annotations

import struct

from ingest.decoding.lorawan.dragino import frame
from ingest.decoding.lorawan.uplink import Uplink

_HUNDREDTHS, _TENTHS, _OHMS = 1, 2, 3
_COLDEST = 0xE4A8
_NO_PROBE = {0x8001, frame.ABSENT, 0x8000, 0xFFFF}
#: beyond this the LB's own decoder says there is no probe
_LB_FURTHEST = 20_000


def ltc2(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """LTC2: two probes in hundredths or tenths of °C, by the frame's own flag, each record with its time; ohms are dropped.

    False where *raw* is none of its frames.
    """
    if f_port == frame.STATUS:
        return frame.status(raw, uplink)
    kind = raw[2] & 0x0F if len(raw) > 2 else 0
    if len(raw) != frame.RECORD or kind not in {_HUNDREDTHS, _TENTHS, _OHMS}:
        return False
    # bit 6 marks an answer to a poll for the log: its battery is of then, and has no time of its own
    if not raw[2] & 0x40:
        frame.battery(int.from_bytes(raw[0:2], "big") & 0x3FFF, uplink)
    at_ms = frame.time_ms(raw)
    for number, bits in enumerate(struct.unpack_from(">HH", raw, 3), 1):
        field = f"Temp_Channel{number}"
        if kind == _OHMS:
            uplink.dropped[field] = f"{bits / 100:g} ohm: set to send resistance"
        else:
            frame.numbered_probe(number, _celsius(bits, kind), uplink, at_ms, field)
    return True


def ltc2_lb(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """LTC2-LB: two probes in tenths of °C, live or from its log; False where *raw* is none of its frames."""
    match f_port:
        case frame.STATUS:
            return frame.status(raw, uplink)
        case frame.LOG:
            for record in frame.records(raw):
                # the log puts the second channel first
                second, first = struct.unpack_from(">hh", record, 2)
                _tenths(first, second, uplink, frame.time_ms(record))
            return len(raw) >= frame.RECORD
        case 7:  # many samples of one report, without times: only the battery is of now
            if len(raw) >= 2:
                frame.battery(int.from_bytes(raw[0:2], "big"), uplink)
            return len(raw) >= 2
        case _ if len(raw) == frame.RECORD:
            frame.battery(int.from_bytes(raw[0:2], "big"), uplink)
            first, second = struct.unpack_from(">hh", raw, 3)
            _tenths(first, second, uplink, frame.time_ms(raw))
            return True
        case _:
            return False


def _celsius(bits: int, kind: int) -> float | None:
    if bits in _NO_PROBE:
        return None
    if kind == _TENTHS:
        return (bits - 0x10000 if bits & 0x8000 else bits) / 10
    return (bits - 0x10000 if bits >= _COLDEST else bits) / 100


def _tenths(first: int, second: int, uplink: Uplink, at_ms: int) -> None:
    for number, tenths in ((1, first), (2, second)):
        celsius = None if abs(tenths) > _LB_FURTHEST else tenths / 10
        frame.numbered_probe(number, celsius, uplink, at_ms, f"Temp_Channel{number}")
