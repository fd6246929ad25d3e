"""People who may sign in. Each change is written into the audit in its own transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.accounts.account import AccountRole, Actor
from api.accounts.audit import Act, entry
from api.errors import BadRequest, LastAdministrator, NameTaken, NotFound
from store.operations.database import reading
from store.operations.tables import SessionRow, SignInLinkRow, UserRow

NAME = re.compile(r"[\w.@+-]{1,40}")
NAME_EXPECTED = "1 to 40 letters, digits, or . _ @ + -"
LONGEST_DISPLAY_NAME = 40


class User(msgspec.Struct, frozen=True):
    """Somebody who may sign in; *sessions* counts the devices signed in on."""

    name: str
    display_name: str
    role: AccountRole
    disabled: bool
    has_password: bool
    created_ms: int
    last_used_ms: int | None
    sessions: int = 0


class Users:
    """Users in the operations database; *changed* is called after each change that ends or alters what somebody may do."""

    def __init__(self, database: sa.Engine, changed: Callable[[], None]) -> None:
        self._database = database
        self._reading = reading(database)
        self._changed = changed

    def all(self) -> Sequence[User]:
        """Everybody, by name."""
        counts = sa.select(SessionRow.user_id, sa.func.count()).group_by(SessionRow.user_id)
        with Session(self._reading) as session:
            sessions = {user: int(count) for user, count in session.execute(counts)}
            return [
                _user(row, sessions) for row in session.scalars(sa.select(UserRow).order_by(UserRow.name))
            ]

    def get(self, name: str) -> User:
        """One of them; raises :class:`NotFound`."""
        for one in self.all():
            if one.name == name:
                return one
        raise NotFound("user", name)

    def kept_password(self, name: str) -> str:
        """What is kept of the password, "" for whoever cannot sign in with one."""
        query = sa.select(UserRow.password_hash).where(UserRow.name == name, UserRow.disabled.is_(False))
        with Session(self._reading) as session:
            return session.scalar(query) or ""

    def exists(self, name: str) -> bool:
        """Whether a user is called so, disabled or not."""
        with Session(self._reading) as session:
            return session.scalar(sa.select(UserRow.id).where(UserRow.name == name)) is not None

    def administrator(self) -> str | None:
        """The administrator who came first; None where there is none who may sign in."""
        query = sa.select(UserRow.name).where(UserRow.role == AccountRole.ADMIN, UserRow.disabled.is_(False))
        with Session(self._reading) as session:
            return session.scalar(query.order_by(UserRow.id).limit(1))

    def nobody_has_a_password(self) -> bool:
        """Whether a one-time link is the only way in."""
        query = sa.select(sa.func.count()).select_from(UserRow)
        with Session(self._reading) as session:
            return not session.scalar(query.where(UserRow.password_hash != "", UserRow.disabled.is_(False)))

    def add(
        self,
        name: str,
        display_name: str,
        role: AccountRole,
        *,
        actor: Actor,
        now_ms: int,
        password_hash: str = "",
    ) -> None:
        """Adds a user; raises :class:`BadRequest` or :class:`NameTaken`."""
        if not NAME.fullmatch(name):
            raise BadRequest("name", name[:80], NAME_EXPECTED)
        _check_display_name(display_name)
        with Session(self._database) as session, session.begin():
            if session.scalar(sa.select(UserRow.id).where(UserRow.name == name)) is not None:
                raise NameTaken("user", name)
            session.add(
                UserRow(
                    name=name, display_name=display_name or name, role=role.value,
                    password_hash=password_hash, created_ms=now_ms,
                )
            )  # fmt: skip
            session.add(entry(actor, Act.USER_ADDED, name, now_ms, role=role.value))

    def change(
        self,
        name: str,
        *,
        actor: Actor,
        now_ms: int,
        display_name: str | None = None,
        role: AccountRole | None = None,
        disabled: bool | None = None,
    ) -> None:
        """Changes what is given; raises :class:`LastAdministrator`. Whoever is disabled is signed out everywhere."""
        if display_name is not None:
            _check_display_name(display_name)
        with Session(self._database) as session, session.begin():
            row = _locked(session, name)
            if disabled or (role is not None and role is not AccountRole.ADMIN):
                _check_not_last(session, row)
            if disabled is not None and disabled != row.disabled:
                row.disabled = disabled
                session.add(entry(actor, Act.USER_DISABLED if disabled else Act.USER_ENABLED, name, now_ms))
            before = {"display_name": row.display_name, "role": row.role}
            row.display_name = display_name or row.display_name
            row.role = role.value if role is not None else row.role
            after = {"display_name": row.display_name, "role": row.role}
            if after != before:
                told = {key: value for key, value in after.items() if value != before[key]}
                session.add(entry(actor, Act.USER_CHANGED, name, now_ms, **told))
            if disabled:
                _sign_out(session, row.id)
        self._changed()

    def delete(self, name: str, *, actor: Actor, now_ms: int) -> None:
        """Removes a user with all sessions and links; raises :class:`LastAdministrator`. What he did keeps his name."""
        with Session(self._database) as session, session.begin():
            row = _locked(session, name)
            _check_not_last(session, row)
            _sign_out(session, row.id)
            session.delete(row)
            session.add(entry(actor, Act.USER_DELETED, name, now_ms))
        self._changed()

    def set_password(self, name: str, password_hash: str, *, actor: Actor, now_ms: int) -> None:
        """Keeps a new password and ends every session and link of that user."""
        with Session(self._database) as session, session.begin():
            row = _locked(session, name)
            row.password_hash = password_hash
            _sign_out(session, row.id)
            session.add(entry(actor, Act.PASSWORD_CHANGED, name, now_ms))
        self._changed()

    def sign_out(self, name: str, *, actor: Actor, now_ms: int) -> int:
        """Ends every session of that user, and the links he has not used; how many sessions there were."""
        with Session(self._database) as session, session.begin():
            ended = _sign_out(session, _locked(session, name).id)
            session.add(entry(actor, Act.SIGNED_OUT_EVERYWHERE, name, now_ms, sessions=ended))
        self._changed()
        return ended


def _user(row: UserRow, sessions: dict[int, int]) -> User:
    return User(
        name=row.name, display_name=row.display_name or row.name, role=AccountRole(row.role),
        disabled=row.disabled, has_password=bool(row.password_hash), created_ms=row.created_ms,
        last_used_ms=row.last_used_ms, sessions=sessions.get(row.id, 0),
    )  # fmt: skip


def _check_display_name(text: str) -> None:
    if len(text) > LONGEST_DISPLAY_NAME or not text.isprintable():
        raise BadRequest("display_name", text[:80], f"at most {LONGEST_DISPLAY_NAME} printable characters")


def _locked(session: Session, name: str) -> UserRow:
    """The user's row, held with all administrators', so that two changes cannot each leave the other as the last."""
    admins = (UserRow.name == name) | (UserRow.role == AccountRole.ADMIN)
    rows = session.scalars(sa.select(UserRow).where(admins).order_by(UserRow.id).with_for_update()).all()
    for row in rows:
        if row.name == name:
            return row
    raise NotFound("user", name)


def _check_not_last(session: Session, row: UserRow) -> None:
    """Raises :class:`LastAdministrator` where nobody could administrate without *row*; who has no password yet does not count."""
    if row.role != AccountRole.ADMIN or row.disabled:
        return
    query = sa.select(sa.func.count()).where(
        UserRow.role == AccountRole.ADMIN, UserRow.disabled.is_(False), UserRow.id != row.id
    )
    if row.password_hash:
        query = query.where(UserRow.password_hash != "")
    if not session.scalar(query):
        raise LastAdministrator(row.name)


def _sign_out(session: Session, user_id: int) -> int:
    session.execute(sa.delete(SignInLinkRow).where(SignInLinkRow.user_id == user_id))
    ended = session.scalars(
        sa.delete(SessionRow).where(SessionRow.user_id == user_id).returning(SessionRow.id)
    ).all()
    return len(ended)
