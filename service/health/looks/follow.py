"""Proof by effect of what follows the journal: how far it is from its end, and for how long it has not got on."""

from __future__ import annotations


class Following:
    """Remembers when a consumer last moved. Pure: all times are the caller's, of the steady clock."""

    def __init__(self) -> None:
        self._seq: int | None = None
        self._since_ms = 0

    def still_ms(self, newest: int, seq: int, now_ms: int) -> int:
        """For how long a consumer at *seq* has not moved though the journal has batches up to *newest*."""
        if seq != self._seq or seq >= newest:
            self._seq, self._since_ms = seq, now_ms
        return now_ms - self._since_ms


class Growing:
    """Remembers when a number last changed."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._since_ms = 0

    def still_ms(self, number: int, now_ms: int) -> int:
        """For how long *number* has been the same."""
        if number != self._number:
            self._number, self._since_ms = number, now_ms
        return now_ms - self._since_ms
