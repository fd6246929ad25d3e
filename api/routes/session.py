"""Signing in by password or one-time link, setting a password, signing out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.accounts import SHORTEST_PASSWORD, Account
from api.errors import TooManyTries
from api.guarded_route import GuardedRoute
from api.pages import render
from api.routes.common import Deps, Viewer
from api.session import COOKIE, LIVES_S, Sessions, check_origin
from campus.text import marked as _

router = APIRouter(tags=["session"], include_in_schema=False, route_class=GuardedRoute)

_WRONG = _("用户名或密码不对。")
_LINK_SPENT = _("这个登录链接已经用过或过期了,请在运行守园的电脑上重新生成。")
_TOO_SHORT = _("密码至少 8 位。")
_DIFFERENT = _("两次输入的密码不一样。")
_WAIT = _("尝试次数太多,请 {seconds} 秒后再试。")


@router.get("/sign-in")
def form(request: Request, next: str = "/") -> Response:  # noqa: A002 - the usual name of this parameter
    return render(request, "sign_in.html", next=_inside(next))


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form()],
    password: Annotated[str, Form()],
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the usual name of this parameter
) -> Response:
    check_origin(request)
    sessions: Sessions = request.app.state.sessions
    keys = (f"name:{name.lower()}", f"host:{request.client.host if request.client else ''}")
    try:
        for key in keys:
            sessions.check_tries(key)
    except TooManyTries as error:
        return render(
            request, "sign_in.html", status=429, next=_inside(next), problem=_WAIT, seconds=error.wait_s
        )
    account = sessions.accounts.check_password(name, password)
    if account is None:
        for key in keys:
            sessions.note_failure(key)
        return render(request, "sign_in.html", status=401, next=_inside(next), problem=_WRONG)
    for key in keys:
        sessions.note_success(key)
    return _signed_in(request, account, _inside(next))


@router.get("/sign-in/link")
def link(request: Request, services: Deps, token: str = "") -> Response:
    """The one-time link printed at the start."""
    sessions: Sessions = request.app.state.sessions
    account = sessions.accounts.use_link(token, services.now_ms())
    if account is None:
        return render(request, "sign_in.html", status=401, next="/", problem=_LINK_SPENT)
    sessions.accounts.audit(account.name, "signed in by link", {}, services.now_ms())
    return _signed_in(request, account, "/" if account.has_password else "/password")


@router.get("/password")
def password_form(request: Request, account: Viewer) -> Response:
    return render(request, "password.html", account=account)


@router.post("/password")
def set_password(
    request: Request, account: Viewer, password: Annotated[str, Form()], again: Annotated[str, Form()]
) -> Response:
    if len(password) < SHORTEST_PASSWORD:
        return render(request, "password.html", status=422, account=account, problem=_TOO_SHORT)
    if password != again:
        return render(request, "password.html", status=422, account=account, problem=_DIFFERENT)
    sessions: Sessions = request.app.state.sessions
    sessions.accounts.set_password(account.name, password)
    fresh = sessions.accounts.account(account.name)
    return _signed_in(request, fresh or account, "/")


@router.post("/sign-out")
def sign_out(_account: Viewer) -> Response:
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(COOKIE)
    return response


def _signed_in(request: Request, account: Account, where: str) -> Response:
    sessions: Sessions = request.app.state.sessions
    response = RedirectResponse(where, status_code=303)
    response.set_cookie(
        COOKIE,
        sessions.cookie_for(account),
        max_age=LIVES_S,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _inside(where: str) -> str:
    """Only a path of our own; anything else could lead a signed-in person elsewhere."""
    return where if where.startswith("/") and not where.startswith(("//", "/\\")) else "/"
