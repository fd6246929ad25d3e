"""The errors of the campus vocabulary.

CampusError
├── UnknownQuantity      a quantity's name is not in the vocabulary
├── UnknownUnit          a unit cannot be turned into the quantity's canonical one
├── BadTime              a text or number is not a time
├── BadDuration          a text is not a duration such as ``15m``
├── UnknownDevice        no device of that id is in the register
├── RegisterNotText      the register is a workbook or no text, so that its file is not ours to edit
└── FolderProblems       a campus folder cannot be used; carries every problem found
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from campus.problem import Problem


class CampusError(Exception):
    """Base of every error this room raises."""


class UnknownQuantity(CampusError):
    """Raised where a name should be one of ``campus.Quantity`` and is not."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(f"quantity {found!r} is not known; expected one of the names in campus.quantity")


class UnknownUnit(CampusError):
    """Raised where a value's unit has no conversion to the quantity's canonical unit."""

    def __init__(self, quantity: str, found: str, expected: Sequence[str]) -> None:
        self.quantity = quantity
        self.found = found
        super().__init__(f"unit {found!r} cannot measure {quantity}; expected one of {', '.join(expected)}")


class BadTime(CampusError):
    """Raised where a source's time cannot be read as one."""

    def __init__(self, found: object) -> None:
        self.found = found
        super().__init__(f"{found!r} is not a time; expected ISO 8601 or epoch seconds, ms or µs")


class BadDuration(CampusError):
    """Raised where a configured duration cannot be read."""

    def __init__(self, found: object) -> None:
        self.found = found
        super().__init__(f"{found!r} is not a duration; expected a number and s, m, h or d, such as 15m")


class UnknownDevice(CampusError):
    """Raised where an id should be in the register and is not."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(f"device {found!r} is not in the register")


class RegisterNotText(CampusError):
    """Raised where a row should be written into a register that is not a CSV file."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"the register is {found}; expected devices.csv (edit {found} by hand, or save it as CSV)"
        )


class FolderProblems(CampusError):
    """Raised where a campus folder has mistakes; ``problems`` holds all of them, not the first."""

    def __init__(self, folder: str, problems: Sequence[Problem]) -> None:
        self.folder = folder
        self.problems = tuple(problems)
        super().__init__(f"{folder}: {len(self.problems)} problem(s)")
