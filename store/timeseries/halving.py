"""A batch that a server refuses is halved until the readings it refuses stand alone; all others are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from campus.reading import Reading
from store.timeseries.refusal import Refusal

Numbered = Sequence[tuple[int, Reading]]


class BodyRefused(Exception):
    """Raised when the server will never take a body as it is.

    *dropped* says how many of its points were left out where the others were stored, else None; *too_large* that
    its size alone was the reason.
    """

    def __init__(self, reason: str, *, too_large: bool = False, dropped: int | None = None) -> None:
        self.reason = reason
        self.too_large = too_large
        self.dropped = dropped
        super().__init__(reason)


def last_of_each(readings: Sequence[Reading], good: Sequence[int]) -> Numbered:
    """Of the readings at *good* the last of each series and time, with their positions.

    No server promises which of two in one body it keeps.
    """
    last = {(readings[index].series, readings[index].time_ms): index for index in good}
    return [(index, readings[index]) for index in last.values()]


def write_halving(send: Callable[[list[Reading]], None], readings: Numbered, refused: list[Refusal]) -> None:
    """Sends *readings*; those that are refused are added to *refused*.

    Raises :class:`BodyRefused` where a single reading is too large: no server of ours says so, only what is before it.
    """
    if not readings:
        return
    try:
        send([reading for _, reading in readings])
    except BodyRefused as error:
        if len(readings) == 1 and error.too_large:
            raise
        if len(readings) == 1 or error.dropped == len(readings):
            refused += [(index, error.reason) for index, _ in readings]
            return
        half = len(readings) // 2
        write_halving(send, readings[:half], refused)
        write_halving(send, readings[half:], refused)
