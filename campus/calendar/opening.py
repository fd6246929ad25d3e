"""Whether a building is in use: the one question rules ask the calendar."""

from __future__ import annotations

import enum
from typing import Protocol


class Opening(enum.StrEnum):
    """A building's state at a moment."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class OpeningHours(Protocol):
    """Answers for any building and time; never raises. What it does not know is ``UNKNOWN``."""

    def opening(self, building: str, time_ms: int) -> Opening: ...

    def changed_ms(self, building: str, time_ms: int) -> int:
        """When the state at *time_ms* began (UTC milliseconds); *time_ms* itself when unknown."""
        ...


class AlwaysUnknown:
    """The answer where there is no calendar."""

    def opening(self, building: str, time_ms: int) -> Opening:  # noqa: ARG002 - the protocol's signature
        return Opening.UNKNOWN

    def changed_ms(self, building: str, time_ms: int) -> int:  # noqa: ARG002 - the protocol's signature
        return time_ms
