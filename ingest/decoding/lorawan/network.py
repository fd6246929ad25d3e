"""What the decoders of LoRaWAN network servers share: the codec's object where there is one, else the bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from campus.device import Device
from ingest.decoding.fields import named_values
from ingest.decoding.lorawan.codec import values_of
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
) -> Report:
    """One uplink of one device. *encoded* is base64; *decoded* wins where it explains anything."""
    dropped: dict[str, str] = {}
    values: list[Value] = named_values(decoded, dropped, device=device)
    if not values and not decoded and encoded:
        model = [device.model] if device is not None and device.model else []
        values = values_of(_bytes(encoded), f_port, [*model, *names], dropped)
    checked = tuple(_checked(value, message.received_ms) for value in values)
    return Report(address, plausible(time_ms, message.received_ms), checked, dropped)


def _checked(value: Value, received_ms: int) -> Value:
    if value.time_ms is None or plausible(value.time_ms, received_ms) is not None:
        return value
    return Value(value.quantity, value.value, value.unit, value.channel, value.field, None, value.quality)


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected("bad_base64", f"data {encoded[:32]!r} is not base64") from error
