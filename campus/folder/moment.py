"""Dates and times as people and spreadsheets write them: 2026-11-21, 2026/11/21 8:00, 2026年11月21日 8:00."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

_MOMENT = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:(?:\s*T\s*|\s+|(?<=日))(\d{1,2})[:\uff1a](\d{2})(?:[:\uff1a](\d{2})(?:\.\d+)?)?)?"
)


class Moment(NamedTuple):
    """A time, local unless it was written with its offset, and whether only its day was written."""

    local: dt.datetime
    whole_day: bool


def parse_moment(text: str) -> Moment:
    """*text* as a local time; raises ValueError."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return Moment(dt.datetime.fromisoformat(text.strip()), whole_day=False)
    year, month, day, hour, minute, second = (int(one or 0) for one in match.groups())
    whole_day = match[4] is None
    date = dt.datetime(year, month, day)  # noqa: DTZ001 - the site's zone is added by whoever knows it
    if whole_day:
        return Moment(date, whole_day=True)
    if (hour, minute, second) == (24, 0, 0):
        return Moment(date + dt.timedelta(days=1), whole_day=False)
    return Moment(date.replace(hour=hour, minute=minute, second=second), whole_day=False)
