"""A history in a file: CSV or Parquet with ``time,device,quantity,value[,channel][,unit]``.

Files are read a thousand rows at a time, never as a whole: what stays is the 21 bytes a reading of
:class:`store.timeseries.history.History`. Rows without a fault are taken column by column, which is twice as fast; where there is
one among them, that thousand is gone through row by row.
"""

from __future__ import annotations

import csv
import difflib
import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from campus.clock import iso, parse_iso, to_ms
from campus.errors import BadTime, UnknownQuantity, UnknownUnit
from campus.problem import Problem
from campus.quantity import SPECS, Quantity, quantity_of
from campus.reading import Series
from campus.unit import to_canonical
from store.errors import BadHistory
from store.timeseries.history import History

COLUMNS = ("time", "device", "quantity", "value", "channel", "unit")
_NEEDED = COLUMNS[:4]
_MEANING = ("device", "quantity", "channel", "unit")
#: so few that they stay in the processor's cache from one column to the next
_ROWS_AT_ONCE = 1_024
#: of a file whose every row is wrong the first tell enough
_MOST_PROBLEMS = 100
_TIME = "ISO 8601 with an offset, such as 2026-11-20T08:00:00+08:00"

Row = Sequence[Any]


def read_history(
    path: Path,
    problems: list[Problem],
    history: History | None = None,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> History:
    """The readings of *path*, added to *history* where that is given, in order of time.

    *advance* is told how many rows are behind, some thousands at a time. A row that cannot be read is added to *problems* and left out; where a series goes back in time there is a warning,
    and its readings are put in order. Raises :class:`store.errors.BadHistory` where the file as a whole is no history.
    """
    table = _Table(path.name, History() if history is None else history, problems)
    try:
        rows = _parquet_rows(path) if path.suffix.lower() == ".parquet" else _csv_rows(path)
        table.head([str(name).strip() for name in next(rows, ())])
        number = 2
        while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            table.take(number, some)
            number += len(some)
            advance(len(some))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise BadHistory(path.name, str(error)[:200], "a CSV (UTF-8) or Parquet file") from error
    table.end()
    return table.history


def _csv_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.reader(file)


def _parquet_rows(path: Path) -> Iterator[Row]:
    try:
        from store.timeseries.history_parquet import parquet_rows
    except ImportError as error:
        found = "Parquet, which is read with polars, and that is not installed"
        raise BadHistory(path.name, found, "a CSV file, or shouyuan[parquet] installed") from error
    return parquet_rows(path)


class _Mistake(Exception):
    """Raised for one field of a row: its column, what was found, what was expected."""

    def __init__(self, column: str, found: object, expected: str) -> None:
        self.column, self.found, self.expected = column, found, expected
        super().__init__(column)


class _Table:
    """One file on its way into a history."""

    def __init__(self, name: str, history: History, problems: list[Problem]) -> None:
        self.history = history
        self._name = name
        self._problems = problems
        self._wrong = 0
        self._at: dict[str, int] = {}
        self._known: dict[Row, tuple[int, Quantity, str]] = {}
        self._last: dict[int, int] = {}
        self._back = 0
        self._first_back: tuple[int, int, int, int] | None = None

    def head(self, names: Sequence[str]) -> None:
        """Takes the names of the columns; an unknown one is an error only where it seems to be one of ours, misspelt."""
        self._at = {name: index for index, name in enumerate(names)}
        missing = [name for name in COLUMNS if name not in self._at]
        for name in (one for one in names if one not in COLUMNS):
            near = difflib.get_close_matches(name.lower(), missing, n=1)
            if near:
                raise BadHistory(
                    self._name,
                    f"the unknown column {name!r}",
                    f"{', '.join(COLUMNS)} (did you mean {near[0]}?)",
                )
            self._report(
                1, name, "an unknown column, passed over", f"only {', '.join(COLUMNS)}", warning=True
            )
        if needed := [name for name in missing if name in _NEEDED]:
            expected = f"also {', '.join(needed)} (needed are {', '.join(_NEEDED)})"
            raise BadHistory(self._name, f"the columns {', '.join(names) or 'none'}", expected)

    def take(self, number: int, rows: Sequence[Row]) -> None:
        """Adds the readings of *rows*, or the problems with them; *number* is that of the first."""
        try:
            self._take_columns([row for row in rows if row])  # a line with nothing on it is no row
        except (_Mistake, BadTime, UnknownUnit, AttributeError, IndexError, TypeError, ValueError):
            for at, row in enumerate(rows, start=number):
                if row:
                    self._take_row(at, row)

    def _take_columns(self, rows: Sequence[Row]) -> None:
        """Adds all of *rows*, or none where anything is not as it should be: which, :meth:`_take_row` will say."""
        values = list(map(float, self._column(rows, "value")))
        said = list(self._column(rows, "time"))
        moments = map(datetime.fromisoformat, said) if said and isinstance(said[0], str) else said
        times = list(map(to_ms, moments))
        names = list(zip(*(self._column(rows, name) for name in _MEANING), strict=True))
        meant = {one: self._meaning(one) for one in dict.fromkeys(names)}
        if not all(map(math.isfinite, values)):
            raise ValueError
        if any(unit != SPECS[quantity].unit for _, quantity, unit in meant.values()):
            units = [meant[one][1:] for one in names]
            values = [to_canonical(kind, one, unit) for one, (kind, unit) in zip(values, units, strict=True)]
        numbers = [meant[one][0] for one in names]
        last = self._last.copy()
        for series, time_ms in zip(numbers, times, strict=True):
            if last.get(series, time_ms) > time_ms:
                raise ValueError
            last[series] = time_ms
        self._last = last
        self.history.extend(numbers, values, times)

    def _take_row(self, number: int, row: Row) -> None:
        """Adds the reading of a row, or the problem with it."""
        try:
            series, quantity, unit = self._meant(row)
            value, time_ms = self._value(row), self._time(row)
            canonical = to_canonical(quantity, value, unit)
        except _Mistake as error:
            self._mistaken(number, error.column, error.found, error.expected)
            return
        except UnknownUnit as error:
            self._mistaken(number, "unit", error.found, str(error))
            return
        last_ms = self._last.setdefault(series, time_ms)
        if time_ms < last_ms:
            self._back += 1
            self._first_back = self._first_back or (number, series, time_ms, last_ms)
        else:
            self._last[series] = time_ms
        self.history.add(series, canonical, time_ms)

    def end(self) -> None:
        """Says how many mistakes were not told one by one, and whether rows had to be put in order."""
        if self._wrong > _MOST_PROBLEMS:
            more = f"{self._wrong - _MOST_PROBLEMS} more rows that cannot be read"
            self._report(0, "", more, f"rows with {', '.join(_NEEDED)}")
        if self._first_back is not None:
            row, series, time_ms, last_ms = self._first_back
            found = f"{iso(time_ms)} after {iso(last_ms)} of {self.history.series[series]}"
            expected = f"times that go up; put in order here ({self._back} rows so)"
            self._report(row, "time", found, expected, warning=True)

    def _meant(self, row: Row) -> tuple[int, Quantity, str]:
        """The number of the row's series, its quantity and its unit; looked up once for all rows that say the same."""
        return self._meaning(tuple(self._field(row, name) for name in _MEANING))

    def _meaning(self, said: Row) -> tuple[int, Quantity, str]:
        found = self._known.get(said)
        if found is None:
            device, name, channel, unit = (str(one or "") for one in said)
            if not device:
                raise _Mistake("device", "nothing", "a device's id")
            try:
                quantity = quantity_of(name)
            except UnknownQuantity as error:
                near = difflib.get_close_matches(name, list(SPECS), n=1)
                hint = f" (did you mean {near[0]}?)" if near else ""
                raise _Mistake("quantity", name or "nothing", f"a known quantity{hint}") from error
            number = self.history.number(Series(device, quantity, channel))
            found = self._known[said] = (number, quantity, unit or SPECS[quantity].unit)
        return found

    def _value(self, row: Row) -> float:
        said = self._field(row, "value")
        try:
            value = float(said)
        except (TypeError, ValueError):
            raise _Mistake("value", said or "nothing", "a number") from None
        if not math.isfinite(value):
            raise _Mistake("value", said, "a finite number")
        return value

    def _time(self, row: Row) -> int:
        said = self._field(row, "time")
        try:
            if isinstance(said, str):
                return parse_iso(said)
            if isinstance(said, datetime):
                return to_ms(said)
        except BadTime:
            pass
        raise _Mistake("time", said or "nothing", _TIME)

    def _column(self, rows: Sequence[Row], name: str) -> Iterable[Any]:
        at = self._at.get(name)
        return itertools.repeat(None, len(rows)) if at is None else map(operator.itemgetter(at), rows)

    def _field(self, row: Row, name: str) -> Any:
        at = self._at.get(name, -1)
        return row[at] if 0 <= at < len(row) else None

    def _mistaken(self, number: int, column: str, found: object, expected: str) -> None:
        self._wrong += 1
        if self._wrong <= _MOST_PROBLEMS:
            self._report(number, column, str(found)[:120], expected)

    def _report(self, row: int, key: str, found: str, expected: str, *, warning: bool = False) -> None:
        self._problems.append(Problem(self._name, row, key, found, expected, warning=warning))
