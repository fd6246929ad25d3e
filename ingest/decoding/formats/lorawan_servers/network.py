"""What the decoders of LoRaWAN network servers share: the codec's object where there is one, else the bytes."""

from __future__ import annotations

import base64
import binascii
import zoneinfo
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from campus.device import Device
from ingest.decoding.lorawan import codec
from ingest.decoding.reading.fields import registered
from ingest.decoding.reading.records import object_values
from ingest.decoding.reading.timestamp import plausible
from ingest.errors import Rejected
from ingest.message import Message, Report, Value


def from_base64(text: str) -> bytes:
    """The bytes of ChirpStack, The Things Stack and Milesight; raises :class:`Rejected`."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected("bad_base64", f"data {text[:32]!r} is not base64") from error


def from_hex(text: str) -> bytes:
    """The bytes of ThingPark and LORIOT; raises :class:`Rejected`."""
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Rejected("bad_hex", f"data {text[:32]!r} is not hexadecimal") from error


def report(
    message: Message,
    *,
    address: str,
    time_ms: int | None,
    decoded: dict[str, Any],
    encoded: str,
    f_port: int,
    names: Iterable[str],
    device: Device | None,
    zone: zoneinfo.ZoneInfo,
    to_bytes: Callable[[str], bytes] = from_base64,
) -> Report:
    """One uplink of one device: *decoded* where it explains anything, else the bytes of *encoded*.

    Bytes nobody can read are no error of the network server's: the device lives and says when, and the report tells why
    the rest is ``unread``.
    """
    dropped: dict[str, str] = {}
    flags: dict[str, str] = {}
    unread = ""
    values = object_values(decoded, dropped, device=device, zone=zone, received_ms=message.received_ms)
    if not values and encoded and not dropped:
        model = [device.model] if device is not None and device.model else []
        try:
            uplink = codec.read([*model, *names], to_bytes(encoded), f_port, guess=not decoded)
        except Rejected as rejected:
            unread, uplink = str(rejected), None
        if uplink is not None:
            values = [_as_registered(value, device) for value in uplink.values]
            dropped, flags = uplink.dropped, uplink.flags
    checked = tuple(_checked(value, message.received_ms) for value in values)
    return Report(address, plausible(time_ms, message.received_ms), checked, dropped, flags, unread)


def port(value: object) -> int:
    """An f_port, which some servers write as text; 0 for none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 4:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _as_registered(value: Value, device: Device | None) -> Value:
    """*value* as the register explains its field: what an analog input or a Modbus channel measures."""
    known = registered(value.field, device)
    if known is None:
        return value
    return msgspec.structs.replace(
        value,
        quantity=known.quantity,
        value=value.value * known.scale,
        unit=known.unit,
        channel=known.channel,
    )


def _checked(value: Value, received_ms: int) -> Value:
    if value.time_ms is None or plausible(value.time_ms, received_ms) is not None:
        return value
    return msgspec.structs.replace(value, time_ms=None)
