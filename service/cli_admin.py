"""Commands for whoever keeps the service: users, tokens, sign-in links, a test message, Grafana."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from alerts.channels.contract import Outcome
from alerts.channels.opening import open_channels
from alerts.message import MessageKind, OutgoingMessage
from alerts.routing import GROUP, Recipient
from api.accounts import SHORTEST_PASSWORD, AccountRole, Accounts
from campus.errors import FolderProblems
from campus.folder import load_campus
from campus.text import marked as _
from campus.text import translator
from rules.level import Level
from service.clock import wall_ms
from service.settings import ServiceSettings
from store.operations.database import open_database

_TEST = _("【测试】守园的测试消息,收到说明通道正常")

Data = Annotated[Path | None, typer.Option(help="Where data is kept.")]
CampusFolder = Annotated[Path, typer.Option(help="The campus folder.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(user)
    app.command()(token)
    app.command()(link)
    notify = typer.Typer(help="Messages to people.", no_args_is_help=True)
    notify.command("test")(notify_test)
    app.add_typer(notify, name="notify")


def user(
    name: str,
    role: Annotated[AccountRole, typer.Option()] = AccountRole.DUTY,
    display_name: Annotated[str, typer.Option(help="The name shown when they take on an alert.")] = "",
    data: Data = None,
) -> None:
    """Adds a user, or sets a new password. Example: shouyuan user sun --role duty --display-name 孙师傅"""
    password = typer.prompt("密码 / password", hide_input=True, confirmation_prompt=True)
    if len(password) < SHORTEST_PASSWORD:
        typer.echo(f"密码至少 {SHORTEST_PASSWORD} 位 / at least {SHORTEST_PASSWORD} characters", err=True)
        raise typer.Exit(2)
    _accounts(data).add_user(name, display_name, role, password, wall_ms())


def token(
    name: str,
    role: Annotated[AccountRole, typer.Option()] = AccountRole.VIEWER,
    data: Data = None,
) -> None:
    """Makes an API token and prints it once. Example: shouyuan token grafana --role viewer"""
    typer.echo(_accounts(data).make_token(name, role, wall_ms()))


def link(name: Annotated[str, typer.Argument()] = "admin", data: Data = None) -> None:
    """Makes a one-time sign-in link's path. Example: shouyuan link admin"""
    typer.echo(f"/sign-in/link?token={_accounts(data).make_link(name, wall_ms())}")


def notify_test(
    channel: Annotated[str, typer.Argument(help="A channel of site.yaml.")],
    campus: CampusFolder,
    phone: Annotated[str, typer.Option(help="For text messages: the number.")] = "",
    data: Data = None,
) -> None:
    """Sends a test message and prints the provider's word. Example: shouyuan notify test group --campus school"""
    try:
        site = load_campus(campus).site
    except FolderProblems as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if channel not in site.channels:
        typer.echo(f"{channel!r}: 没有这个通道 / no such channel; {', '.join(site.channels)}", err=True)
        raise typer.Exit(2)
    database = open_database(_settings(data).operations_url())
    channels = open_channels(site, database=database, now_ms=wall_ms, write=typer.echo)
    title = translator(site.language)(_TEST)
    message = OutgoingMessage(
        f"test-{wall_ms()}", MessageKind.TEST, Level.NOTICE, title, place=site.name, what="测试"
    )
    delivery = channels[channel].send(message, Recipient(phone or GROUP, phone=phone))
    typer.echo(
        json.dumps(
            {"outcome": delivery.outcome.value, "code": delivery.code, "text": delivery.text},
            ensure_ascii=False,
        )
    )
    raise typer.Exit(0 if delivery.outcome is Outcome.SENT else 1)


def _settings(data: Path | None) -> ServiceSettings:
    settings = ServiceSettings()
    settings = settings.model_copy(update={"data": data}) if data is not None else settings
    settings.data.mkdir(parents=True, exist_ok=True)
    return settings


def _accounts(data: Path | None) -> Accounts:
    return Accounts(open_database(_settings(data).operations_url()))
