"""Replies of Modbus devices that a transparent DTU hands on as they are, read by the school's own map of registers."""

from __future__ import annotations

import struct
from typing import ClassVar

from campus.modbus import ModbusMapping, ModbusReply, ModbusValue
from campus.quantity import SPECS, Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.reading import path
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.wire import modbus_frame
from ingest.decoding.wire.document import LARGEST_BYTES, document, text
from ingest.decoding.wire.modbus_frame import Reply
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

#: a reply has 256 at most, and no DTU collects more than some dozens
_MOST_BYTES = 16 * 1024
_HEX = frozenset(b"0123456789abcdefABCDEF")
#: what tools put between or before the digits
_BETWEEN = bytes.maketrans(b",;:-_\r\n\t\0", b"         ")
_CODES = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q", "float32": ">f",
    "float64": ">d",
}  # fmt: skip


class RawModbus:
    """One mapping; the source that names it makes one of these."""

    name: ClassVar[str] = "raw_modbus"
    topics: ClassVar[tuple[str, ...]] = ()

    def __init__(self, mapping: ModbusMapping | None = None) -> None:
        self._mapping = mapping

    def recognises(self, message: Message) -> bool:  # noqa: ARG002 - only a source names this decoder
        """Never: any bytes could be a reply."""
        return False

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A report a reply in the payload, read by the mapping's registers and units, without a time.

        Rejected: ``no_mapping``, ``not_mapped``, and broken frames.
        """
        if self._mapping is None:
            raise Rejected(
                "no_mapping", "decoder raw_modbus needs a mapping of kind modbus in site.yaml for this topic"
            )
        raw, address = _bytes_and_address(self._mapping, message)
        replies = list((modbus_frame.tcp if self._mapping.framing == "tcp" else modbus_frame.rtu)(raw))
        reports = [
            _report(entry, reply, address, hints)
            for reply in replies
            if (entry := _entry(self._mapping, reply)) is not None
        ]
        if not reports:
            raise Rejected(
                "not_mapped", f"{'; '.join(map(_describe, replies[:8]))}: no entry of replies is for it"
            )
        return Decoded(tuple(reports))


def _bytes_and_address(mapping: ModbusMapping, message: Message) -> tuple[bytes, str]:
    if len(message.payload) > LARGEST_BYTES:
        raise Rejected("too_large", f"{len(message.payload)} bytes; expected at most {LARGEST_BYTES}")
    body = document(message.payload) if mapping.payload else None
    written = path.first(body, mapping.payload) if mapping.payload else None
    if mapping.payload and not isinstance(written, str):
        raise Rejected("no_payload", f"{mapping.payload} leads to no hexadecimal text")
    raw = _hexadecimal(written.encode()) if isinstance(written, str) else _raw(message.payload)
    if not raw:
        raise Rejected("empty", "the payload is empty")
    if len(raw) > _MOST_BYTES:
        raise Rejected("too_large", f"{len(raw)} bytes of replies; expected at most {_MOST_BYTES}")
    if mapping.address.startswith("topic:"):
        parts = message.topic.split("/")
        number = int(mapping.address.removeprefix("topic:"))
        address = parts[number] if number < len(parts) else ""
    else:
        address = text(path.first(body, mapping.address))
    if not address:
        raise Rejected("no_device", f"{mapping.address} leads to no device in a message on {message.topic}")
    return raw, address


def _raw(payload: bytes) -> bytes:
    """Bytes as they are, or written in hexadecimal: no reply begins with digits only, as none has so many bytes of them."""
    plain = _digits(payload)
    return (
        bytes.fromhex(plain.decode()) if plain and _HEX.issuperset(plain) and len(plain) % 2 == 0 else payload
    )


def _hexadecimal(written: bytes) -> bytes:
    plain = _digits(written)
    if not _HEX.issuperset(plain) or len(plain) % 2:
        raise Rejected("bad_hex", f"{written[:32]!r} is not hexadecimal")
    return bytes.fromhex(plain.decode())


def _digits(written: bytes) -> bytes:
    parts = written.translate(_BETWEEN).split()
    return b"".join(part[2:] if part[:2] in {b"0x", b"0X"} else part for part in parts)


def _entry(mapping: ModbusMapping, reply: Reply) -> ModbusReply | None:
    """The entry for *reply*; an exception tells no count of registers, so the first of its unit and function is meant."""
    registers = len(reply.data) // 2
    for one in mapping.replies:
        if (one.unit, one.function) != (reply.unit, reply.function):
            continue
        if reply.exception or one.registers in {0, registers} or reply.function in {1, 2}:
            return one
    return None


def _describe(reply: Reply) -> str:
    return f"unit {reply.unit}, function {reply.function}, {len(reply.data)} bytes"


def _report(entry: ModbusReply, reply: Reply, dtu: str, hints: Hints) -> Report:
    address = f"{dtu}/{entry.suffix}" if entry.suffix else dtu
    device = hints.device_at(address)
    dropped: dict[str, str] = {}
    if reply.exception:
        dropped[f"{entry.unit}:{entry.function}"] = f"the device says: {reply.exception}"
    values: list[Value] = []
    for one in entry.values if not reply.exception else ():
        field = f"{entry.unit}:{entry.function}:{one.offset}" + (f".{one.bit}" if one.bit else "")
        number = _number(one, reply, dropped, field)
        known = Quantity(one.quantity) if one.quantity in SPECS else None
        unit = one.unit or (SPECS[known].unit if known is not None else "")
        found = registered(field, device) or Meaning(one.quantity, unit, one.channel, one.scale)
        # what the map says is no guess: its unit is as good as one the message states
        value = value_of(found, field, number, dropped, unit=found.unit)
        if value is not None:
            values.append(value)
    return Report(address, None, tuple(values), dropped)


def _number(one: ModbusValue, reply: Reply, dropped: dict[str, str], field: str) -> float | bool | None:
    """The raw number of *one*; None, and why in *dropped*, where the reply holds none."""
    if reply.function in {1, 2}:
        place, bit = divmod(one.offset, 8)
        if place < len(reply.data):
            return bool(reply.data[place] >> bit & 1)
        dropped[field] = f"the reply holds {len(reply.data) * 8} bits"
        return None
    raw = reply.data[one.offset * 2 : (one.offset + one.registers) * 2]
    if len(raw) < one.registers * 2:
        dropped[field] = f"the reply holds {len(reply.data) // 2} registers"
        return None
    raw = _ordered(raw, one.order)
    if one.type == "bit":
        return bool(int.from_bytes(raw, "big") >> one.bit & 1)
    found: float = struct.unpack(_CODES[one.type], raw)[0]
    if found in one.invalid:
        dropped[field] = f"{found:g} means no measurement"
        return None
    return found


def _ordered(raw: bytes, order: str) -> bytes:
    """*raw* with the highest byte first: ``CDAB`` has the low word first, ``BADC`` the low byte of each word."""
    words = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    return b"".join(word[::-1] if order in {"BADC", "DCBA"} else word for word in words)
