"""Reading the payload bytes of a LoRaWAN model in a test; 85 is Milesight's port."""

from __future__ import annotations

from campus.clock import parse_iso
from ingest.decoding.lorawan import codec

THEN_S = parse_iso("2026-11-20T22:00:00Z") // 1000


def read(model, raw, port=85):
    return codec.read([model], raw if isinstance(raw, bytes) else bytes.fromhex(raw), port, guess=False)


def found(model, raw, port=85):
    """Quantity, channel, value, unit and own time in seconds of everything read."""
    return [
        (
            str(one.quantity),
            one.channel,
            one.value,
            one.unit,
            None if one.time_ms is None else one.time_ms // 1000,
        )
        for one in read(model, raw, port).values
    ]
