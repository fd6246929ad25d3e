"""Axioma Qalcosonic W1 water meters: little-endian, litres; f_port 100 data, 101 settings, 103 alarms.

*Extended* is current time, status, volume, then a logged time and volume with up to 15 steps of 16 bits. Their spacing is a
setting of the meter that no message tells; as the last step lies less than one spacing before the current time, it follows
from the two times. *Enhanced* (version byte 1) is time, status, the volume logged 23 hours before, and 23 hourly steps
packed in 14 bits each.

Sources: the maker's "Lora Payload W1 V01.7 Extended" and "V01.8 Enhanced" as read by
github.com/TheThingsNetwork/lorawan-devices (vendor/axioma) and github.com/diwise/iot-agent (qalcosonic).
"""

from __future__ import annotations

import struct

from campus.clock import HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

_DATA_PORT, _ALARM_PORT = 100, 103
_EXTENDED = (9, 17, 47, 48)
_LOG_STEPS = slice(17, 47)
#: spacings the meter can be set to
_SPACINGS_MS = tuple(
    minutes * MINUTE_MS for minutes in (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
)
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
    if f_port == _ALARM_PORT and len(raw) == 5:
        # published decoders read these bits in two ways: passed on as they are
        uplink.flags["alarm"] = f"0x{raw[4]:02x}"
        return True
    if f_port not in {_DATA_PORT, 0}:
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
        steps = [step for (step,) in struct.iter_unpack("<H", raw[_LOG_STEPS])]
        if _NO_VOLUME not in {litres, logged_litres}:
            _steps(logged_litres, steps, logged_seconds * 1000, litres, seconds * 1000, uplink)
    return True


def _steps(
    logged_litres: int, steps: list[int], logged_ms: int, litres: int, now_ms: int, uplink: Uplink
) -> None:
    """The volumes between the logged and the current one, where times and volumes agree on how they are spaced."""
    spacing_ms = _spacing(now_ms - logged_ms, len(steps))
    if spacing_ms is None or logged_litres + sum(steps) > litres:
        return
    for number, step in enumerate(steps, 1):
        logged_litres += step
        _volume(logged_litres, uplink, logged_ms + number * spacing_ms, "logVolume")


def _spacing(elapsed_ms: int, steps: int) -> int | None:
    """The one spacing by which the last of *steps* lies less than one spacing before the end of *elapsed_ms*."""
    fitting = [one for one in _SPACINGS_MS if steps * one <= elapsed_ms < (steps + 1) * one]
    return fitting[0] if len(fitting) == 1 and steps else None


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
