"""Times as scenario files write them: durations, and a start after a while or at a time of the day."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

from campus.clock import from_ms, parse_duration, to_ms
from campus.errors import BadDuration

_CLOCK = re.compile(r"(?:(mon|tue|wed|thu|fri|sat|sun)\s+)?([01]?\d|2[0-3]):([0-5]\d)", re.IGNORECASE)
_NEEDS_UNIT = "a duration with its unit, such as 90s, 15m, 2h or 1d12h"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _duration(value: object) -> int:
    """Milliseconds; raises ValueError. A bare number is refused, as its unit would be a guess."""
    if not isinstance(value, str):
        raise ValueError(_NEEDS_UNIT)  # noqa: TRY004 - pydantic tells a ValueError as a mistake of the file
    sign = -1 if value.strip().startswith("-") else 1
    try:
        return sign * parse_duration(value.strip().removeprefix("-"))
    except BadDuration as error:
        raise ValueError(_NEEDS_UNIT) from error


class Start(NamedTuple):
    """When a fault begins: *after_ms* from the scenario's start, or the first *weekday* and *clock* after it."""

    after_ms: int = 0
    clock: dt.time | None = None
    weekday: int | None = None

    def at(self, start_ms: int, zone: zoneinfo.ZoneInfo) -> int:
        """The moment, for a scenario that starts at *start_ms*."""
        if self.clock is None:
            return start_ms + self.after_ms
        local = from_ms(start_ms, zone)
        for days in range(8):
            day = local.date() + dt.timedelta(days=days)
            moment_ms = to_ms(dt.datetime.combine(day, self.clock, zone))
            if moment_ms >= start_ms and self.weekday in {None, day.weekday()}:
                return moment_ms
        raise AssertionError("any weekday and time comes within eight days")


def _start(value: object) -> Start:
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        day, hour, minute = match.groups()
        return Start(0, dt.time(int(hour), int(minute)), _WEEKDAYS.index(day.lower()) if day else None)
    if not isinstance(value, str):
        raise ValueError('a text in quotes: a time such as "22:30" or "sat 10:00", or a while such as "2h"')  # noqa: TRY004 - as above
    after_ms = _duration(value)
    if after_ms < 0:
        raise ValueError("a start that does not lie before the scenario's own")
    return Start(after_ms)


Duration = Annotated[int, BeforeValidator(_duration)]
StartTime = Annotated[Start, BeforeValidator(_start)]
