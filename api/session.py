"""Signing in and staying so: a signed cookie for people, a bearer token for programs.

The cookie is ``HttpOnly`` and ``SameSite=Lax``; an unsafe request that carries it must also name our own host in
``Origin`` (every browser sends one with POST), so another site's page cannot act for a signed-in person.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from api.accounts import Account, AccountRole, Accounts
from api.errors import ForeignRequest, NotAllowed, NotSignedIn, TooManyTries
from campus.clock import MINUTE_MS

COOKIE = "shouyuan_session"
LIVES_S = 14 * 24 * 3600
_SAFE = {"GET", "HEAD", "OPTIONS"}
_TRIES = 5
_LOCKED_MS = 5 * MINUTE_MS


class Sessions:
    """Makes and reads session cookies, and slows down guessing."""

    def __init__(self, accounts: Accounts, now_ms: Callable[[], int]) -> None:
        self.accounts = accounts
        self._now_ms = now_ms
        self._serializer = URLSafeTimedSerializer(accounts.cookie_key(), salt="session")
        self._lock = threading.Lock()
        self._failures: dict[str, list[int]] = {}

    def cookie_for(self, account: Account) -> str:
        """The cookie's value for a signed-in account."""
        return self._serializer.dumps([account.name, account.epoch])

    def account_of(self, request: Request) -> Account | None:
        """Who sends this request, by token or cookie."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.accounts.check_token(token.strip())
        cookie = request.cookies.get(COOKIE)
        if cookie is None:
            return None
        account = self._from_cookie(cookie)
        if account is not None and request.method not in _SAFE:
            check_origin(request)
        return account

    def check_tries(self, key: str) -> None:
        """Raises :class:`TooManyTries` after five failures within five minutes."""
        now_ms = self._now_ms()
        with self._lock:
            recent = [at for at in self._failures.get(key, []) if now_ms - at < _LOCKED_MS]
            self._failures[key] = recent
            if len(recent) >= _TRIES:
                raise TooManyTries(math.ceil((recent[0] + _LOCKED_MS - now_ms) / 1000))

    def note_failure(self, key: str) -> None:
        with self._lock:
            self._failures.setdefault(key, []).append(self._now_ms())
            if len(self._failures) > 10_000:  # bounded: forget whoever failed longest ago
                self._failures.pop(next(iter(self._failures)))

    def note_success(self, key: str) -> None:
        with self._lock:
            self._failures.pop(key, None)

    def _from_cookie(self, cookie: str) -> Account | None:
        try:
            name, epoch = self._serializer.loads(cookie, max_age=LIVES_S)
        except (BadSignature, ValueError, TypeError):
            return None
        account = self.accounts.account(str(name))
        return account if account is not None and account.epoch == epoch else None


def check_origin(request: Request) -> None:
    """Raises :class:`ForeignRequest` unless ``Origin`` (or ``Referer``) is this very host."""
    origin = request.headers.get("origin") or request.headers.get("referer") or ""
    if urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ForeignRequest(origin)


class SignedIn:
    """A dependency that gives the account of at least the role *needed*, or answers 401 or 403.

    A :class:`api.guarded_route.GuardedRoute` has asked already, before it read the body.
    """

    def __init__(self, needed: AccountRole) -> None:
        self.needed = needed

    def __call__(self, request: Request) -> Account:
        known: Account | None = getattr(request.state, "account", None)
        return known if known is not None and known.role.reaches(self.needed) else self.admit(request)

    def admit(self, request: Request) -> Account:
        """Looks the account up; raises :class:`NotSignedIn` or :class:`NotAllowed`."""
        sessions: Sessions = request.app.state.sessions
        account = sessions.account_of(request)
        if account is None:
            raise NotSignedIn
        if not account.role.reaches(self.needed):
            raise NotAllowed(account.role.value, self.needed.value)
        return account
