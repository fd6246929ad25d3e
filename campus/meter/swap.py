"""A meter that was replaced, as the folder tells it, found again in the readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from campus.clock import DAY_MS
from campus.device import MeterSwap

#: what is written down of a swap is right to the day, seldom to the minute
SLACK_MS = DAY_MS


def near(swaps: Iterable[MeterSwap], after_ms: int, since_ms: int, until_ms: int) -> Iterator[MeterSwap]:
    """The swaps later than *after_ms* that may lie between two readings, allowing for :data:`SLACK_MS`."""
    for swap in swaps:
        if swap.time_ms > after_ms and since_ms - SLACK_MS <= swap.time_ms <= until_ms + SLACK_MS:
            yield swap


def between(swap: MeterSwap, since_ms: int, until_ms: int) -> bool:
    """Whether, as written, the swap lies between the two readings."""
    return since_ms < swap.time_ms <= until_ms
