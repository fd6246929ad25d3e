"""One mistake in a campus folder, told so that a person can mend it."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True, order=True):
    """Where a mistake stands, what was found there and what was expected.

    *file* is relative to the campus folder; *row* counts as a spreadsheet does (the header is row 1), 0
    where the file has no rows; *key* is the column's or the setting's name (dotted for nested settings).
    """

    file: str
    row: int
    key: str
    found: str
    expected: str
    warning: bool = False

    def where(self) -> str:
        """The place as ``devices.csv:7:kind`` or ``site.yaml:broker.url``."""
        parts = [self.file, str(self.row) if self.row else "", self.key]
        return ":".join(part for part in parts if part)
