"""The errors of the rules.

RulesError
├── BadSnapshot      a snapshot cannot be read at all
└── BadHistory       a history file lacks what a replay needs
"""

from __future__ import annotations


class RulesError(Exception):
    """Base of every error this room raises."""


class BadSnapshot(RulesError):
    """Raised for a snapshot that is no snapshot; single entries that fail start anew instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the rules' snapshot cannot be read: {reason}")
