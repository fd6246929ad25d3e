"""What became of every message; the sums balance at all times."""

from __future__ import annotations

import msgspec


class Counts(msgspec.Struct, frozen=True):
    """Messages by what became of them. Each received message is counted in exactly one of the others.

    ``ignored`` are messages that rightly hold no reading (a join, a status, a discovery record); DESIGN.md's balance
    names three fates, and without a fourth these would have to be called duplicates or faults. ``limited`` are messages
    beyond a topic's allowance, left out while there was more than could be taken.
    """

    journaled: int = 0
    quarantined: int = 0
    duplicates: int = 0
    ignored: int = 0
    limited: int = 0

    @property
    def received(self) -> int:
        """All messages; equal to the sum by construction, checked against the receiver's own count in tests."""
        return self.journaled + self.quarantined + self.duplicates + self.ignored + self.limited

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.journaled + other.journaled,
            self.quarantined + other.quarantined,
            self.duplicates + other.duplicates,
            self.ignored + other.ignored,
            self.limited + other.limited,
        )
