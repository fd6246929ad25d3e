"""The self-test alarm's marks: an internal device that no register can hold, its topic, and how far a test has come.

A test is three readings of the internal device: an even number (well), the odd *mark* (an alarm), an even one (well
again). The numbers are random, so that nobody else's message and no earlier test's can be taken for this one's.
"""

from __future__ import annotations

import enum
import secrets
import threading
from collections.abc import Iterable, Sequence

import msgspec

from campus.device import Device, Kind, Place
from campus.quantity import Quantity
from campus.reading import Reading, Series

#: no id of a register may hold a dollar sign
DEVICE_ID = "$selftest"
RULE = "$selftest"
TOPIC = "shouyuan/selftest"
SERIES = Series(DEVICE_ID, Quantity.PULSE_COUNT)
_NUMBERS = 10**11


def device() -> Device:
    """The internal device; not validated, as the register's rule for ids is what keeps it apart."""
    return Device.model_construct(
        id=DEVICE_ID, name=DEVICE_ID, kind=Kind.CLIMATE, place=Place(site=""), address=DEVICE_ID
    )


def without(readings: Sequence[Reading]) -> Sequence[Reading]:
    """*readings* without the internal device's: for the store, the pages, and whatever counts."""
    if all(one.series.device != DEVICE_ID for one in readings):
        return readings
    return [one for one in readings if one.series.device != DEVICE_ID]


class Stage(enum.IntEnum):
    """How far a test has come."""

    WAITING = 0
    PUBLISHED = 1
    RECEIVED = 2
    JOURNALED = 3
    JUDGED = 4
    BOOKED = 5
    #: its end, too, was judged and booked
    PASSED = 6


class Round(msgspec.Struct, frozen=True):
    """The three numbers of one test."""

    before: int
    mark: int
    after: int

    @classmethod
    def fresh(cls) -> Round:
        """A test nobody can guess."""
        first, second, third = (secrets.randbelow(_NUMBERS) for _ in range(3))
        return cls(2 * first, 2 * second + 1, 2 * third)

    def payloads(self) -> tuple[bytes, ...]:
        """What is published, in this order."""
        return tuple(str(number).encode() for number in (self.before, self.mark, self.after))


class Trace:
    """Where the test under way was last seen. Thread-safe; each room on the road tells it what passes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._round: Round | None = None
        self._stage = Stage.WAITING

    def begin(self, round_: Round) -> None:
        """Follows *round_* from now on, and no other."""
        with self._lock:
            self._round, self._stage = round_, Stage.WAITING

    def knows(self, number: int) -> bool:
        """Whether *number* is the test's under way."""
        now = self._round
        return now is not None and number in {now.before, now.mark, now.after}

    def reach(self, stage: Stage, numbers: Iterable[int]) -> None:
        """The mark has come to *stage* where it is among *numbers*; it never goes back."""
        with self._lock:
            if self._round is not None and self._round.mark in numbers:
                self._stage = max(self._stage, stage)

    def end(self) -> None:
        """The alarm has ended in the book, too."""
        with self._lock:
            if self._stage is Stage.BOOKED:
                self._stage = Stage.PASSED

    @property
    def stage(self) -> Stage:
        """Where the mark was last seen."""
        with self._lock:
            return self._stage
