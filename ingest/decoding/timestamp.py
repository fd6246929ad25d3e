"""Times as devices write them, judged for plausibility (PAYLOADS.md 1, quirks 1 to 7)."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo

from campus.clock import to_ms

#: nothing of ours ran before this
EARLIEST_MS = 1_420_070_400_000  # 2015-01-01T00:00:00Z
#: a clock this far ahead is still taken as right
AHEAD_MS = 10 * 60 * 1000

_FRACTION = re.compile(r"(\.\d{6})\d+")
_FORMATS = (
    "%Y%m%dT%H%M%SZ",
    "%Y.%m.%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d%H%M%S",
)
_COMPACT = re.compile(r"(?:19|20)\d{12}")


def epoch_ms(value: float) -> int:
    """Milliseconds of an epoch in s, ms or µs, told apart by magnitude."""
    if value > 1e14:
        return int(value / 1000)
    if value > 1e11:
        return int(value)
    return round(value * 1000)


def parse(value: object, zone: zoneinfo.ZoneInfo) -> int | None:
    """Milliseconds of a time in any of the usual forms, or None; texts without offset are read in *zone*."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return epoch_ms(value) if 1e8 < value < 1e17 else None
    if not isinstance(value, str) or not 8 <= len(value) <= 48:
        return None
    text = value.strip()
    if text.replace(".", "", 1).isdigit() and not _COMPACT.fullmatch(text) and len(text) >= 9:
        return parse(float(text), zone)
    return _text(_FRACTION.sub(r"\1", text), zone)


def plausible(time_ms: int | None, received_ms: int) -> int | None:
    """*time_ms* when it lies between 2015 and ten minutes after its receipt, else None."""
    return time_ms if time_ms is not None and EARLIEST_MS <= time_ms <= received_ms + AHEAD_MS else None


def _text(text: str, zone: zoneinfo.ZoneInfo) -> int | None:
    for moment in (_iso(text), *(_by_format(text, form) for form in _FORMATS)):
        if moment is not None:
            try:
                return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))
            except OverflowError:
                return None
    return None


def _iso(text: str) -> dt.datetime | None:
    if _COMPACT.fullmatch(text) or "-" not in text:
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _by_format(text: str, form: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the caller's to set
    except ValueError:
        return None
    return moment.replace(tzinfo=dt.UTC) if form.endswith("Z") else moment
