"""Tokens of programs. A token is no user, whatever its name, and can never become one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.accounts.account import Account, Actor, Scope, completed
from api.accounts.audit import Act, entry
from api.accounts.sessions import digest
from api.accounts.users import NAME, NAME_EXPECTED
from api.errors import BadRequest, NameTaken, NotFound
from store.operations.database import reading
from store.operations.tables import ApiTokenRow


class Token(msgspec.Struct, frozen=True):
    """A program's token, without its secret."""

    name: str
    scopes: tuple[Scope, ...]
    created_ms: int
    created_by: str
    expires_ms: int | None
    last_used_ms: int | None
    disabled: bool


class Tokens:
    """Tokens in the operations database; *changed* as with users."""

    def __init__(self, database: sa.Engine, changed: Callable[[], None]) -> None:
        self._database = database
        self._reading = reading(database)
        self._changed = changed

    def all(self) -> Sequence[Token]:
        """Every token, by name, those that have expired included."""
        with Session(self._reading) as session:
            return [_token(row) for row in session.scalars(sa.select(ApiTokenRow).order_by(ApiTokenRow.name))]

    def get(self, name: str) -> Token:
        """One of them; raises :class:`NotFound`."""
        for one in self.all():
            if one.name == name:
                return one
        raise NotFound("token", name)

    def add(
        self, name: str, scopes: Iterable[Scope], *, actor: Actor, now_ms: int, expires_ms: int | None = None
    ) -> str:
        """A new token's secret, shown once and kept as a hash; raises :class:`BadRequest` or :class:`NameTaken`."""
        granted = sorted(completed(scopes))
        if not NAME.fullmatch(name):
            raise BadRequest("name", name[:80], NAME_EXPECTED)
        secret = secrets.token_urlsafe(32)
        with Session(self._database) as session, session.begin():
            if session.scalar(sa.select(ApiTokenRow.name).where(ApiTokenRow.name == name)) is not None:
                raise NameTaken("token", name)
            session.add(
                ApiTokenRow(
                    token_hash=digest(secret), name=name, scopes=[one.value for one in granted],
                    created_ms=now_ms, created_by=actor.name[:80], expires_ms=expires_ms,
                )
            )  # fmt: skip
            session.add(entry(actor, Act.TOKEN_ADDED, name, now_ms, scopes=granted, expires_ms=expires_ms))
        return secret

    def disable(self, name: str, *, disabled: bool, actor: Actor, now_ms: int) -> None:
        """Makes a token void, or valid again; raises :class:`NotFound`."""
        with Session(self._database) as session, session.begin():
            row = _row(session, name)
            if row.disabled != disabled:
                row.disabled = disabled
                session.add(entry(actor, Act.TOKEN_DISABLED if disabled else Act.TOKEN_ENABLED, name, now_ms))
        self._changed()

    def delete(self, name: str, *, actor: Actor, now_ms: int) -> None:
        """Removes a token; raises :class:`NotFound`."""
        with Session(self._database) as session, session.begin():
            session.delete(_row(session, name))
            session.add(entry(actor, Act.TOKEN_DELETED, name, now_ms))
        self._changed()

    def find(self, token_hash: str) -> Account | None:
        """Who a token stands for; None for one that is disabled or was never made. Its expiry is the caller's to watch."""
        with Session(self._reading) as session:
            row = session.get(ApiTokenRow, token_hash)
            if row is None or row.disabled:
                return None
            return Account(
                name=row.name, display_name=f"{row.name} (API)", scopes=_scopes(row),
                token_id=row.token_hash, expires_ms=row.expires_ms or 0,
            )  # fmt: skip


def _row(session: Session, name: str) -> ApiTokenRow:
    row = session.scalar(sa.select(ApiTokenRow).where(ApiTokenRow.name == name))
    if row is None:
        raise NotFound("token", name)
    return row


def _scopes(row: ApiTokenRow) -> frozenset[Scope]:
    return frozenset(Scope(one) for one in row.scopes if one in set(Scope))


def _token(row: ApiTokenRow) -> Token:
    return Token(
        name=row.name, scopes=tuple(sorted(_scopes(row))), created_ms=row.created_ms,
        created_by=row.created_by, expires_ms=row.expires_ms, last_used_ms=row.last_used_ms,
        disabled=row.disabled,
    )  # fmt: skip
