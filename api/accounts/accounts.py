"""The accounts as a whole: signing in, who a request comes from, passwords."""

from __future__ import annotations

import contextlib

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.accounts.account import Account, AccountRole, Actor
from api.accounts.audit import Act, AuditLog, entry
from api.accounts.cache import AccountCache
from api.accounts.last_use import LastUse
from api.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, Passwords
from api.accounts.sessions import Sessions, digest
from api.accounts.tokens import Tokens
from api.accounts.tries import Tries
from api.accounts.users import Users
from api.errors import (
    BadRequest,
    NotFound,
    NotSignedIn,
    Overloaded,
    PersonNeeded,
    TooManyTries,
    WrongPassword,
)
from store.operations.tables import UserRow

log = structlog.get_logger()

SERVICE = Actor("service itself")


class Accounts:
    """Users, tokens, sessions and their audit in the operations database. One for the whole process; thread-safe."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._cache = AccountCache()
        self._last_use = LastUse(database)
        self.passwords = Passwords()
        self.audit = AuditLog(database)
        self.users = Users(database, self._cache.clear)
        self.tokens = Tokens(database, self._cache.clear)
        self.sessions = Sessions(database, self._cache.clear)
        self._tries = Tries(self.sessions.addresses)

    def first_run(self, now_ms: int) -> bool:
        """Creates the administrator where there is no user yet; True when it did."""
        with Session(self._database) as session, session.begin():
            if session.scalar(sa.select(sa.func.count()).select_from(UserRow)):
                return False
            role = AccountRole.ADMIN
            session.add(UserRow(name="admin", display_name="管理员", role=role.value, created_ms=now_ms))
            session.add(entry(SERVICE, Act.USER_ADDED, "admin", now_ms, role=role.value))
        return True

    def sign_in(self, name: str, password: str, *, address: str, device: str, now_ms: int) -> str | None:
        """A session's cookie; None where name or password is wrong. Raises :class:`TooManyTries` or :class:`Overloaded`."""
        try:
            attempt = self._tries.begin(name, address, now_ms)
        except TooManyTries:
            self.audit.note_failure(Act.SIGN_IN_REFUSED, self._if_known(name), address)
            raise
        kept = self.users.kept_password(name)
        try:
            right = len(password) <= LONGEST_PASSWORD and self.passwords.matches(password, kept)
        except Overloaded:
            self._tries.take_back(attempt)
            raise
        cookie = None
        if right:
            cookie = self.sessions.begin(name, kept, address=address, device=device, now_ms=now_ms)
        if cookie is None:
            self.audit.note_failure(Act.SIGN_IN_FAILED, self._if_known(name), address)
        else:
            self._tries.succeeded(attempt)
        return cookie

    def of_cookie(self, cookie: str, address: str, now_ms: int) -> Account | None:
        """Who a session's cookie stands for."""
        key = digest(cookie)
        found = self._cache.get(key, now_ms, lambda: self.sessions.find(key, now_ms))
        return self._used(found, address, now_ms)

    def of_token(self, token: str, address: str, now_ms: int) -> Account | None:
        """Who a bearer token stands for."""
        key = digest(token)
        found = self._cache.get(key, now_ms, lambda: self.tokens.find(key))
        if found is not None and found.expires_ms and found.expires_ms <= now_ms:
            return None
        return self._used(found, address, now_ms)

    def change_password(self, account: Account, old: str, new: str, *, device: str, now_ms: int) -> str:
        """Sets a signed-in person's own password, ends all his sessions, and gives the cookie of a new one.

        The old password is needed, except for a while in a session that a one-time link has made. Raises
        :class:`PersonNeeded` for a token, :class:`WrongPassword`, :class:`TooManyTries`, :class:`Overloaded`.
        """
        if not account.is_person:
            raise PersonNeeded
        check_new_password(new)
        if now_ms >= account.may_reset_until_ms:
            self._check_old(account, old, now_ms)
        kept = self.passwords.hash(new)
        self.users.set_password(account.name, kept, actor=account.actor, now_ms=now_ms)
        cookie = self.sessions.begin(
            account.name, kept, address=account.address, device=device, now_ms=now_ms
        )
        if cookie is None:  # disabled within this instant
            raise NotSignedIn
        return cookie

    def flush(self, now_ms: int) -> None:
        """Writes what was noted in memory: last uses, failed sign-ins, entries of the audit that wait."""
        try:
            self._last_use.flush()
        except SQLAlchemyError as error:
            log.warning("accounts.last_use_not_written", reason=str(error))
        self.audit.flush(now_ms)

    def forget_old(self, now_ms: int) -> None:
        """Removes idle sessions, old links, and the audit of more than three years ago."""
        self.sessions.forget_idle(now_ms)
        self.audit.forget_old(now_ms)

    def make_link(self, name: str, now_ms: int, actor: Actor = SERVICE) -> str:
        """A one-time link's secret for *name*."""
        return self.sessions.make_link(name, actor=actor, now_ms=now_ms)

    def make_token(self, name: str, role: AccountRole, now_ms: int, actor: Actor = SERVICE) -> str:
        """A token with the scopes of *role*; one of that name is void from now on."""
        with contextlib.suppress(NotFound):
            self.tokens.delete(name, actor=actor, now_ms=now_ms)
        return self.tokens.add(name, role.scopes, actor=actor, now_ms=now_ms)

    def add_user(
        self,
        name: str,
        display_name: str,
        role: AccountRole,
        password: str,
        now_ms: int,
        actor: Actor = SERVICE,
    ) -> None:
        """Adds a user with a password."""
        kept = self.passwords.hash(check_new_password(password))
        self.users.add(name, display_name, role, actor=actor, now_ms=now_ms, password_hash=kept)

    def set_password(self, name: str, password: str, now_ms: int, actor: Actor = SERVICE) -> None:
        """Sets anybody's password, as only the command line may, and ends every session of that user."""
        kept = self.passwords.hash(check_new_password(password))
        self.users.set_password(name, kept, actor=actor, now_ms=now_ms)

    def _check_old(self, account: Account, old: str, now_ms: int) -> None:
        attempt = self._tries.begin(account.name, account.address, now_ms)
        try:
            right = self.passwords.matches(old, self.users.kept_password(account.name))
        except Overloaded:
            self._tries.take_back(attempt)
            raise
        if not right:
            self.audit.note_failure(Act.SIGN_IN_FAILED, account.name, account.address)
            raise WrongPassword
        self._tries.succeeded(attempt)

    def _used(self, account: Account | None, address: str, now_ms: int) -> Account | None:
        if account is None:
            return None
        self._last_use.note(account, now_ms)
        return msgspec.structs.replace(account, address=address)

    def _if_known(self, name: str) -> str:
        """*name* where a user is called so. Anything else may be a password in the wrong field, and is not kept."""
        return name if self.users.exists(name) else ""


def check_new_password(password: str) -> str:
    """*password*; raises :class:`BadRequest` where it cannot be one. It is not repeated in the error."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        expected = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        raise BadRequest("password", f"{len(password)} characters", expected)
    return password
