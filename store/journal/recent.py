"""The newest batches in memory: who follows the journal closely need not decode what was just encoded."""

from __future__ import annotations

import itertools
import threading
from collections import deque

import msgspec

from campus.reading import Reading

#: about 16 MB; a second at full speed
_MOST_READINGS = 100_000


class Batch(msgspec.Struct, frozen=True):
    """One committed group of readings; a heartbeat has none."""

    seq: int
    committed_ms: int
    readings: tuple[Reading, ...]


class Recent:
    """A run of batches without gaps up to the newest, bounded by the readings in it. Thread-safe."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()
        self._readings = 0
        self._lock = threading.Lock()

    def add(self, batch: Batch) -> None:
        """Adds the newest batch, and forgets the oldest ones beyond the bound."""
        with self._lock:
            if self._batches and batch.seq != self._batches[-1].seq + 1:
                self._forget_all()
            self._batches.append(batch)
            self._readings += len(batch.readings) + 1
            while self._readings > _MOST_READINGS:
                self._readings -= len(self._batches.popleft().readings) + 1

    def after(self, seq: int, most: int) -> list[Batch] | None:
        """Up to *most* batches after *seq*; None where the first of them is not in memory."""
        with self._lock:
            if not self._batches or seq + 1 < self._batches[0].seq:
                return None
            skip = seq + 1 - self._batches[0].seq
            return list(itertools.islice(self._batches, skip, skip + most))

    def all(self) -> list[Batch]:
        """Every batch in memory, in order."""
        with self._lock:
            return list(self._batches)

    def _forget_all(self) -> None:
        self._batches.clear()
        self._readings = 0
