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

_NUMERIC = re.compile(r"[0-9]{9,19}(?:\.[0-9]{1,9})?")
#: yyyyMMddHHmmss, with milliseconds or without; no epoch has 14 or 17 digits
_COMPACT = re.compile(r"((?:19|20)[0-9]{12})([0-9]{3})?")
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]+")
_OFFSET_APART = re.compile(r"\s+(?=[+-][0-9]{2}:?[0-9]{2}$)")
_FORMATS = (
    "%Y%m%dT%H%M%SZ",
    "%Y%m%dT%H%M%S",
    "%Y.%m.%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y%m%d %H:%M:%S",
)


def epoch_ms(value: float) -> int:
    """Milliseconds of an epoch in s, ms, µs or ns, told apart by magnitude."""
    if value > 1e17:
        return int(value / 1e6)
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
        return epoch_ms(value) if 1e8 < value < 1e19 else None
    if not isinstance(value, str) or not 8 <= len(value) <= 48:
        return None
    text = value.strip()
    if not text[:1].isdigit():  # as every form begins
        return None
    compact = _COMPACT.fullmatch(text)
    if compact is not None:
        return _local(_by_format(compact[1], "%Y%m%d%H%M%S"), zone, int(compact[2] or 0))
    if _NUMERIC.fullmatch(text):
        return parse(float(text), zone)
    text = _OFFSET_APART.sub("", _FRACTION.sub(r"\1", text))
    found = _local(_iso(text), zone)
    if found is not None:
        return found
    moments = (_by_format(text, form) for form in _FORMATS)
    return next((found for one in moments if (found := _local(one, zone)) is not None), None)


def plausible(time_ms: int | None, received_ms: int) -> int | None:
    """*time_ms* when it lies between 2015 and ten minutes after its receipt, else None."""
    return time_ms if time_ms is not None and EARLIEST_MS <= time_ms <= received_ms + AHEAD_MS else None


def _local(moment: dt.datetime | None, zone: zoneinfo.ZoneInfo, extra_ms: int = 0) -> int | None:
    if moment is None:
        return None
    try:
        return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)) + extra_ms
    except OverflowError:  # the first and last day of the calendar, moved out of it by an offset
        return None


def _iso(text: str) -> dt.datetime | None:
    if "-" not in text:
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
