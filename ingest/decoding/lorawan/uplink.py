"""What a codec reads from the bytes of one uplink."""

from __future__ import annotations

import msgspec

from ingest.message import Value


class Uplink(msgspec.Struct):
    """Filled by a codec: values, fields that say a reading failed, and the device's own words on its state."""

    values: list[Value] = msgspec.field(default_factory=list)
    dropped: dict[str, str] = msgspec.field(default_factory=dict)
    flags: dict[str, str] = msgspec.field(default_factory=dict)
