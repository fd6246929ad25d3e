"""How bad a rule finds things, and the states an alert goes through."""

from __future__ import annotations

import enum


class Level(enum.StrEnum):
    """A verdict's level. *Unknown is not ok*: it never resolves an alert."""

    OK = "ok"
    UNKNOWN = "unknown"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for ok and unknown, 1 to 3 for what is an alert."""
        return _RANKS[self]


_RANKS = {Level.OK: 0, Level.UNKNOWN: 0, Level.NOTICE: 1, Level.WARNING: 2, Level.CRITICAL: 3}


class State(enum.StrEnum):
    """The engine's states of one (rule, subject)."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
