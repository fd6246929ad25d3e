"""Writes a simulated campus as a campus folder, so that the service and ``replay`` can be run with it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import yaml

from campus.calendar.timetable import CalendarSettings
from campus.campus import Campus
from campus.device import Device
from campus.folder.tables.cell import cell_of

_COLUMNS = (
    "id", "name", "kind", "building", "role", "profile", "address", "decoder", "model", "interval_s", "parent", "gateway",
    "register_modulus", "pulse_weight", "rated_current_a", "fields",
)  # fmt: skip


def write_folder(campus: Campus, calendar: CalendarSettings, folder: Path) -> None:
    """``site.yaml``, ``devices.csv``, ``calendar.yaml`` and ``rules.yaml`` of *campus*; makes the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "site.yaml", campus.site.model_dump(mode="json", exclude_defaults=True))
    _write(folder / "calendar.yaml", calendar.model_dump(mode="python", by_alias=True, exclude_defaults=True))
    _write(folder / "rules.yaml", dict(campus.rules))
    with (folder / "devices.csv").open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        table.writerows(_row(device) for device in campus.devices.values())


def _write(path: Path, settings: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _row(device: Device) -> list[str]:
    given = device.model_dump(mode="json")
    given["building"] = device.place.building
    given["fields"] = "; ".join(
        f"{name}={one.quantity}@{one.unit}" + (f":{one.channel}" if one.channel else "")
        for name, one in device.fields.items()
    )
    return [cell_of(str(given[name])) if given[name] not in {0, ""} else "" for name in _COLUMNS]
