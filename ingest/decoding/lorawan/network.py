"""What the decoders of LoRaWAN network servers share: the codec's object where there is one, else the bytes."""

from __future__ import annotations

import base64
import binascii
import zoneinfo
from collections.abc import Iterable
from typing import Any

import msgspec

from campus.device import Device
from ingest.decoding.lorawan import codec
from ingest.decoding.records import object_values
from ingest.decoding.timestamp import plausible
from ingest.errors import Rejected
from ingest.message import Message, Report, Value


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
) -> Report:
    """One uplink of one device. *encoded* is base64; *decoded* wins where it explains anything."""
    dropped: dict[str, str] = {}
    flags: dict[str, str] = {}
    values = object_values(decoded, dropped, device=device, zone=zone, received_ms=message.received_ms)
    if not values and encoded and not dropped:
        model = [device.model] if device is not None and device.model else []
        chosen = codec.choose([*model, *names], f_port, guess=not decoded)
        if chosen is not None:
            uplink = codec.read(chosen, _bytes(encoded), f_port)
            values, dropped, flags = uplink.values, uplink.dropped, uplink.flags
    checked = tuple(_checked(value, message.received_ms) for value in values)
    return Report(address, plausible(time_ms, message.received_ms), checked, dropped, flags)


def _checked(value: Value, received_ms: int) -> Value:
    if value.time_ms is None or plausible(value.time_ms, received_ms) is not None:
        return value
    return msgspec.structs.replace(value, time_ms=None)


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected("bad_base64", f"data {encoded[:32]!r} is not base64") from error
