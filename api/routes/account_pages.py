"""The pages 用户与令牌, 我的账号 and 审计."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.accounts import Account, AccountRole, Act, Scope
from api.accounts.words import ACTS, ROLES, SCOPES
from api.audit_view import audit_lines
from api.device_name import device_name
from api.errors import ApiError, BadRequest, LastAdministrator, NameTaken
from api.pages import date, language_of, render
from api.routes.audit import Text, found
from api.routes.common import Admin, Deps, Id, IdBefore, Person
from api.routes.tokens import MOST_DAYS
from api.services import Services
from api.transport.guarded_route import GuardedRoute
from campus.clock import DAY_MS
from campus.text import marked as _
from campus.text import translator

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

_PAGE = 100
_NOT_A_NAME = _("名字只能用字母、汉字、数字和 . _ @ + -,最多 40 个字,不能有空格。")
_TAKEN = _("这个名字已经有了,请换一个。")
_LAST = _("这是最后一位能登录的管理员。请先添加另一位管理员,并请本人设置密码。")
#: what a problem is called on the page
_PROBLEMS: dict[type[ApiError], str] = {BadRequest: _NOT_A_NAME, NameTaken: _TAKEN, LastAdministrator: _LAST}


class UserForm(BaseModel):
    """A user to add, or what is done with one."""

    name: str = Field(max_length=80)
    action: Literal["add", "role", "disable", "enable", "delete", "sign-out", "link"]
    display_name: str = Field(default="", max_length=80)
    role: AccountRole = AccountRole.DUTY


class TokenForm(BaseModel):
    """A token to make, or what is done with one."""

    name: str = Field(max_length=80)
    action: Literal["add", "disable", "enable", "delete"]
    scopes: list[Scope] = Field(default_factory=list, max_length=10)
    days: int = Field(default=0, ge=0, le=MOST_DAYS)


@router.get("/users")
def users_page(request: Request, services: Deps, account: Admin) -> Response:
    """用户与令牌."""
    return _users(request, services, account)


@router.post("/users")
def change_user(
    request: Request, services: Deps, account: Admin, form: Annotated[UserForm, Form()]
) -> Response:
    """Adds or changes one; a link is shown this once."""
    try:
        link = _change_user(services, account, form)
    except (BadRequest, NameTaken, LastAdministrator) as error:
        return _users(request, services, account, problem=error)
    if link is None:
        return RedirectResponse("/users", status_code=303)
    shown = f"{request.url.scheme}://{request.url.netloc}{link}"
    return _users(request, services, account, link=shown, link_for=form.name)


@router.post("/tokens")
def change_token(
    request: Request, services: Deps, account: Admin, form: Annotated[TokenForm, Form()]
) -> Response:
    """Makes or changes one; its secret is shown this once."""
    tokens, actor, now_ms = services.accounts.tokens, account.actor, services.now_ms()
    try:
        if form.action == "add":
            expires_ms = now_ms + form.days * DAY_MS if form.days else None
            secret = tokens.add(form.name, form.scopes, actor=actor, now_ms=now_ms, expires_ms=expires_ms)
            return _users(request, services, account, token=secret, token_name=form.name)
        if form.action == "delete":
            tokens.delete(form.name, actor=actor, now_ms=now_ms)
        else:
            tokens.disable(form.name, disabled=form.action == "disable", actor=actor, now_ms=now_ms)
    except (BadRequest, NameTaken) as error:
        return _users(request, services, account, problem=error)
    return RedirectResponse("/users", status_code=303)


@router.get("/account")
def account_page(request: Request, services: Deps, account: Person) -> Response:
    """我的账号."""
    sessions = services.accounts.sessions.of(account.user_id, services.now_ms())
    return render(
        request,
        "account.html",
        account=account,
        role=ROLES[account.role],
        sessions=[
            (one, date(one.created_ms, services), date(one.last_used_ms, services), device_name(one.device))
            for one in sessions
        ],
    )


@router.post("/account/sessions/{session_id}/end")
def end_session(services: Deps, account: Person, session_id: Id) -> Response:
    """Signs out on one device."""
    services.accounts.sessions.end(
        session_id, account.user_id, actor=account.actor, act=Act.SESSION_ENDED, now_ms=services.now_ms()
    )
    return RedirectResponse("/account", status_code=303)


@router.post("/account/sign-out-everywhere")
def sign_out_everywhere(services: Deps, account: Person) -> Response:
    """Signs out on every device, this one too."""
    services.accounts.users.sign_out(account.name, actor=account.actor, now_ms=services.now_ms())
    return RedirectResponse("/sign-in", status_code=303)


@router.get("/audit")
def audit_page(
    request: Request,
    services: Deps,
    account: Admin,
    *,
    who: Text = "",
    act: Annotated[str, Query(max_length=80)] = "",
    before_id: IdBefore = None,
) -> Response:
    """审计."""
    entries = found(services, who=who.strip(), act=act, before_id=before_id, limit=_PAGE)
    lines = audit_lines(entries, services, translator(language_of(request, services)))
    older = entries[-1].id if len(entries) == _PAGE else None
    return render(
        request, "audit.html", account=account, lines=lines, older=older, acts=ACTS, who=who, act=act
    )


def _change_user(services: Services, account: Account, form: UserForm) -> str | None:
    """Does what the form says; a one-time link's path where there is one to hand over."""
    users, actor, now_ms = services.accounts.users, account.actor, services.now_ms()
    if form.action == "add":
        users.add(form.name, form.display_name, form.role, actor=actor, now_ms=now_ms)
    elif form.action == "role":
        users.change(form.name, role=form.role, actor=actor, now_ms=now_ms)
    elif form.action == "delete":
        users.delete(form.name, actor=actor, now_ms=now_ms)
    elif form.action == "sign-out":
        users.sign_out(form.name, actor=actor, now_ms=now_ms)
    elif form.action != "link":
        users.change(form.name, disabled=form.action == "disable", actor=actor, now_ms=now_ms)
    if form.action in {"add", "link"} and account.is_person:
        return f"/sign-in/link?token={services.accounts.make_link(form.name, now_ms, actor)}"
    return None


def _users(
    request: Request,
    services: Services,
    account: Account,
    *,
    problem: ApiError | None = None,
    **shown: object,
) -> Response:
    now_ms = services.now_ms()
    return render(
        request,
        "users.html",
        status=problem.status if problem is not None else 200,
        problem=_PROBLEMS[type(problem)] if problem is not None else None,
        account=account,
        users=[
            (one, date(one.last_used_ms, services) if one.last_used_ms else "")
            for one in services.accounts.users.all()
        ],
        tokens=[
            (
                one,
                date(one.expires_ms, services) if one.expires_ms else "",
                one.expires_ms is not None and one.expires_ms <= now_ms,
                date(one.last_used_ms, services) if one.last_used_ms else "",
            )
            for one in services.accounts.tokens.all()
        ],
        roles=ROLES,
        scopes=SCOPES,
        **shown,
    )
