"""Who asks, and what he may do: roles of people, scopes of tokens, and the name that goes into the audit."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec


class Scope(enum.StrEnum):
    """What a route needs. Whoever may do anything may read; ``admin`` includes all."""

    READ = "read"
    #: take alerts on, write down cause and repair, stop an exercise
    DUTY = "duty"
    #: register, calendar, held messages, replays
    REGISTER = "register"
    #: exercises, users, tokens, audit
    ADMIN = "admin"


class AccountRole(enum.StrEnum):
    """What a person is here; each includes those before it."""

    VIEWER = "viewer"
    DUTY = "duty"
    ADMIN = "admin"

    @property
    def scopes(self) -> frozenset[Scope]:
        """What somebody of this role may do."""
        return _SCOPES[self]


_SCOPES = {
    AccountRole.VIEWER: frozenset({Scope.READ}),
    AccountRole.DUTY: frozenset({Scope.READ, Scope.DUTY}),
    AccountRole.ADMIN: frozenset(Scope),
}


def completed(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """*scopes* with what they include."""
    asked = frozenset(scopes)
    return frozenset(Scope) if Scope.ADMIN in asked else asked | {Scope.READ}


class Actor(msgspec.Struct, frozen=True):
    """Who does something, and from where, as the audit keeps it."""

    name: str
    address: str = ""


class Account(msgspec.Struct, frozen=True):
    """A person's session or a program's token. The two are separate name spaces: *session_id* is 0 for a token."""

    name: str
    display_name: str
    scopes: frozenset[Scope]
    user_id: int = 0
    session_id: int = 0
    token_id: str = ""
    has_password: bool = False
    #: until when this session may set a password without the old one: it was made by a one-time link
    may_reset_until_ms: int = 0
    #: when the session or token ends, whatever is done with it; 0: never
    expires_ms: int = 0
    address: str = ""

    @property
    def is_person(self) -> bool:
        """Whether somebody has signed in, in contrast to a program with a token."""
        return self.session_id > 0

    @property
    def role(self) -> AccountRole:
        """The highest role whose scopes it has."""
        return max(
            (one for one in AccountRole if one.scopes <= self.scopes),
            key=lambda one: len(one.scopes),
            default=AccountRole.VIEWER,
        )

    @property
    def actor(self) -> Actor:
        """As the audit names it; a name with a space is no user's."""
        return Actor(self.name if self.is_person else f"token {self.name}", self.address)

    def may(self, scope: Scope | str) -> bool:
        """Whether it has *scope*."""
        return scope in self.scopes
