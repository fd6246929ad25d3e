"""Tables a school keeps in a spreadsheet: CSV in the usual Chinese encodings, xlsx or xls."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from campus.problem import Problem

_ENCODINGS = ("utf-8-sig", "gb18030")
Row = tuple[int, dict[str, str]]


def read_table(
    folder: Path, stem: str, headers: Mapping[str, str], problems: list[Problem]
) -> tuple[str, list[Row]]:
    """The file's name and its rows as (row number, values by English header). *headers* maps every alias to it."""
    for name in (f"{stem}.csv", f"{stem}.xlsx", f"{stem}.xls"):
        path = folder / name
        if path.exists():
            lines = _csv(path, problems) if name.endswith(".csv") else _workbook(path, problems)
            return name, _rows(name, lines, headers, problems)
    return f"{stem}.csv", []


def _rows(
    name: str, lines: list[list[str]], headers: Mapping[str, str], problems: list[Problem]
) -> list[Row]:
    if not lines:
        return []
    names = []
    for column in lines[0]:
        known = headers.get(column.strip()) or headers.get(column.strip().lower())
        if known is None and column.strip():
            problems.append(
                Problem(
                    name,
                    1,
                    column.strip(),
                    "unknown column",
                    f"one of {', '.join(sorted(set(headers.values())))}",
                )
            )
        names.append(known or "")
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        values = {key: cell.strip() for key, cell in zip(names, cells, strict=False) if key}
        if any(values.values()) and not cells[0].lstrip().startswith("#"):
            rows.append((number, values))
    return rows


def _csv(path: Path, problems: list[Problem]) -> list[list[str]]:
    raw = path.read_bytes()
    for encoding in _ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return list(csv.reader(io.StringIO(text, newline="")))
        except csv.Error as error:
            problems.append(Problem(path.name, 0, "", str(error), "a CSV file"))
            return []
    problems.append(Problem(path.name, 0, "", "an unknown encoding", "UTF-8 or GBK"))
    return []


def _workbook(path: Path, problems: list[Problem]) -> list[list[str]]:
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheet = workbook.get_sheet_by_index(0)
        return [[_cell(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, OSError) as error:
        problems.append(Problem(path.name, 0, "", str(error), "an Excel workbook"))
        return []


def _cell(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
