"""A progress bar on the standard error that shows itself only where something takes longer than a second."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

AFTER_S = 1.0
_AT_ONCE = 4096

One = TypeVar("One")


class LateBar:
    """Used in a ``with`` block; gone at its end. Each :meth:`begin` begins anew."""

    def __init__(
        self, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        columns = (
            TextColumn("{task.description}"), BarColumn(),
            TextColumn("{task.completed:,.0f} readings"), TimeRemainingColumn(),
        )  # fmt: skip
        console = console or Console(stderr=True)
        # What is no terminal gets nothing: a log has no use for a bar.
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._clock = clock
        self._began_s = clock()
        self.shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.shown:
            self._progress.stop()

    def begin(self, what: str, total: int | None = None) -> None:
        """What is done now; *total* readings, None where nobody knows."""
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(what, total=total)

    def advance(self, readings: int) -> None:
        """So many more are behind."""
        for task in self._progress.task_ids:
            self._progress.advance(task, readings)
        if not self.shown and self._clock() - self._began_s > AFTER_S:
            self.shown = True
            self._progress.start()

    def over(self, ones: Iterable[One]) -> Iterator[One]:
        """*ones* themselves, counted as they are taken."""
        rest = iter(ones)
        while some := list(itertools.islice(rest, _AT_ONCE)):
            yield from some
            self.advance(len(some))
