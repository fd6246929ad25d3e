"""Flux queries of the panels."""

from __future__ import annotations

import json
from collections.abc import Sequence

from campus.quantity import Quantity


def series(bucket: str, quantity: Quantity, devices: Sequence[str], *, aggregate: str = "mean") -> str:
    """The values of *quantity* of *devices*, one line a device and channel, at the panel's resolution."""
    return "\n  |> ".join(
        (
            f"from(bucket: {json.dumps(bucket)})",
            "range(start: v.timeRangeStart, stop: v.timeRangeStop)",
            f'filter(fn: (r) => r._measurement == "{quantity.value}" and r._field == "value")',
            f"filter(fn: (r) => contains(value: r.device, set: {json.dumps(list(devices), ensure_ascii=False)}))",
            f"aggregateWindow(every: v.windowPeriod, fn: {aggregate}, createEmpty: false)",
            'keep(columns: ["_time", "_value", "device", "channel"])',
        )
    )


def consumption(
    bucket: str, quantity: Quantity, devices: Sequence[str], *, every: str = "1d", zone: str
) -> str:
    """What registers counted a local day (or *every*); a register that goes back counts nothing."""
    return "\n  |> ".join(
        (
            f'import "timezone"\noption location = timezone.location(name: {json.dumps(zone)})\nfrom(bucket: {json.dumps(bucket)})',
            "range(start: v.timeRangeStart, stop: v.timeRangeStop)",
            f'filter(fn: (r) => r._measurement == "{quantity.value}" and r._field == "value")',
            f"filter(fn: (r) => contains(value: r.device, set: {json.dumps(list(devices), ensure_ascii=False)}))",
            "difference(nonNegative: true)",
            f'aggregateWindow(every: {every}, fn: sum, createEmpty: false, timeSrc: "_start")',
            'keep(columns: ["_time", "_value", "device", "channel"])',
        )
    )


def latest(bucket: str, quantity: Quantity, devices: Sequence[str]) -> str:
    """The newest value of each device within a day."""
    return "\n  |> ".join(
        (
            f"from(bucket: {json.dumps(bucket)})",
            "range(start: -1d)",
            f'filter(fn: (r) => r._measurement == "{quantity.value}" and r._field == "value")',
            f"filter(fn: (r) => contains(value: r.device, set: {json.dumps(list(devices), ensure_ascii=False)}))",
            "last()",
            'keep(columns: ["_time", "_value", "device", "channel"])',
        )
    )
