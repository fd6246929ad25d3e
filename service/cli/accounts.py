"""``shouyuan user|token|link``: who may sign in, on the machine that runs the service; each act goes into the audit."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from api.accounts import SHORTEST_PASSWORD, AccountRole, Accounts, Act, Actor, Scope
from api.errors import ApiError
from campus.clock import DAY_MS, iso
from service.clock import wall_ms
from service.recovery.permissions import private_umask
from service.settings import ServiceSettings
from store.errors import StoreError
from store.operations.database import open_database

Data = Annotated[Path | None, typer.Option(help="Where data is kept.")]
Name = Annotated[str, typer.Argument(help="The name to sign in with.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    users = typer.Typer(help="People who may sign in.", no_args_is_help=True)
    users.command("list")(list_users)
    users.command("add")(add_user)
    users.command()(password)
    users.command()(disable)
    users.command()(enable)
    users.command("delete")(delete_user)
    users.command()(sign_out)
    app.add_typer(users, name="user")
    tokens = typer.Typer(help="Tokens of programs that use the API.", no_args_is_help=True)
    tokens.command("list")(list_tokens)
    tokens.command("add")(add_token)
    tokens.command()(revoke)
    app.add_typer(tokens, name="token")
    app.command()(link)


def list_users(data: Data = None) -> None:
    """Lists users: name, role, state, password, sessions, last use. Example: shouyuan user list"""
    for user in accounts_of(data).users.all():
        state = "停用 / disabled" if user.disabled else "启用 / enabled"
        secret = "有密码 / password" if user.has_password else "无密码 / no password"
        row = (
            user.name,
            user.display_name,
            user.role,
            state,
            secret,
            str(user.sessions),
            _when(user.last_used_ms),
        )
        typer.echo("\t".join(row))


def add_user(
    name: Name,
    role: Annotated[AccountRole, typer.Option()] = AccountRole.DUTY,
    display_name: Annotated[str, typer.Option(help="The name shown when they take on an alert.")] = "",
    data: Data = None,
) -> None:
    """Adds a user with a password. Example: shouyuan user add sun --role duty --display-name 孙师傅"""
    with _refusals():
        accounts_of(data).add_user(name, display_name, role, _ask_password(), wall_ms(), command_line())


def password(name: Name, data: Data = None) -> None:
    """Sets a new password and signs that user out everywhere. Example: shouyuan user password sun"""
    with _refusals():
        accounts = accounts_of(data)
        accounts.users.get(name)
        accounts.set_password(name, _ask_password(), wall_ms(), command_line())


def disable(name: Name, data: Data = None) -> None:
    """Keeps a user from signing in and signs him out everywhere. Example: shouyuan user disable sun"""
    with _refusals():
        accounts_of(data).users.change(name, disabled=True, actor=command_line(), now_ms=wall_ms())


def enable(name: Name, data: Data = None) -> None:
    """Lets a disabled user sign in again. Example: shouyuan user enable sun"""
    with _refusals():
        accounts_of(data).users.change(name, disabled=False, actor=command_line(), now_ms=wall_ms())


def delete_user(name: Name, data: Data = None) -> None:
    """Removes a user; what he did stays under his name. Example: shouyuan user delete sun"""
    with _refusals():
        accounts_of(data).users.delete(name, actor=command_line(), now_ms=wall_ms())


def sign_out(name: Name, data: Data = None) -> None:
    """Signs a user out on every device. Example: shouyuan user sign-out sun"""
    with _refusals():
        ended = accounts_of(data).users.sign_out(name, actor=command_line(), now_ms=wall_ms())
        typer.echo(f"{name}: 已退出 {ended} 处登录 / signed out of {ended} sessions")


def list_tokens(data: Data = None) -> None:
    """Lists tokens: name, scopes, state, expiry, last use. Example: shouyuan token list"""
    now_ms = wall_ms()
    for token in accounts_of(data).tokens.all():
        over = token.expires_ms is not None and token.expires_ms <= now_ms
        state = "停用 / disabled" if token.disabled else "过期 / expired" if over else "有效 / valid"
        expiry = _when(token.expires_ms) if token.expires_ms else "长期 / no expiry"
        typer.echo("\t".join((token.name, ",".join(token.scopes), state, expiry, _when(token.last_used_ms))))


def add_token(
    name: Annotated[str, typer.Argument(help="A name for the program.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; read where left out.")] = None,
    days: Annotated[int, typer.Option(min=0, max=3660, help="It expires after so many days; 0: never.")] = 0,
    data: Data = None,
) -> None:
    """Makes an API token and prints it once. Example: shouyuan token add grafana --scope read --days 365"""
    now_ms = wall_ms()
    expires_ms = now_ms + days * DAY_MS if days else None
    with _refusals():
        tokens = accounts_of(data).tokens
        actor = command_line()
        typer.echo(tokens.add(name, scope or [Scope.READ], actor=actor, now_ms=now_ms, expires_ms=expires_ms))


def revoke(
    name: Annotated[str, typer.Argument(help="As 'token list' prints it.")], data: Data = None
) -> None:
    """Removes a token; it is void within seconds. Example: shouyuan token revoke grafana"""
    with _refusals():
        accounts_of(data).tokens.delete(name, actor=command_line(), now_ms=wall_ms())


def link(
    name: Annotated[str, typer.Argument(help="Whom it signs in; an administrator where left out.")] = "",
    data: Data = None,
) -> None:
    """Makes a one-time sign-in link's path, good for 15 minutes; it lets a forgotten password be set anew. Example: shouyuan link sun"""
    accounts = accounts_of(data)
    now_ms = wall_ms()
    accounts.first_run(now_ms)
    chosen = name or accounts.users.administrator()
    if chosen is None:
        typer.echo(
            "没有可以登录的管理员,请用 shouyuan user enable 或 shouyuan user add --role admin / no administrator may sign in",
            err=True,
        )
        raise typer.Exit(1)
    with _refusals():
        typer.echo(f"/sign-in/link?token={accounts.make_link(chosen, now_ms, command_line())}")


def command_line() -> Actor:
    """Whoever sits at the machine, as the audit names it."""
    try:
        return Actor(f"command line ({getpass.getuser()})")
    except (OSError, KeyError):  # a container's user may have no name
        return Actor("command line")


def write_down(data: Path | None, act: Act, subject: object, **detail: object) -> None:
    """Puts what was done from the command line into the audit; what keeps it from that is said, and undoes nothing."""
    reason = ""
    try:
        audit = accounts_of(data).audit
        audit.note(command_line(), act, subject, wall_ms(), **detail)
        reason = "the database took no entry" if audit.waiting else ""
    except (StoreError, SQLAlchemyError) as error:
        reason = str(error)
    if reason:
        typer.echo(f"没有记入审计 / not in the audit: {reason}", err=True)


def settings_of(data: Path | None) -> ServiceSettings:
    """The settings with *data* in place of their own folder, which is made where there is none."""
    settings = ServiceSettings()
    settings = settings.model_copy(update={"data": data}) if data is not None else settings
    private_umask()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings


def accounts_of(data: Path | None) -> Accounts:
    """The accounts of a data folder; a running service sees changes within seconds."""
    return Accounts(open_database(settings_of(data).operations_url()))


@contextmanager
def _refusals() -> Iterator[None]:
    """What cannot be done is said in a sentence; exit code 1, or 2 for what was typed wrongly."""
    try:
        yield
    except ApiError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2 if error.status == 422 else 1) from error


def _ask_password() -> str:
    password: str = typer.prompt("密码 / password", hide_input=True, confirmation_prompt=True)
    if len(password) < SHORTEST_PASSWORD:
        typer.echo(f"密码至少 {SHORTEST_PASSWORD} 位 / at least {SHORTEST_PASSWORD} characters", err=True)
        raise typer.Exit(2)
    return password


def _when(time_ms: int | None) -> str:
    return "-" if time_ms is None else iso(time_ms, dt.UTC)
