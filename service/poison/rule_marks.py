"""Who judges which batch, as a mark that outlives the process; and who has judged one to its end without harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rules.engine.engine import Marks

_WHO, _BATCH = 0, 1


class RuleMarks:
    """The words of a mark: *who* judges, and in which batch. Written by the thread that judges.

    *watched*: groups by the mark of those of whom it matters that they judge without harm. A batch may show one of them
    several readings, so that only its end says so: the next batch's begin.
    """

    def __init__(
        self, words: Marks, watched: Mapping[int, str], completed: Callable[[int, str], object]
    ) -> None:
        self._words = words
        self._watched = dict(watched)
        self._completed = completed
        self._judged: set[int] = set()
        self._batch = 0
        #: unset while the journal is replayed that was judged before, which proves nothing
        self.is_live: Callable[[], bool] = lambda: True

    @property
    def words(self) -> Marks:
        """What the engine writes to: the file itself where nobody is watched, as it is written for every reading."""
        return self if self._watched else self._words

    def __setitem__(self, index: int, value: int) -> None:
        self._words[index] = value
        if index == _WHO:
            if value in self._watched and self.is_live():
                self._judged.add(value)
            return
        judged, batch = self._judged, self._batch
        self._judged, self._batch = set(), value
        for mark in judged:
            self._completed(batch, self._watched[mark])
