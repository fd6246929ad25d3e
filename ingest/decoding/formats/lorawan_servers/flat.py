"""The flat uplink of LoRa Server, ChirpStack v3 and the gateways that carry it inside (Milesight UG6x).

``devEUI`` is sixteen hex digits, or the base64 of eight bytes where the protobuf-JSON marshaler wrote it; ``data`` is base64
always. The codec's output is ``object``, or ``objectJSON`` as a text of JSON (protobuf-JSON), or lies between the other
keys (Milesight's own decoders).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from ingest.decoding.contract import Hints
from ingest.decoding.formats.lorawan_servers import network
from ingest.decoding.reading.timestamp import parse
from ingest.decoding.wire.document import inner, text
from ingest.errors import Rejected
from ingest.message import Message, Report

_EUI_BYTES = 8
_EUI_BASE64 = 12
#: everything of the envelope; what stands beside it was decoded
_ENVELOPE = frozenset({
    "applicationID", "applicationName", "deviceName", "deviceProfileName", "deviceProfileID", "devEUI", "devAddr", "rxInfo",
    "txInfo", "adr", "dr", "fCnt", "fcnt", "fPort", "data", "object", "objectJSON", "tags", "confirmedUplink", "publishedAt",
    "time", "gatewayTime", "gwCount", "rssi", "snr", "loRaSNR", "margin", "externalPowerSource", "batteryLevelUnavailable", "variables",
})  # fmt: skip


def report(body: dict[str, Any], message: Message, hints: Hints) -> Report:
    """One uplink; raises :class:`Rejected` where it names no device."""
    address = eui(text(body.get("devEUI")))
    if not address:
        raise Rejected("no_device", "devEUI is missing")
    times = _times(body)
    time_ms = next((at for one in times if (at := parse(one, hints.zone)) is not None), None)
    found = network.report(
        message,
        address=address,
        time_ms=time_ms,
        decoded=_decoded(body),
        encoded=text(body.get("data")),
        f_port=network.port(body.get("fPort")),
        names=[text(body.get("deviceProfileName")), text(body.get("deviceName"))],
        device=hints.device_at(address),
        zone=hints.zone,
    )
    if time_ms is None and any(times):
        found.dropped["time"] = f"{next(filter(None, times))!r:.40} is no time"
    return found


def eui(written: str) -> str:
    """A device's EUI in lower-case hex, from hex with separators or without, or from base64; others as they are."""
    plain = written.replace("-", "").replace(":", "").lower()
    if len(written) == _EUI_BASE64 and written.endswith("="):
        try:
            raw = base64.b64decode(written, validate=True)
        except (binascii.Error, ValueError):
            return plain
        return raw.hex() if len(raw) == _EUI_BYTES else plain
    return plain


def _times(body: dict[str, Any]) -> tuple[object, ...]:
    """The gateway's time, the server's of 2016, and the time of publishing, in the order they are to be trusted."""
    reception = body.get("rxInfo")
    gateways = reception if isinstance(reception, list) else []
    return (
        *(inner(one).get("time") for one in gateways[:16]),
        body.get("time"),
        body.get("gatewayTime"),
        body.get("publishedAt"),
    )


def _decoded(body: dict[str, Any]) -> dict[str, Any]:
    found = inner(body, "object")
    if found:
        return found
    written = body.get("objectJSON")
    if isinstance(written, str) and written.strip():
        try:
            return inner(msgspec.json.decode(written.encode()))
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return {}
    return {key: one for key, one in body.items() if key not in _ENVELOPE}
