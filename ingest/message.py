"""A message as the broker delivered it, and what a decoder reads out of it."""

from __future__ import annotations

import msgspec

from campus.reading import Quality

#: characters of a topic; a longer one names no device, and what is remembered of topics must stay bounded
LONGEST_TOPIC = 512


class Message(msgspec.Struct, frozen=True, gc=False):
    """*mid* and *dup* identify a redelivery within *broker*; *retained* messages were stored by the broker earlier.

    *renumbered*: the broker may deliver it again under another *mid*. *heard_ms* is its receipt by the steady clock, which
    nobody can set.
    """

    topic: str
    payload: bytes
    received_ms: int
    qos: int = 0
    mid: int = 0
    dup: bool = False
    retained: bool = False
    broker: str = ""
    renumbered: bool = False
    heard_ms: int = 0


class Value(msgspec.Struct, frozen=True, gc=False):
    """One measured value as the source says it.

    *quantity* is a name of ``campus.Quantity``, or the source's own field name where the format leaves the
    meaning to the register (Alink identifiers, generic JSON); *field* is always the source's key; *time_ms* is the
    value's own time where it differs from the report's (history inside a live message).
    """

    quantity: str
    value: float
    unit: str
    channel: str = ""
    field: str = ""
    time_ms: int | None = None
    quality: Quality = Quality.GOOD


class Report(msgspec.Struct, frozen=True, gc=False):
    """What one message says of one device. *time_ms* None means the source gave no usable time.

    *dropped* names fields that are errors or sentinels, with the reason; *flags* are the device's own words on
    its state (``leak_date``, ``METER_BLOCKED``). *unread* says why what the device sent could not be read yet: the
    message is held back for the day the register explains it.
    """

    address: str
    time_ms: int | None
    values: tuple[Value, ...]
    dropped: dict[str, str] = {}
    flags: dict[str, str] = {}
    unread: str = ""


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """All reports of a message. *ignored* says why a message is understood and rightly yields nothing."""

    reports: tuple[Report, ...] = ()
    ignored: str = ""
