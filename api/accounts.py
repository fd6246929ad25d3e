"""Who may sign in: users, one-time links, API tokens. Only hashes are kept."""

from __future__ import annotations

import enum
import hashlib
import secrets

import msgspec
import sqlalchemy as sa
from pwdlib import PasswordHash
from sqlalchemy.orm import Session

from campus.clock import MINUTE_MS
from store.operations.tables import ApiTokenRow, AuditRow, SecretRow, SignInLinkRow, UserRow

LINK_LIVES_MS = 30 * MINUTE_MS
SHORTEST_PASSWORD = 8


class AccountRole(enum.StrEnum):
    """What a signed-in person or program may do; each includes those before it."""

    VIEWER = "viewer"
    DUTY = "duty"
    ADMIN = "admin"

    def reaches(self, needed: AccountRole) -> bool:
        """Whether this role includes *needed*."""
        return self.rank >= needed.rank

    @property
    def rank(self) -> int:
        """The higher, the more it may do."""
        return list(AccountRole).index(self)


class Account(msgspec.Struct, frozen=True):
    """Somebody signed in."""

    name: str
    display_name: str
    role: AccountRole
    epoch: int = 0
    has_password: bool = True


class Accounts:
    """Users, links and tokens in the operations database."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._hasher = PasswordHash.recommended()
        #: verified when no such user exists, so that the answer takes as long
        self._nobody = self._hasher.hash(secrets.token_hex(8))

    def first_run(self, now_ms: int) -> bool:
        """Creates the administrator where there is no user yet; True when it did."""
        with Session(self._database) as session, session.begin():
            if session.scalar(sa.select(sa.func.count()).select_from(UserRow)):
                return False
            session.add(
                UserRow(name="admin", display_name="管理员", role=AccountRole.ADMIN, created_ms=now_ms)
            )
        return True

    def add_user(self, name: str, display_name: str, role: AccountRole, password: str, now_ms: int) -> None:
        """Adds a user; an existing name gets the new password, name and role, and its sessions end."""
        with Session(self._database) as session, session.begin():
            row = session.scalar(sa.select(UserRow).where(UserRow.name == name))
            if row is None:
                row = UserRow(name=name, created_ms=now_ms, session_epoch=0)
                session.add(row)
            row.display_name, row.role = display_name or name, role.value
            row.password_hash = self._hasher.hash(password)
            row.session_epoch = (row.session_epoch or 0) + 1

    def set_password(self, name: str, password: str) -> None:
        """Sets the password and ends every session of that user."""
        with Session(self._database) as session, session.begin():
            session.execute(
                sa.update(UserRow)
                .where(UserRow.name == name)
                .values(password_hash=self._hasher.hash(password), session_epoch=UserRow.session_epoch + 1)
            )

    def check_password(self, name: str, password: str) -> Account | None:
        """The account whose password this is, or None; takes as long for a name nobody has."""
        with Session(self._database) as session:
            row = session.scalar(sa.select(UserRow).where(UserRow.name == name, UserRow.disabled.is_(False)))
            known = row.password_hash if row is not None and row.password_hash else ""
            right = self._hasher.verify(password, known or self._nobody)
            return _account(row) if row is not None and known and right else None

    def account(self, name: str) -> Account | None:
        """The account of that name unless it is disabled."""
        with Session(self._database) as session:
            row = session.scalar(sa.select(UserRow).where(UserRow.name == name, UserRow.disabled.is_(False)))
            return _account(row) if row is not None else None

    def make_link(self, name: str, now_ms: int) -> str:
        """A new one-time link's token for *name*; it lives 30 minutes."""
        token = secrets.token_urlsafe(24)
        with Session(self._database) as session, session.begin():
            user_id = session.scalar(sa.select(UserRow.id).where(UserRow.name == name))
            session.execute(sa.delete(SignInLinkRow).where(SignInLinkRow.expires_ms < now_ms))
            session.add(
                SignInLinkRow(token_hash=_digest(token), user_id=user_id, expires_ms=now_ms + LINK_LIVES_MS)
            )
        return token

    def use_link(self, token: str, now_ms: int) -> Account | None:
        """The account a link stands for, once; None for a used, old or unknown one."""
        with Session(self._database) as session, session.begin():
            spent = session.execute(
                sa.update(SignInLinkRow)
                .where(
                    SignInLinkRow.token_hash == _digest(token),
                    SignInLinkRow.used_ms.is_(None),
                    SignInLinkRow.expires_ms >= now_ms,
                )
                .values(used_ms=now_ms)
                .returning(SignInLinkRow.user_id)
            ).scalar_one_or_none()
            row = session.get(UserRow, spent) if spent is not None else None
            return _account(row) if row is not None and not row.disabled else None

    def make_token(self, name: str, role: AccountRole, now_ms: int) -> str:
        """A new API token; shown once, kept as a hash."""
        token = secrets.token_urlsafe(32)
        with Session(self._database) as session, session.begin():
            session.execute(sa.delete(ApiTokenRow).where(ApiTokenRow.name == name))
            session.add(ApiTokenRow(token_hash=_digest(token), name=name, role=role.value, created_ms=now_ms))
        return token

    def check_token(self, token: str) -> Account | None:
        """The account a bearer token stands for."""
        with Session(self._database) as session:
            row = session.get(ApiTokenRow, _digest(token))
            return (
                None
                if row is None
                else Account(name=row.name, display_name=row.name, role=AccountRole(row.role))
            )

    def cookie_key(self) -> str:
        """The key that signs session cookies; made at the first start, kept in the database."""
        with Session(self._database) as session, session.begin():
            row = session.get(SecretRow, "cookie")
            if row is None:
                row = SecretRow(name="cookie", value=secrets.token_urlsafe(48))
                session.add(row)
            return row.value

    def audit(self, who: str, what: str, detail: dict[str, object], now_ms: int) -> None:
        """Writes down who did what."""
        with Session(self._database) as session, session.begin():
            session.add(AuditRow(time_ms=now_ms, who=who, what=what, detail=detail))


def _account(row: UserRow) -> Account:
    return Account(
        name=row.name,
        display_name=row.display_name or row.name,
        role=AccountRole(row.role),
        epoch=row.session_epoch,
        has_password=bool(row.password_hash),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
