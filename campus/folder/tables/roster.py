"""roster.csv (值班表): who is on duty when, and where nobody is."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path

from campus.clock import from_ms, to_ms
from campus.folder.expected import similar
from campus.folder.moment import Moment, parse_moment
from campus.folder.tables.alias import ROSTER_HEADERS
from campus.folder.tables.table import Row, read_table
from campus.person import Shift
from campus.problem import Problem

_EXPECTED = "a date, or a date and a time such as 2026-11-21 18:00"
_DAY = dt.timedelta(days=1)
_Placed = tuple[Row, Shift]


def read_roster(
    folder: Path, zone: zoneinfo.ZoneInfo, ids: Mapping[str, str], problems: list[Problem]
) -> list[Shift]:
    """Every shift. *ids* are people by id and by name.

    Times are local, half open, and may run past midnight. Where both ends are days, whole days are meant, the last one
    included; without an end, the one day.
    """
    table = read_table(folder, "roster", ROSTER_HEADERS, ("person", "from"), problems)
    placed: list[_Placed] = []
    complete = True
    for row in table.rows:
        shift = _shift(row, zone, ids, problems)
        if shift is None:
            complete = False
        else:
            placed.append((row, shift))
    if complete:  # else each row with a mistake would be told a second time, as a gap
        problems.extend(_gaps(placed, zone))
    return [shift for _, shift in placed]


def _shift(
    row: Row, zone: zoneinfo.ZoneInfo, ids: Mapping[str, str], problems: list[Problem]
) -> Shift | None:
    found = row.text("person")
    person = ids.get(found)
    if person is None:
        problems.append(row.problem("person", f"somebody in people.csv{similar(found, ids)}"))
    start = _moment(row, "from", problems)
    end = _moment(row, "to", problems) if row.text("to") else _whole(row, start, problems)
    if person is None or start is None or end is None:
        return None
    until = end.local + _DAY if start.whole_day and end.whole_day else end.local
    from_ms_, until_ms = _ms(start.local, zone), _ms(until, zone)
    if until_ms <= from_ms_:
        problems.append(row.problem("to", f"a moment after {row.text('from')}"))
        return None
    return Shift(person=person, from_ms=from_ms_, to_ms=until_ms)


def _moment(row: Row, key: str, problems: list[Problem]) -> Moment | None:
    try:
        return parse_moment(row.text(key))
    except ValueError:
        problems.append(row.problem(key, _EXPECTED))
        return None


def _whole(row: Row, start: Moment | None, problems: list[Problem]) -> Moment | None:
    if start is not None and not start.whole_day:
        problems.append(row.problem("to", _EXPECTED))
        return None
    return start


def _ms(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> int:
    return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def _gaps(placed: list[_Placed], zone: zoneinfo.ZoneInfo) -> Iterator[Problem]:
    """A warning for each stretch between two shifts in which nobody is on duty, at the row before it."""
    last: _Placed | None = None
    for row, shift in sorted(placed, key=lambda one: one[1].from_ms):
        if last is not None and shift.from_ms > last[1].to_ms:
            until = from_ms(shift.from_ms, zone)
            since = from_ms(last[1].to_ms, zone)
            found = f"nobody is on duty from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}"
            yield last[0].problem("to", "shifts without a gap", found=found, warning=True)
        if last is None or shift.to_ms > last[1].to_ms:
            last = (row, shift)
