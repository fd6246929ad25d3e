"""Tokens by API: what programs may do, until when, and when they last did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.accounts import Scope, Token
from api.routes.common import Admin, Deps
from api.transport.guarded_route import GuardedRoute
from api.transport.openapi import refused
from campus.clock import DAY_MS

router = APIRouter(prefix="/api", tags=["accounts"], route_class=GuardedRoute)

Name = Annotated[str, Path(min_length=1, max_length=80)]
#: ten years
MOST_DAYS = 3660


class TokenView(BaseModel):
    """A token without its secret; times in UTC milliseconds."""

    name: str
    scopes: list[Scope]
    created_ms: int
    created_by: str
    expires_ms: int | None
    last_used_ms: int | None
    disabled: bool


class NewToken(BaseModel):
    """A token to make. ``admin`` includes every scope, and each includes ``read``; *days* 0 is without end."""

    name: str = Field(min_length=1, max_length=40)
    scopes: list[Scope] = Field(default_factory=lambda: [Scope.READ], max_length=10)
    days: int = Field(default=0, ge=0, le=MOST_DAYS)


class MadeToken(TokenView):
    """A new token with its secret, which is shown this once."""

    token: str


class TokenChange(BaseModel):
    """Whether it is void for now."""

    disabled: bool


@router.get("/tokens", response_model=list[TokenView])
def list_tokens(services: Deps, _: Admin) -> Sequence[Token]:
    """Every token, by name."""
    return services.accounts.tokens.all()


@router.post("/tokens", status_code=201, responses=refused(409, "The name is taken"))
def add_token(services: Deps, account: Admin, body: NewToken) -> MadeToken:
    """Makes a token."""
    now_ms, tokens = services.now_ms(), services.accounts.tokens
    expires_ms = now_ms + body.days * DAY_MS if body.days else None
    secret = tokens.add(body.name, body.scopes, actor=account.actor, now_ms=now_ms, expires_ms=expires_ms)
    made = TokenView.model_validate(tokens.get(body.name), from_attributes=True)
    return MadeToken(**made.model_dump(), token=secret)


@router.patch("/tokens/{name}", response_model=TokenView)
def change_token(services: Deps, account: Admin, name: Name, body: TokenChange) -> Token:
    """Makes a token void, or valid again."""
    services.accounts.tokens.disable(
        name, disabled=body.disabled, actor=account.actor, now_ms=services.now_ms()
    )
    return services.accounts.tokens.get(name)


@router.delete("/tokens/{name}", status_code=204)
def delete_token(services: Deps, account: Admin, name: Name) -> None:
    """Removes a token."""
    services.accounts.tokens.delete(name, actor=account.actor, now_ms=services.now_ms())
