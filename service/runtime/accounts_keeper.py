"""Writes what the accounts note in memory once a minute, and forgets what is too old once an hour."""

from __future__ import annotations

from collections.abc import Callable

from api.accounts import Accounts
from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from campus.worker import Worker
from service.errors import AuditWaiting


class AccountsKeeper:
    """In a thread of its own: a slow database holds up no request and no alarm."""

    def __init__(self, accounts: Accounts, now_ms: Callable[[], int]) -> None:
        self._accounts = accounts
        self._now_ms = now_ms
        self._forgotten_ms = 0
        pace_s = MINUTE_MS / SECOND_MS
        self.worker = Worker(
            "accounts", self.keep, pace_s=pace_s, retry_s=(pace_s,), expected=(AuditWaiting,)
        )

    def start(self) -> None:
        self.worker.start()

    def stop(self) -> None:
        """Writes what is noted and ends."""
        self.worker.stop()
        self._accounts.flush(self._now_ms())

    def keep(self) -> None:
        """One round; raises :class:`AuditWaiting` so that health shows entries that cannot be written."""
        now_ms = self._now_ms()
        self._accounts.flush(now_ms)
        if self._accounts.audit.waiting:
            raise AuditWaiting(self._accounts.audit.waiting)
        if now_ms - self._forgotten_ms >= HOUR_MS:
            self._accounts.forget_old(now_ms)
            self._forgotten_ms = now_ms
