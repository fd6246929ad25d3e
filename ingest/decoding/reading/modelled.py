"""Properties whose identifiers a product model chose: read by the register, then by their names, then kept as they are."""

from __future__ import annotations

from collections.abc import Callable

from campus.device import Device
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning, meaning
from ingest.decoding.reading.number import number
from ingest.message import Value


def modelled_value(
    name: str,
    raw: object,
    device: Device | None,
    dropped: dict[str, str],
    *,
    unit: str = "",
    time_ms: int | None = None,
    understand: Callable[[str], Meaning | None] = meaning,
) -> Value | None:
    """The value of property *name*, its name read by *understand*; the register wins over it.

    An identifier nobody explains keeps its name as quantity, for the register to map; texts are no readings.
    """
    if not name:
        return None
    known = registered(name, device) or understand(name)
    if known is None and number(raw) is None:
        return None
    return value_of(known or Meaning(name, ""), name, raw, dropped, unit=unit, time_ms=time_ms)
