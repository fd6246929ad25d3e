"""Changes to the register's file: one row, everything else as it was, and only when the whole folder still holds."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from campus.device import ID_CHARACTERS, ID_PATTERN
from campus.errors import FolderProblems, RegisterNotText
from campus.folder.editing.replace import check_content, replace_file
from campus.folder.expected import describe_pattern, shown
from campus.folder.load import RulesCheck
from campus.folder.tables.alias import DEVICE_HEADERS
from campus.folder.tables.cell import cell_of, text_of
from campus.folder.tables.table import ENCODINGS, REMARK, says_something
from campus.problem import Problem

_FILE = "devices.csv"
_FIRST = ("id", "name", "kind")


def put_device(
    folder: Path,
    device_id: str,
    values: Mapping[str, str],
    *,
    decoders: Iterable[str],
    check_rules: RulesCheck,
) -> None:
    """Changes columns of a device's row, or adds a row; *values* by English header, "" empties a cell.

    Raises :class:`campus.errors.FolderProblems` with the mistakes it would bring in, :class:`RegisterNotText` where the register is a
    workbook. Nothing is written then.
    """
    if len(device_id) > ID_CHARACTERS or not re.fullmatch(ID_PATTERN, device_id):
        # Beforehand: what is read from a cell has lost the space around it and would be another id.
        expected = describe_pattern(ID_PATTERN)
        raise FolderProblems(str(folder), [Problem(_FILE, 0, "id", shown("id", device_id), expected)])
    register = _Register(folder)
    register.put(device_id, {key: value.strip() for key, value in values.items()})
    content = register.content()
    check_content(folder, _FILE, content, decoders=decoders, check_rules=check_rules)
    replace_file(folder / _FILE, content)


class _Register:
    """devices.csv as cells, with what is needed to write it back the way it was."""

    def __init__(self, folder: Path) -> None:
        path = folder / _FILE
        others = [one.name for one in folder.glob("devices.xls*")]
        if others:
            raise RegisterNotText(others[0])
        raw = path.read_bytes() if path.exists() else b""
        self._encoding, text = _decoded(raw)
        self._rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        self._ending = "\r\n" if "\r\n" in text else "\n"
        at = next((index for index, cells in enumerate(self._rows) if says_something(cells)), None)
        if at is None:
            self._rows.append(list(_FIRST))
            at = len(self._rows) - 1
        self._header = at
        self._columns = [_meaning(cell) for cell in self._rows[at]]

    def put(self, device_id: str, values: Mapping[str, str]) -> None:
        row = self._row(device_id)
        for key, value in {"id": device_id, **values}.items():
            at = self._column(key, needed=bool(value))
            if at is not None:
                row.extend([""] * (at + 1 - len(row)))
                row[at] = cell_of(value)

    def content(self) -> bytes:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator=self._ending).writerows(self._rows)
        return out.getvalue().encode(self._encoding)

    def _row(self, device_id: str) -> list[str]:
        at = self._column("id", needed=True) or 0
        for cells in self._rows[self._header + 1 :]:
            if says_something(cells) and len(cells) > at and text_of(cells[at].strip()) == device_id:
                return cells
        self._rows.append([])
        return self._rows[-1]

    def _column(self, key: str, *, needed: bool) -> int | None:
        """Where *key* stands; a new column at the end, in the header's own language, where it is *needed*."""
        if key in self._columns:
            return self._columns.index(key)
        if not needed:
            return None
        header = self._rows[self._header]
        chinese = any(not cell.isascii() for cell in header)
        aliases = [alias for alias, meaning in DEVICE_HEADERS.items() if meaning == key]
        header.append(next((one for one in aliases if one.isascii() != chinese), key))
        self._columns.append(key)
        return len(self._columns) - 1


def _decoded(raw: bytes) -> tuple[str, str]:
    if not raw:
        return "utf-8-sig", ""
    for encoding in ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        marked = encoding != "utf-8-sig" or raw.startswith(b"\xef\xbb\xbf")
        return (encoding if marked else "utf-8"), text
    raise RegisterNotText(_FILE)


def _meaning(cell: str) -> str:
    title = cell.strip().lower()
    return DEVICE_HEADERS.get(title) or DEVICE_HEADERS.get(REMARK.sub("", title).strip()) or ""
