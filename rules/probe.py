"""Which of a device's temperatures is its subject's, and which values are no temperature at all."""

from __future__ import annotations

from collections.abc import Container

from campus.clock import HOUR_MS
from campus.quantity import Quantity
from campus.reading import Reading

#: a box's own temperature, never that of what it watches
_BOX = "device"
#: a probe on a cable; where there is one, the unnamed channel is the sensor built into the box
_CABLE = "probe"
#: what one-wire probes and their bridges say for "no probe" (DOMAIN.md 2.4): power-on 85, CRC −127, unset −327.68
NEVER_C = {85.0, -127.0, -127.99, -327.68}
#: an absent probe reads exactly 0.00, and so does ice: believed within so much of what came shortly before
_NEAR_K = 3.0
_RECENT_MS = 3 * HOUR_MS
#: a device with more probes than this has its first ones judged
MOST_PROBES = 8


def watched(reading: Reading, known: Container[str]) -> str | None:
    """The channel to judge *reading* under, where *known* channels were heard before; None for none."""
    channel = reading.series.channel
    if reading.series.quantity is not Quantity.TEMPERATURE or channel == _BOX:
        return None
    return None if channel == "" and _CABLE in known else channel


def replaces(channel: str) -> str | None:
    """The channel that is no longer the subject's once *channel* has been heard."""
    return "" if channel == _CABLE else None


def believed(value_c: float, time_ms: int, *, suspect: bool, last_c: float | None, last_ms: int) -> bool:
    """Whether a value is a temperature: never a sentinel; a doubtful one only next to what was read before."""
    if value_c in NEVER_C or value_c - value_c != 0.0:
        return False
    if not suspect and value_c != 0.0:
        return True
    return last_c is not None and time_ms - last_ms <= _RECENT_MS and abs(value_c - last_c) <= _NEAR_K
