"""``shouyuan rules``: which rules judge a device, with which numbers, and who set them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from campus.errors import FolderProblems
from campus.folder import load_campus
from campus.text import Translate, translator
from campus.text import marked as _
from rules.engine.listing import BUILT_IN, Listed, Number, rules_of
from rules.engine.settings import RuleSettings

_OFF = _("已关闭")
_READS = _("读取")
_SET_BY = _("由 {origin} 设定")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(rules)


def rules(
    campus: Annotated[Path, typer.Option(help="The campus folder.")],
    device: Annotated[str, typer.Argument(help="A device's id; every device where none is named.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One object a device and rule.")] = False,
) -> None:
    """Lists the rules of a device and where each number comes from. Example: shouyuan rules freezer-1 --campus school"""
    try:
        known = load_campus(campus)
    except FolderProblems as error:
        for problem in error.problems:
            typer.echo(f"{problem.where()}: {problem.found}: {problem.expected}", err=True)
        raise typer.Exit(2) from error
    if device and device not in known.devices:
        typer.echo(f"{device} is not in the register", err=True)
        raise typer.Exit(2)
    settings = RuleSettings(known.rules)
    console, translate = Console(), translator(_terminals_language(known.site.language))
    for name in [device] if device else list(known.devices):
        listed = rules_of(known.devices[name], known, settings)
        if as_json:
            for one in listed:
                shown = {"device": name, **msgspec.to_builtins(one)}
                typer.echo(json.dumps(shown, ensure_ascii=False))
        else:
            _print(console, name, listed, translate)


def _print(console: Console, device: str, listed: list[Listed], translate: Translate) -> None:
    """One line a number, so that the narrowest terminal cuts nothing."""
    console.print(f"\n[bold]{escape(device)}[/bold]")
    for one in listed:
        state = "" if one.enabled else f"  ({translate(_OFF)})"
        console.print(f"[bold green]{one.rule}[/bold green]{state}")
        console.print(f"  {translate(_READS)}  {escape(', '.join(one.reads))}", soft_wrap=True)
        for when, numbers in {"": one.numbers, **one.when}.items():
            for number in numbers:
                if when or number.name != "enabled":
                    console.print(_line(when, number, translate), soft_wrap=True)


def _line(when: str, number: Number, translate: Translate) -> str:
    origin = (
        ""
        if number.origin == BUILT_IN
        else f"  [dim]← {escape(translate(_SET_BY).format(origin=number.origin))}[/dim]"
    )
    return f"    {escape(f'{when} ' if when else '')}{number.name}: {escape(str(number.value))}{origin}"


def _terminals_language(otherwise: str) -> str:
    """What the terminal is set to, as every program of it goes by; *otherwise* where it says nothing."""
    said = next((os.environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(key)), "")
    if said.split(".")[0] in {"", "C", "POSIX"}:
        return otherwise
    return "zh_CN" if said.lower().startswith("zh") else "en"
