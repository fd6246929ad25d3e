"""Signing in by password or one-time link, setting a password, signing out."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.accounts import SHORTEST_PASSWORD, Account, Act
from api.errors import Later, NotFound, Overloaded, TooManyTries, WrongPassword
from api.pages import render
from api.routes.common import Deps, Person
from api.transport.guarded_route import GuardedRoute
from api.transport.session import (
    COOKIE,
    address_of,
    check_origin,
    current_account,
    device_of_request,
    set_cookie,
)
from campus.text import marked as _

router = APIRouter(tags=["session"], include_in_schema=False, route_class=GuardedRoute)

_WRONG = _("用户名或密码不对。")
_LINK_SPENT = _("这个登录链接已经用过或过期了,请在运行守园的电脑上重新生成。")
_TOO_SHORT = _("密码至少 8 位。")
_DIFFERENT = _("两次输入的密码不一样。")
_OLD_WRONG = _("原密码不对。")
_WAIT = _("尝试次数太多,请 {seconds} 秒后再试。")
_BUSY = _("现在登录的人太多,请 {seconds} 秒后再试。")
#: longer than any name or password; what is longer is wrong without being looked at
_LONGEST = 1000

Field = Annotated[str, Form(max_length=_LONGEST)]


@router.get("/sign-in")
def form(request: Request, next: str = "/") -> Response:  # noqa: A002 - the usual name of this parameter
    return render(request, "sign_in.html", next=_inside(next))


@router.post("/sign-in")
def sign_in(
    request: Request,
    services: Deps,
    name: Field,
    password: Field,
    next: Field = "/",  # noqa: A002 - the usual name of this parameter
) -> Response:
    check_origin(request)
    where = {"address": address_of(request), "device": device_of_request(request)}
    try:
        cookie = services.accounts.sign_in(name, password, now_ms=services.now_ms(), **where)
    except (TooManyTries, Overloaded) as error:
        return _later(request, "sign_in.html", error, next=_inside(next))
    if cookie is None:
        return render(request, "sign_in.html", status=401, next=_inside(next), problem=_WRONG)
    return _signed_in(request, services, cookie, _inside(next))


@router.get("/sign-in/link")
def link_form(request: Request, services: Deps, token: str = "") -> Response:
    """The one-time link: a button. Opening it, as a preview of a message does, uses nothing up."""
    name = services.accounts.sessions.link_is_for(token, services.now_ms())
    if name is None:
        return render(request, "sign_in.html", status=401, next="/", problem=_LINK_SPENT)
    return render(request, "sign_in_link.html", token=token, name=name)


@router.post("/sign-in/link")
def use_link(request: Request, services: Deps, token: Field) -> Response:
    """The button of the one-time link."""
    check_origin(request)
    now_ms, where = services.now_ms(), {"address": address_of(request), "device": device_of_request(request)}
    cookie = services.accounts.sessions.use_link(token, now_ms=now_ms, **where)
    if cookie is None:
        return render(request, "sign_in.html", status=401, next="/", problem=_LINK_SPENT)
    account = services.accounts.of_cookie(cookie, where["address"], now_ms)
    first = account is not None and not account.has_password
    return _signed_in(request, services, cookie, "/password" if first else "/")


@router.get("/password")
def password_form(request: Request, services: Deps, account: Person) -> Response:
    return _password_form(request, services, account)


@router.post("/password")
def set_password(
    request: Request, services: Deps, account: Person, password: Field, again: Field, old: Field = ""
) -> Response:
    """One's own password: with the old one, or in a session that a one-time link has made."""
    if len(password) < SHORTEST_PASSWORD:
        return _password_form(request, services, account, _TOO_SHORT)
    if password != again:
        return _password_form(request, services, account, _DIFFERENT)
    device, now_ms = device_of_request(request), services.now_ms()
    try:
        cookie = services.accounts.change_password(account, old, password, device=device, now_ms=now_ms)
    except WrongPassword:
        return _password_form(request, services, account, _OLD_WRONG, status=403)
    except (TooManyTries, Overloaded) as error:
        return _later(request, "password.html", error, account=account, old_needed=True)
    response = RedirectResponse("/", status_code=303)
    set_cookie(request, response, cookie)
    return response


@router.post("/sign-out")
def sign_out(services: Deps, account: Person) -> Response:
    """Ends this session, wherever its cookie may have gone."""
    _end(services, account)
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(COOKIE)
    return response


def _password_form(
    request: Request, services: Deps, account: Account, problem: str | None = None, *, status: int = 422
) -> Response:
    return render(
        request,
        "password.html",
        status=status if problem else 200,
        account=account,
        problem=problem,
        old_needed=services.now_ms() >= account.may_reset_until_ms,
    )


def _signed_in(request: Request, services: Deps, cookie: str, where: str) -> Response:
    """Goes on as whoever has signed in; the session this browser had before ends."""
    before = current_account(request)
    if before is not None and before.is_person:
        _end(services, before)
    response = RedirectResponse(where, status_code=303)
    set_cookie(request, response, cookie)
    return response


def _end(services: Deps, account: Account) -> None:
    now_ms = services.now_ms()
    with contextlib.suppress(NotFound):  # ended elsewhere within this moment
        services.accounts.sessions.end(
            account.session_id, account.user_id, actor=account.actor, act=Act.SIGNED_OUT, now_ms=now_ms
        )


def _later(request: Request, template: str, error: Later, **values: object) -> Response:
    problem = _WAIT if isinstance(error, TooManyTries) else _BUSY
    response = render(request, template, status=error.status, problem=problem, seconds=error.wait_s, **values)
    response.headers.update(error.headers)
    return response


def _inside(where: str) -> str:
    """Only a path of our own; anything else could lead a signed-in person elsewhere."""
    return where if where.startswith("/") and not where.startswith(("//", "/\\")) else "/"
