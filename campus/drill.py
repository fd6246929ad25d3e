"""What marks an exercise: drill devices are told from real ones by the first letters of their id."""

from __future__ import annotations

PREFIX = "drill-"


def is_drill(device: str) -> bool:
    """Whether an id is a drill device's: its alerts carry 【演练】, and its readings count nowhere."""
    return device.startswith(PREFIX)
