"""Passwords: hashed and compared with argon2, which takes 64 MiB and a tenth of a second of all cores each time.

That is done outside any transaction, one at a time; whoever would have to wait behind too many is turned away at once,
so that guessing holds neither the database, nor the memory, nor the threads that serve pages.
"""

from __future__ import annotations

import math
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from api.errors import Overloaded

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200
_MOST_WAITING = 8
_WAIT_S = 3.0


class Passwords:
    """Hashes and compares, one at a time. Thread-safe."""

    def __init__(self, *, waiting: int = _MOST_WAITING, wait_s: float = _WAIT_S) -> None:
        self._hasher = PasswordHash.recommended()
        self._turn = threading.Semaphore(1)
        self._room = threading.BoundedSemaphore(1 + waiting)
        self._wait_s = wait_s
        self._nobody = ""

    def hash(self, password: str) -> str:
        """What is kept of *password*; raises :class:`Overloaded`."""
        with self._my_turn():
            return self._hasher.hash(_bytes(password))

    def matches(self, password: str, kept: str) -> bool:
        """Whether *kept* is of *password*; takes as long where nothing is kept. Raises :class:`Overloaded`."""
        with self._my_turn():
            if not kept and not self._nobody:
                self._nobody = self._hasher.hash(secrets.token_hex(8))
            try:
                same = self._hasher.verify(_bytes(password), kept or self._nobody)
            except UnknownHashError:
                return False
            return same and bool(kept)

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise Overloaded(math.ceil(self._wait_s))
        try:
            if not self._turn.acquire(timeout=self._wait_s):
                raise Overloaded(math.ceil(self._wait_s))
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._room.release()


def _bytes(password: str) -> bytes:
    """Anything that can be typed, a lone surrogate of a JSON body included."""
    return password.encode(errors="surrogatepass")
