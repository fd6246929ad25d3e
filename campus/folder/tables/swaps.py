"""meter_swaps.csv (换表记录): which meter was replaced when, at what index the old one ended and the new one began."""

from __future__ import annotations

import math
import zoneinfo
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from campus.clock import to_ms
from campus.device import Device, MeterSwap
from campus.folder.expected import similar
from campus.folder.moment import parse_moment
from campus.folder.tables.alias import SWAP_HEADERS
from campus.folder.tables.register import Registered
from campus.folder.tables.table import Row, read_table
from campus.problem import Problem


def with_swaps(
    folder: Path, zone: zoneinfo.ZoneInfo, register: Registered, problems: list[Problem]
) -> list[Device]:
    """The register's devices, each with its swaps in the order of time; times are local unless written otherwise."""
    table = read_table(folder, "meter_swaps", SWAP_HEADERS, ("device", "time", "end"), problems)
    swaps: dict[str, list[MeterSwap]] = defaultdict(list)
    for row in table.rows:
        swap = _swap(row, zone, register.ids, problems)
        if swap is not None:
            swaps[row.text("device")].append(swap)
    return [_with(device, swaps.get(device.id, [])) for device in register.devices]


def _with(device: Device, swaps: list[MeterSwap]) -> Device:
    if not swaps:
        return device
    return device.model_copy(update={"swaps": tuple(sorted(swaps, key=lambda swap: swap.time_ms))})


def _swap(
    row: Row, zone: zoneinfo.ZoneInfo, known: Collection[str], problems: list[Problem]
) -> MeterSwap | None:
    before = len(problems)
    if row.text("device") not in known:
        expected = f"the id of a device{similar(row.text('device'), known)}"
        problems.append(row.problem("device", expected))
    time_ms = _time_ms(row, zone, problems)
    end = _index(row, "end", problems)
    start = _index(row, "start", problems) if row.text("start") else 0.0
    return MeterSwap(time_ms=time_ms, end=end, start=start) if len(problems) == before else None


def _time_ms(row: Row, zone: zoneinfo.ZoneInfo, problems: list[Problem]) -> int:
    try:
        local = parse_moment(row.text("time")).local
    except ValueError:
        problems.append(row.problem("time", "a date, or a date and a time such as 2026-11-21 10:30"))
        return 0
    return to_ms(local if local.tzinfo is not None else local.replace(tzinfo=zone))


def _index(row: Row, key: str, problems: list[Problem]) -> float:
    try:
        index = float(row.text(key).replace(",", ""))
    except ValueError:
        index = math.nan
    if not (math.isfinite(index) and index >= 0):
        problems.append(row.problem(key, "the index the meter showed, a number of m3 or kWh"))
        return 0.0
    return index
