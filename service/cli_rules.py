"""``shouyuan rules``: which rules judge a device, with which numbers, and who set them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from campus.errors import FolderProblems
from campus.folder import load_campus
from rules.listing import BUILT_IN, Listed, rules_of
from rules.settings import RuleSettings


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
    for name in [device] if device else list(known.devices):
        listed = rules_of(known.devices[name], known, settings)
        if as_json:
            for one in listed:
                shown = {"device": name, **msgspec.to_builtins(one)}
                typer.echo(json.dumps(shown, ensure_ascii=False))
        else:
            Console().print(_table(name, listed))


def _table(device: str, listed: list[Listed]) -> Table:
    table = Table("rule", "reads", "numbers", "set by", title=device)
    for one in listed:
        numbers = [
            *((number, "") for number in one.numbers if number.name != "enabled"),
            *((number, f"{when} ") for when, special in one.when.items() for number in special),
        ]
        table.add_row(
            one.rule if one.enabled else f"{one.rule} (off)",
            "\n".join(one.reads),
            "\n".join(f"{when}{number.name}: {number.value}" for number, when in numbers),
            "\n".join("" if number.origin == BUILT_IN else number.origin for number, _ in numbers),
        )
    return table
