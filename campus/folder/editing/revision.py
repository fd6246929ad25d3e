"""What changed in the register from one reading of it to the next: added, removed, moved, swapped, calibrated, edited."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from campus.device import Device


class Change(enum.StrEnum):
    """What became of a device."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    SWAPPED = "swapped"
    CALIBRATED = "calibrated"
    EDITED = "edited"


class Revision(msgspec.Struct, frozen=True):
    """One change of one device: *before* and *after* hold the columns that differ."""

    device: str
    change: Change
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}


#: which columns make a change more than an edit
_KINDS: dict[str, Change] = {
    "place": Change.MOVED,
    "swaps": Change.SWAPPED,
    "address": Change.SWAPPED,
    "calibration_offset": Change.CALIBRATED,
    "calibration_date": Change.CALIBRATED,
}


def revisions(old: Mapping[str, Device], new: Mapping[str, Device]) -> Iterator[Revision]:
    """Every change from *old* to *new*, in the order of the register; several of one device where they are of several kinds."""
    for device_id, device in new.items():
        before = old.get(device_id)
        if before is None:
            yield Revision(device_id, Change.ADDED, after=_entry(device))
        elif before != device:
            yield from _changes(before, device)
    for device_id, device in old.items():
        if device_id not in new:
            yield Revision(device_id, Change.REMOVED, before=_entry(device))


def _changes(before: Device, after: Device) -> Iterator[Revision]:
    was, now = before.model_dump(mode="json"), after.model_dump(mode="json")
    differing: dict[Change, list[str]] = {}
    for key, value in now.items():
        if value != was[key]:
            differing.setdefault(_KINDS.get(key, Change.EDITED), []).append(key)
    for change, keys in differing.items():
        yield Revision(after.id, change, {key: was[key] for key in keys}, {key: now[key] for key in keys})


def _entry(device: Device) -> dict[str, Any]:
    """What is written in the register of a device, without what is left empty."""
    return {
        key: value for key, value in device.model_dump(mode="json").items() if value not in ("", 0, [], {})
    }
