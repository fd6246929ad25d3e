"""What would be read from a message, for somebody who connects a new device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campus.clock import iso
from campus.errors import UnknownUnit
from campus.quantity import SPECS, Quantity
from campus.unit import to_canonical
from ingest.decoding.contract import Hints
from ingest.decoding.registry import Registry
from ingest.errors import Rejected
from ingest.message import Message, Report, Value


def decode_for_display(
    registry: Registry, message: Message, hints: Hints, *, name: str = ""
) -> list[dict[str, Any]] | dict[str, str]:
    """One object a reading, in canonical units where the quantity is known; ``{"rejected": reason}`` otherwise.

    What the normaliser would refuse as impossible (a humidity of 104.7 %) is left out here too.
    """
    try:
        _, decoded = registry.decode(message, hints, name=name)
    except Rejected as rejected:
        return {"rejected": str(rejected)}
    return [one for report in decoded.reports for one in _shown(report)]


def unread(registry: Registry, message: Message, hints: Hints, *, name: str = "") -> list[str]:
    """Why what a device sent could not be read, though the message around it could: it waits for the register."""
    try:
        _, decoded = registry.decode(message, hints, name=name)
    except Rejected:
        return []
    return [f"{report.address}: {report.unread}" for report in decoded.reports if report.unread]


def _shown(report: Report) -> Iterator[dict[str, Any]]:
    for value in report.values:
        amount, unit = _canonical(value)
        spec = SPECS.get(Quantity(value.quantity)) if value.quantity in SPECS else None
        if spec is not None and unit == spec.unit and not spec.low <= amount <= spec.high:
            continue
        time_ms = value.time_ms if value.time_ms is not None else report.time_ms
        yield {
            "device": report.address,
            "quantity": str(value.quantity),
            "channel": value.channel,
            "value": amount,
            "unit": unit,
            "time": iso(time_ms) if time_ms is not None else None,
            "quality": value.quality.name.lower(),
        }


def _canonical(value: Value) -> tuple[float, str]:
    if value.quantity not in SPECS:
        return value.value, value.unit
    quantity = Quantity(value.quantity)
    try:
        return round(to_canonical(quantity, value.value, value.unit), 9), SPECS[quantity].unit
    except UnknownUnit:
        return value.value, value.unit
