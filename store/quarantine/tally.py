"""How much each source has in quarantine, so that who floods it pushes out its own messages first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from store.quarantine.entry import group_of


class Tally:
    """Bytes and entries by source, and their sums."""

    def __init__(self, rows: Iterable[tuple[int, int, int]] = ()) -> None:
        self.bytes = 0
        self.entries = 0
        self._bytes: dict[int, int] = defaultdict(int)
        self._entries: dict[int, int] = defaultdict(int)
        for source, size_bytes, entries in rows:
            self.add(source, size_bytes, entries)

    def add(self, source: int, size_bytes: int, entries: int = 1) -> None:
        """Counts what came; what went is counted with negative numbers."""
        self.bytes += size_bytes
        self.entries += entries
        self._bytes[source] += size_bytes
        self._entries[source] += entries
        if self._entries[source] <= 0:
            self._bytes.pop(source)
            self._entries.pop(source)

    def greatest(self, *, by_entries: bool) -> int:
        """The source that has most in the group of sources that has most; there must be one."""
        weights = self._entries if by_entries else self._bytes
        groups: dict[int, int] = defaultdict(int)
        for source, weight in weights.items():
            groups[group_of(source)] += weight
        greatest = max(groups, key=groups.__getitem__)
        return max((one for one in weights if group_of(one) == greatest), key=weights.__getitem__)
