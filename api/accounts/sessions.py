"""Who is signed in, on which device: rows on the server, so that signing out ends a session wherever its cookie went."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.accounts.account import Account, AccountRole, Actor
from api.accounts.audit import Act, entry
from api.errors import NotFound
from campus.clock import DAY_MS, MINUTE_MS
from store.operations.database import reading
from store.operations.tables import SessionRow, SignInLinkRow, UserRow

#: a session that is not used for so long ends
IDLE_MS = 14 * DAY_MS
#: how long after a one-time link its session may set a password without the old one
_RESET_MS = 30 * MINUTE_MS
LINK_LIVES_MS = 15 * MINUTE_MS
#: devices one person is signed in on; the one unused for longest is signed out
_MOST = 50


class SessionView(msgspec.Struct, frozen=True):
    """One of a person's sessions, as he sees it."""

    id: int
    created_ms: int
    last_used_ms: int
    address: str
    device: str


class Sessions:
    """Sessions and one-time links in the operations database."""

    def __init__(self, database: sa.Engine, changed: Callable[[], None]) -> None:
        self._database = database
        self._reading = reading(database)
        self._changed = changed

    def begin(self, name: str, kept_password: str, *, address: str, device: str, now_ms: int) -> str | None:
        """A new session's cookie, for somebody whose password was right; None where it was changed, or he was disabled, meanwhile."""
        with Session(self._database) as session, session.begin():
            row = session.scalar(sa.select(UserRow).where(UserRow.name == name, UserRow.disabled.is_(False)))
            if row is None or row.password_hash != kept_password:
                return None
            session.add(entry(Actor(name, address), Act.SIGNED_IN, name, now_ms))
            return _begin(session, row, address, device, now_ms, by_link=False)

    def make_link(self, name: str, *, actor: Actor, now_ms: int) -> str:
        """A new one-time link's secret for *name*; it lives 15 minutes. Raises :class:`NotFound`, also for who is disabled."""
        secret = secrets.token_urlsafe(24)
        with Session(self._database) as session, session.begin():
            query = sa.select(UserRow.id).where(UserRow.name == name, UserRow.disabled.is_(False))
            user_id = session.scalar(query)
            if user_id is None:
                raise NotFound("enabled user", name)
            session.execute(sa.delete(SignInLinkRow).where(SignInLinkRow.expires_ms < now_ms))
            expires_ms = now_ms + LINK_LIVES_MS
            session.add(SignInLinkRow(token_hash=digest(secret), user_id=user_id, expires_ms=expires_ms))
            session.add(entry(actor, Act.LINK_MADE, name, now_ms))
        return secret

    def link_is_for(self, secret: str, now_ms: int) -> str | None:
        """The display name of whom a link would sign in; it is not used up by asking. None for a used or old one."""
        with Session(self._reading) as session:
            row = session.scalar(sa.select(UserRow).join(SignInLinkRow).where(*_usable(secret, now_ms)))
            return (row.display_name or row.name) if row is not None else None

    def use_link(self, secret: str, *, address: str, device: str, now_ms: int) -> str | None:
        """A new session's cookie for whom the link stands for, once; None for a used or old one."""
        with Session(self._database) as session, session.begin():
            row = session.scalar(sa.select(UserRow).join(SignInLinkRow).where(*_usable(secret, now_ms)))
            spent = sa.delete(SignInLinkRow).where(SignInLinkRow.token_hash == digest(secret))
            if row is None or not session.scalars(spent.returning(SignInLinkRow.token_hash)).all():
                return None
            session.add(entry(Actor(row.name, address), Act.SIGNED_IN_BY_LINK, row.name, now_ms))
            return _begin(session, row, address, device, now_ms, by_link=True)

    def find(self, cookie_hash: str, now_ms: int) -> Account | None:
        """Who a cookie stands for; None once the session has ended, was idle too long, or its user is disabled."""
        query = (
            sa.select(SessionRow, UserRow)
            .join(UserRow)
            .where(
                SessionRow.cookie_hash == cookie_hash,
                SessionRow.last_used_ms >= now_ms - IDLE_MS,
                UserRow.disabled.is_(False),
            )
        )
        with Session(self._reading) as session:
            found = session.execute(query).one_or_none()
            return _account(found[0], found[1]) if found is not None else None

    def of(self, user_id: int, now_ms: int) -> Sequence[SessionView]:
        """A person's sessions, the last used first."""
        query = sa.select(SessionRow).where(
            SessionRow.user_id == user_id, SessionRow.last_used_ms >= now_ms - IDLE_MS
        )
        with Session(self._reading) as session:
            return [
                SessionView(one.id, one.created_ms, one.last_used_ms, one.address, one.device)
                for one in session.scalars(query.order_by(SessionRow.last_used_ms.desc()))
            ]

    def addresses(self, name: str) -> set[str]:
        """From where that user is signed in."""
        query = sa.select(SessionRow.address).join(UserRow).where(UserRow.name == name)
        with Session(self._reading) as session:
            return set(session.scalars(query))

    def end(self, session_id: int, user_id: int, *, actor: Actor, act: Act, now_ms: int) -> None:
        """Ends one session of a person's own; raises :class:`NotFound`."""
        with Session(self._database) as session, session.begin():
            row = session.get(SessionRow, session_id)
            if row is None or row.user_id != user_id:
                raise NotFound("session", session_id)
            session.delete(row)
            session.add(entry(actor, act, actor.name, now_ms))
        self._changed()

    def forget_idle(self, now_ms: int) -> None:
        """Deletes what nobody can use any more."""
        with Session(self._database) as session, session.begin():
            session.execute(sa.delete(SessionRow).where(SessionRow.last_used_ms < now_ms - IDLE_MS))
            session.execute(sa.delete(SignInLinkRow).where(SignInLinkRow.expires_ms < now_ms))


def digest(secret: str) -> str:
    """What is kept of a cookie, link or token: each has 144 random bits or more, so that one hash is enough."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _usable(secret: str, now_ms: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        SignInLinkRow.token_hash == digest(secret),
        SignInLinkRow.used_ms.is_(None),
        SignInLinkRow.expires_ms >= now_ms,
        UserRow.disabled.is_(False),
    )


def _begin(session: Session, row: UserRow, address: str, device: str, now_ms: int, *, by_link: bool) -> str:
    cookie = secrets.token_urlsafe(32)
    oldest = sa.select(SessionRow.id).where(SessionRow.user_id == row.id)
    beyond = oldest.order_by(SessionRow.last_used_ms.desc()).offset(_MOST - 1)
    session.execute(sa.delete(SessionRow).where(SessionRow.id.in_(session.scalars(beyond).all())))
    row.last_used_ms = now_ms
    session.add(
        SessionRow(
            cookie_hash=digest(cookie), user_id=row.id, created_ms=now_ms, last_used_ms=now_ms,
            address=address[:64], device=device[:200], by_link=by_link,
        )
    )  # fmt: skip
    return cookie


def _account(row: SessionRow, user: UserRow) -> Account:
    role = AccountRole(user.role)
    return Account(
        name=user.name,
        display_name=user.display_name or user.name,
        scopes=role.scopes,
        user_id=user.id,
        session_id=row.id,
        has_password=bool(user.password_hash),
        may_reset_until_ms=row.created_ms + _RESET_MS if row.by_link else 0,
    )
