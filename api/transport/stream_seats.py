"""How many live feeds may be open: a bound for each account, and one for all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import TooManyStreams

#: a duty room's shared account on everybody's phone and screen
MOST_OF_ONE = 20
MOST_OF_ALL = 100


class StreamSeats:
    """Thread-safe counts of open feeds by the account's name."""

    def __init__(self, *, most_of_one: int = MOST_OF_ONE, most_of_all: int = MOST_OF_ALL) -> None:
        self._most_of_one = most_of_one
        self._most_of_all = most_of_all
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, name: str) -> Iterator[None]:
        """A seat for as long as the feed is open; raises :class:`TooManyStreams`."""
        with self._lock:
            if self._taken[name] >= self._most_of_one:
                raise TooManyStreams(self._most_of_one, mine=True)
            if self._taken.total() >= self._most_of_all:
                raise TooManyStreams(self._most_of_all, mine=False)
            self._taken[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[name] -= 1
                if not self._taken[name]:
                    del self._taken[name]
