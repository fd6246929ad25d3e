"""What one more reading of a register means."""

from __future__ import annotations

import enum

import msgspec

from campus.clock import HOUR_MS


class Event(enum.StrEnum):
    """What happened between two readings."""

    FIRST = "first"
    NORMAL = "normal"
    #: a small step back, as cameras and sensors at the edge of a digit make them: noise
    JITTER = "jitter"
    #: a real step back: water that flowed the other way
    BACKFLOW = "backflow"
    ROLLOVER = "rollover"
    #: the register began anew, and nobody said at what index
    RESET = "reset"
    #: the meter was replaced as the folder says, with the old one's last index and the new one's first
    SWAP = "swap"
    #: the register stands higher than what can have passed, and stays there: another meter, or set by hand
    JUMP = "jump"
    #: more passed than the meter is said to pass, again and again: the bound is wrong, not the register
    ABOVE_MOST = "above_most"
    #: not believable alone: it waits for another reading that confirms it
    HELD = "held"
    #: what was held was a misread: the register goes on from before it
    GLITCH = "glitch"
    #: not newer than the last one, or no number: it says nothing
    STALE = "stale"


class Reason(enum.StrEnum):
    """Why a volume, or how it spreads over its time, is inferred and not measured."""

    #: the total is known, when it passed is not
    GAP = "gap"
    #: what passed on the old register after its last reading is not known
    RESET = "reset"
    JUMP = "jump"
    #: one of the two indexes of a swap does not fit the readings
    SWAP = "swap"
    ABOVE_MOST = "above_most"
    #: readings further apart than the period is long: the split at its edge is a straight line
    EDGE = "edge"


class Step(msgspec.Struct, frozen=True, gc=False):
    """*volume* passed from *since_ms* to *until_ms*; never negative, and no volume is told twice.

    *moved* is how far the register itself went forward since the reading before, for the flow: while a register makes
    good for a backflow its net volume stands still, though water flows. *backflow* is what flowed back. *reason* is
    None where the volume was measured.
    """

    event: Event
    volume: float = 0.0
    since_ms: int = 0
    until_ms: int = 0
    reason: Reason | None = None
    moved: float = 0.0
    backflow: float = 0.0

    @property
    def elapsed_ms(self) -> int:
        return self.until_ms - self.since_ms

    @property
    def told(self) -> bool:
        """Whether it says anything of the time up to it; what is held or stale does not."""
        return self.event is not Event.HELD and self.event is not Event.STALE

    @property
    def flows(self) -> bool:
        """Whether the flow over its time is known; over a gap, a reset or a swap it is not."""
        return (
            (self.reason is None or self.reason is Reason.ABOVE_MOST)
            and self.until_ms > self.since_ms
            and self.told
        )

    @property
    def per_hour(self) -> float:
        """The mean rate over its time."""
        elapsed_ms = self.until_ms - self.since_ms
        return self.moved * HOUR_MS / elapsed_ms if elapsed_ms else 0.0
