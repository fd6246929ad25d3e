"""A change of the school calendar: other settings as a whole, or entries that come and go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from campus.calendar.timetable import CalendarSettings

#: the lists of calendar.yaml, whose entries can be added and removed one by one
Entries = Literal["terms", "holidays", "school_days", "exam_weeks", "overrides"]


class CalendarChange(BaseModel):
    """Either *settings*, all that calendar.yaml shall say, or entries to *remove* and to *add*, as the file has them.

    An entry to remove need not be whole: of ``{"from": "2026-10-26"}`` the entry of that first day is meant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, Any] | None = None
    add: dict[Entries, list[Any]] = Field(default_factory=dict)
    remove: dict[Entries, list[Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.settings is None) != bool(self.add or self.remove):
            raise ValueError("a change needs either settings, or entries to add or to remove")
        return self

    def applied(self, settings: CalendarSettings) -> tuple[dict[str, Any], list[tuple[str, object]]]:
        """The new settings as the file has them, not judged yet; and what should go, but is not there."""
        if self.settings is not None:
            return dict(self.settings), []
        body = plain(settings)
        missing: list[tuple[str, object]] = []
        for key, entries in self.remove.items():
            for wanted in entries:
                found = next((one for one in body.get(key, []) if _meant(wanted, one)), None)
                if found is None:
                    missing.append((key, wanted))
                else:
                    body[key].remove(found)
        for key, entries in self.add.items():
            body[key] = [*body.get(key, []), *entries]
        return body, missing


def plain(settings: CalendarSettings) -> dict[str, Any]:
    """*settings* as calendar.yaml has them (dates as text), without what goes without saying."""
    return settings.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _meant(wanted: object, entry: object) -> bool:
    """Whether *wanted* speaks of *entry*: equal, or each of its settings equal."""
    if isinstance(wanted, Mapping) and isinstance(entry, Mapping):
        return bool(wanted) and all(entry.get(key, "") == value for key, value in wanted.items())
    return wanted == entry
