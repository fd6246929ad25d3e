"""Times as integers: milliseconds UTC inside, aware datetimes at the edges, the site's zone for people."""

from __future__ import annotations

import datetime as dt
import re
import time
import zoneinfo

from campus.errors import BadDuration, BadTime

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
#: a time that lies so far before one reached already is no hesitation: the clock was set back
SET_BACK_MS = 10 * MINUTE_MS
SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ONE_MS = dt.timedelta(milliseconds=1)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNIT_MS = {"ms": 1, "s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


def steady_ms() -> int:
    """A clock that nobody can set; only its differences mean anything."""
    return time.monotonic_ns() // 1_000_000


def to_ms(moment: dt.datetime) -> int:
    """Milliseconds of an aware datetime; raises :class:`BadTime` for a naive one."""
    if moment.tzinfo is None:
        raise BadTime(moment.isoformat())
    return (moment - _EPOCH) // _ONE_MS


def from_ms(time_ms: int, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """The aware datetime of *time_ms* in *zone*."""
    return (_EPOCH + dt.timedelta(milliseconds=time_ms)).astimezone(zone)


def iso(time_ms: int, zone: dt.tzinfo = dt.UTC) -> str:
    """*time_ms* as ISO 8601 with offset (``Z`` for UTC), milliseconds only where there are any."""
    moment = from_ms(time_ms, zone)
    text = moment.isoformat(timespec="milliseconds" if time_ms % SECOND_MS else "seconds")
    return text.replace("+00:00", "Z")


def parse_iso(text: str, zone: dt.tzinfo | None = None) -> int:
    """Milliseconds of an ISO 8601 text; one without offset is read in *zone*, or refused when that is None."""
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadTime(text) from error
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    return to_ms(moment)


def parse_duration(text: str | float) -> int:
    """Milliseconds of ``90s``, ``15m``, ``2h``, ``1d`` or ``1h30m``; a bare number is seconds."""
    if isinstance(text, int | float):
        return round(text * SECOND_MS)
    folded = text.strip().lower()
    parts = _DURATION.findall(folded)
    if not parts or re.sub(r"\s", "", _DURATION.sub("", folded)):
        raise BadDuration(text)
    return round(sum(float(number) * _UNIT_MS[unit] for number, unit in parts))
