"""``shouyuan notify test``: does a channel reach people?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from alerts.channels.contract import Outcome
from alerts.channels.opening import open_channels
from alerts.message import MessageKind, OutgoingMessage
from alerts.routing import GROUP, Recipient
from api.accounts import Act
from campus.errors import FolderProblems
from campus.folder import load_campus
from campus.text import marked as _
from campus.text import translator
from rules.level import Level
from service.cli.accounts import settings_of, write_down
from service.clock import wall_ms
from store.operations.database import open_database

_TEST = _("【测试】守园的测试消息,收到说明通道正常")

Data = Annotated[Path | None, typer.Option(help="Where data is kept.")]
CampusFolder = Annotated[Path, typer.Option(help="The campus folder.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    notify = typer.Typer(help="Messages to people.", no_args_is_help=True)
    notify.command("test")(notify_test)
    app.add_typer(notify, name="notify")


def notify_test(
    channel: Annotated[str, typer.Argument(help="A channel of site.yaml.")],
    campus: CampusFolder,
    phone: Annotated[str, typer.Option(help="For text messages: the number.")] = "",
    data: Data = None,
) -> None:
    """Sends a test message and prints the provider's answer. Example: shouyuan notify test group --campus school"""
    try:
        site = load_campus(campus).site
    except FolderProblems as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if channel not in site.channels:
        typer.echo(f"{channel!r}: 没有这个通道 / no such channel; {', '.join(site.channels)}", err=True)
        raise typer.Exit(2)
    database = open_database(settings_of(data).operations_url())
    channels = open_channels(site, database=database, now_ms=wall_ms, write=typer.echo)
    title = translator(site.language)(_TEST)
    message = OutgoingMessage(
        f"test-{wall_ms()}", MessageKind.TEST, Level.NOTICE, title, place=site.name, what="测试"
    )
    delivery = channels[channel].send(message, Recipient(phone or GROUP, phone=phone))
    write_down(data, Act.MESSAGE_TESTED, channel, outcome=delivery.outcome.value, code=delivery.code)
    typer.echo(
        json.dumps(
            {"outcome": delivery.outcome.value, "code": delivery.code, "text": delivery.text},
            ensure_ascii=False,
        )
    )
    raise typer.Exit(0 if delivery.outcome is Outcome.SENT else 1)
