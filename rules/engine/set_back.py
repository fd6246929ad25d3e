"""A clock that was set back: the past of the rules is moved by as much, so that nothing in it lies ahead."""

from __future__ import annotations

from typing import Any

from campus.clock import DAY_MS

#: whole numbers this close to the present are moments; counts, spans and checksums are far smaller
_NEAR_MS = 20 * 365 * DAY_MS


def moved(value: Any, now_ms: int, by_ms: int) -> Any:
    """*value*, of JSON, with every moment in it moved by *by_ms*; *now_ms* is the present it was kept at."""
    match value:
        case dict():
            return {key: moved(one, now_ms, by_ms) for key, one in value.items()}
        case list():
            return [moved(one, now_ms, by_ms) for one in value]
        case int() if abs(value - now_ms) < _NEAR_MS:
            return value + by_ms
        case _:
            return value
