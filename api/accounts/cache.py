"""Who a cookie or token stands for, remembered for a moment, so that not each request asks the database."""

from __future__ import annotations

import threading
from collections.abc import Callable

from api.accounts.account import Account

#: a change made by another process (the command line) is seen after so long; our own at once
_REMEMBERED_MS = 2_000
_MOST = 1_000


class AccountCache:
    """Thread-safe. What was asked for before a change is never remembered after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, tuple[Account, int]] = {}
        self._changes = 0

    def get(self, key: str, now_ms: int, look_up: Callable[[], Account | None]) -> Account | None:
        """The account of *key*; *look_up* is asked where it is not known. Whoever is nobody is not remembered."""
        with self._lock:
            found, changes = self._accounts.get(key), self._changes
        if found is not None and 0 <= now_ms - found[1] < _REMEMBERED_MS:
            return found[0]
        account = look_up()
        with self._lock:
            if account is None:
                self._accounts.pop(key, None)
            elif changes == self._changes:
                if len(self._accounts) >= _MOST:
                    self._accounts.clear()
                self._accounts[key] = (account, now_ms)
        return account

    def clear(self) -> None:
        """Something about users, tokens or sessions has changed."""
        with self._lock:
            self._accounts.clear()
            self._changes += 1
