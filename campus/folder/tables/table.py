"""Tables a school keeps in a spreadsheet: CSV in the usual Chinese encodings, xlsx or xls."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

from campus.folder.expected import shown, similar
from campus.folder.tables.cell import text_of
from campus.problem import Problem

ENCODINGS = ("utf-8-sig", "gb18030")
_ENDINGS = ("csv", "xlsx", "xls")
#: spreadsheets keep 15 digits of a number; the rest of a longer one is lost
_EXACT_BELOW = 10**15
REMARK = re.compile(r"[(\uff08][^()\uff08\uff09]*[)\uff09]$|\*$")


class Row(msgspec.Struct, frozen=True):
    """One line of a table under its header: *number* as a spreadsheet counts, values by English header."""

    file: str
    number: int
    values: dict[str, str]

    def text(self, key: str) -> str:
        """What stands in a column; empty for nothing."""
        return self.values.get(key, "")

    def problem(self, key: str, expected: str, *, found: str | None = None, warning: bool = False) -> Problem:
        """A mistake in this row."""
        said = shown(key, self.text(key) if found is None else found) or "nothing"
        return Problem(self.file, self.number, key, said, expected, warning)


class Table(msgspec.Struct, frozen=True):
    """A table as read; *present* is false where there is no such file."""

    file: str
    rows: list[Row]
    present: bool = True


def read_table(
    folder: Path, stem: str, headers: Mapping[str, str], required: Sequence[str], problems: list[Problem]
) -> Table:
    """The table in ``stem.csv``, ``.xlsx`` or ``.xls``. *headers* maps every alias to its English header."""
    names = [f"{stem}.{ending}" for ending in _ENDINGS if (folder / f"{stem}.{ending}").exists()]
    if not names:
        return Table(f"{stem}.csv", [], present=False)
    name = names[0]
    problems.extend(Problem(other, 0, "", f"{name} as well", f"only one {stem} table") for other in names[1:])
    try:
        lines = list(_lines(folder / name, problems))
    except OSError as error:
        problems.append(Problem(name, 0, "", error.strerror or str(error), "a readable file"))
        return Table(name, [])
    return Table(name, list(_rows(name, lines, headers, required, problems)))


def _rows(
    name: str,
    lines: list[list[str]],
    headers: Mapping[str, str],
    required: Sequence[str],
    problems: list[Problem],
) -> Iterator[Row]:
    remarks = [(number, cells) for number, cells in enumerate(lines, start=1) if _is_remark(cells)]
    written = [(number, cells) for number, cells in enumerate(lines, start=1) if says_something(cells)]
    if not written:
        return
    header_row, header = written[0]
    columns = _columns(name, header_row, header, headers, problems)
    missing = [one for one in required if one not in columns]
    for one in missing:
        aliases = [alias for alias, meaning in headers.items() if meaning == one and alias != one]
        expected = f"a column {one} ({' or '.join(aliases)})"
        problems.append(Problem(name, header_row, one, "no such column", expected))
    if missing:
        return
    problems.extend(_hidden(name, columns, required, [one for one in remarks if one[0] > header_row]))
    for number, cells in written[1:]:
        row = _row(name, number, columns, cells)
        beyond = ",".join(cells[len(columns) :]).strip(", \t")
        if beyond:
            expected = f"at most {len(columns)} cells; one that holds a comma goes in quotes"
            problems.append(row.problem("", expected, found=f"{beyond} after the last column"))
        if any(row.values.values()):
            yield row


def says_something(cells: list[str]) -> bool:
    """False for empty lines and for remarks, which begin with #."""
    return any(cell.strip() for cell in cells) and not _is_remark(cells)


def _is_remark(cells: list[str]) -> bool:
    return bool(cells) and cells[0].lstrip().startswith("#")


def _row(name: str, number: int, columns: list[str], cells: list[str]) -> Row:
    values = {key: text_of(cell.strip()) for key, cell in zip(columns, cells, strict=False) if key}
    return Row(name, number, values)


def _hidden(
    name: str, columns: list[str], required: Sequence[str], remarks: list[tuple[int, list[str]]]
) -> Iterator[Problem]:
    """Remarks that are whole lines of the table: where the name comes first, one such as ``#1`` may be meant."""
    if columns[:1] != ["name"]:
        return
    for number, cells in remarks:
        row = _row(name, number, columns, cells)
        if all(row.text(key) for key in required):
            expected = "an apostrophe before the #, where it is a name; this line is read as a remark"
            yield row.problem(columns[0], expected, warning=True)


def _columns(
    name: str, row: int, header: list[str], headers: Mapping[str, str], problems: list[Problem]
) -> list[str]:
    columns: list[str] = []
    for cell in header:
        title = cell.strip()
        plain = REMARK.sub("", title).strip()
        known = headers.get(title.lower()) or headers.get(plain.lower()) or ""
        if title and not known:
            expected = f"one of {', '.join(dict.fromkeys(headers.values()))}{similar(plain, headers)}"
            problems.append(Problem(name, row, shown("", title), "unknown column", expected))
        if known and known in columns:
            problems.append(Problem(name, row, title, f"a second column for {known}", "each column once"))
            known = ""
        columns.append(known)
    return columns


def _lines(path: Path, problems: list[Problem]) -> Iterator[list[str]]:
    return _csv(path, problems) if path.suffix == ".csv" else _workbook(path, problems)


def _csv(path: Path, problems: list[Problem]) -> Iterator[list[str]]:
    raw = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        row = 1
        try:
            # Strictly: a stray quote would swallow the rows that follow it without a word.
            for cells in csv.reader(io.StringIO(text, newline=""), strict=True):
                yield cells
                row += 1
        except csv.Error as error:
            problems.append(Problem(path.name, row, "", str(error), "a line of a CSV file"))
        return
    problems.append(Problem(path.name, 0, "", "an unknown encoding", "a file saved as UTF-8 or GBK"))


def _workbook(path: Path, problems: list[Problem]) -> Iterator[list[str]]:
    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        for row in sheet.to_python(skip_empty_area=False):
            yield [_cell(cell) for cell in row]
    except CalamineError as error:
        problems.append(Problem(path.name, 0, "", shown("", str(error)), "an Excel workbook"))


def _cell(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell)) if abs(cell) < _EXACT_BELOW else f"{cell:E}"
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
