"""A reading and the series it belongs to: the one record that travels the whole road.

Both are ``msgspec`` structs: immutable, slotted, and encoded without ceremony in the journal.
"""

from __future__ import annotations

import enum

import msgspec

from campus.quantity import Quantity


class Quality(enum.IntEnum):
    """How far a reading is to be trusted."""

    GOOD = 0
    #: stored and shown, but no rule may alarm on it alone (a value that often means "no probe")
    SUSPECT = 1
    #: arrived later than the allowed lateness: history, never an emergency
    LATE = 2


class Series(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """A device's quantity on one channel (``a`` ``b`` ``c`` ``total`` ``probe2`` …; empty where there is one)."""

    device: str
    quantity: Quantity
    channel: str = ""

    def __str__(self) -> str:
        return (
            f"{self.device}/{self.quantity}/{self.channel}"
            if self.channel
            else f"{self.device}/{self.quantity}"
        )


class Reading(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One value of a series in its canonical unit.

    *time_ms* is when it was true (the device's own clock where that is plausible), *received_ms* when the
    service had it; both are UTC.
    """

    series: Series
    value: float
    time_ms: int
    received_ms: int
    quality: Quality = Quality.GOOD
