"""One message held back, and how much of it is kept."""

from __future__ import annotations

import zlib

import msgspec

#: more than this of one payload is not kept
KEPT_PAYLOAD_BYTES = 64 * 1024
#: characters kept; MQTT allows topics of 65,535 bytes, and a device may send an address as long
_KEPT_TOPIC = 1_000
_KEPT_ADDRESS = 200
_KEPT_DETAIL = 500
_KEPT_QUANTITIES = 50
_KEPT_NAME = 80
#: what a row costs beside its texts: numbers, index entries, page headers
_ROW_BYTES = 200
#: sources are told apart in so many groups by the first level of their topic, and in each in so many parts
_GROUPS = 64

UNREGISTERED = "unregistered"
#: the service died while it was handling this
POISON = "poison"
#: not a message but a reading that the time-series store will never take; its message is journaled
REFUSED = "store_refused"


class QuarantineEntry(msgspec.Struct, frozen=True):
    """One message held back. *address*, *decoder* and *quantities* are known for unregistered devices.

    *size* is the payload's original length where only its beginning was kept; *whole* says that nothing was cut, so
    that it may be replayed.
    """

    time_ms: int
    topic: str
    payload: bytes
    code: str
    detail: str
    address: str = ""
    decoder: str = ""
    quantities: tuple[str, ...] = ()
    size: int = 0
    id: int = 0
    whole: bool = True


class UnregisteredDevice(msgspec.Struct, frozen=True):
    """A device that sends and is not in the register, as its held messages tell."""

    address: str
    decoder: str
    topic: str
    count: int
    last_ms: int
    quantities: tuple[str, ...]


def bounded(entry: QuarantineEntry) -> QuarantineEntry:
    """*entry* as it is kept: every text and the payload within its bound."""
    payload = entry.payload[:KEPT_PAYLOAD_BYTES]
    topic, address = _cut(entry.topic, _KEPT_TOPIC), _cut(entry.address, _KEPT_ADDRESS)
    whole = len(payload) == len(entry.payload) and topic == entry.topic and address == entry.address
    return msgspec.structs.replace(
        entry,
        topic=topic,
        payload=payload,
        code=_cut(entry.code, _KEPT_NAME),
        detail=_cut(entry.detail, _KEPT_DETAIL),
        address=address,
        decoder=_cut(entry.decoder, _KEPT_NAME),
        quantities=tuple(_cut(one, _KEPT_NAME) for one in entry.quantities[:_KEPT_QUANTITIES]),
        size=entry.size or len(entry.payload),
        whole=entry.whole and whole,
    )


def cost_bytes(entry: QuarantineEntry) -> int:
    """What *entry* takes of the budget, about what it takes on disk."""
    texts = (entry.topic, entry.code, entry.detail, entry.address, entry.decoder, *entry.quantities)
    return _ROW_BYTES + len(entry.payload) + sum(len(one.encode(errors="replace")) for one in texts)


def source_of(entry: QuarantineEntry) -> int:
    """A small number for whoever sent it. A flood under made-up topics keeps within the group of their first level."""
    group = _hash(entry.topic.partition("/")[0]) % _GROUPS
    return group * _GROUPS + _hash(entry.address or entry.topic) % _GROUPS


def group_of(source: int) -> int:
    """The group of a source's number."""
    return source // _GROUPS


def _hash(text: str) -> int:
    return zlib.crc32(text.encode(errors="replace"))


def _cut(text: str, most: int) -> str:
    """A text that was cut ends in a sign that no address or topic of a device has."""
    return text if len(text) <= most else text[: most - 1] + "…"
