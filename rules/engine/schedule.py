"""When which instance wants to be asked again: a heap that holds each of them about once."""

from __future__ import annotations

import heapq

_NEVER = 1 << 62


class Schedule:
    """Deadlines by instance number.

    A deadline that is put off (as a silence's is by every reading) stays in the heap and is looked up again when it
    comes up, so the heap grows with the instances, not with the readings.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._due_ms: list[int] = []
        self._queued_ms: list[int] = []
        #: nothing is due before this
        self.next_ms = _NEVER

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due_ms: int | None) -> int:
        """A new instance; returns its number."""
        number = len(self._due_ms)
        self._due_ms.append(_NEVER)
        self._queued_ms.append(_NEVER)
        self.put(number, due_ms)
        return number

    def put(self, number: int, due_ms: int | None) -> None:
        """Sets an instance's deadline; None for none."""
        due_ms = _NEVER if due_ms is None else due_ms
        self._due_ms[number] = due_ms
        if due_ms < self._queued_ms[number]:
            self._push(number, due_ms)

    def pop(self, until_ms: int) -> tuple[int, int] | None:
        """The next (deadline, number) up to *until_ms*, the earliest first; its deadline is then none."""
        found = None
        while found is None and self._heap and self._heap[0][0] <= until_ms:
            queued_ms, number = heapq.heappop(self._heap)
            if queued_ms != self._queued_ms[number]:
                continue  # an earlier one took its place
            self._queued_ms[number] = _NEVER
            due_ms = self._due_ms[number]
            if due_ms > queued_ms:
                if due_ms != _NEVER:
                    self._push(number, due_ms)
                continue
            self._due_ms[number] = _NEVER
            found = (due_ms, number)
        self.next_ms = self._heap[0][0] if self._heap else _NEVER
        return found

    def _push(self, number: int, due_ms: int) -> None:
        heapq.heappush(self._heap, (due_ms, number))
        self._queued_ms[number] = due_ms
        self.next_ms = min(self.next_ms, due_ms)
