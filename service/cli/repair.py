"""``shouyuan repair``: sets aside what is damaged in a data folder, and brings back what can be read."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from campus.text import translator
from service.clock import wall_ms
from service.errors import ServiceError
from service.lock import DataLock
from service.recovery.inspection import Finding, inspect
from service.recovery.permissions import private_umask
from service.recovery.repair import repair as repairing
from service.recovery.repair import wanted
from service.settings import ServiceSettings
from store.errors import StoreError

_LANGUAGE = "zh_CN"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(repair)


def repair(
    data: Annotated[Path | None, typer.Option(help="Where data is kept.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")] = False,
    lang: Annotated[str, typer.Option(help="zh_CN or en")] = _LANGUAGE,
) -> None:
    """Repairs the data folder of a stopped service. Example: shouyuan repair --data /var/lib/shouyuan --yes

    Damaged files are renamed, never deleted. Exit code 0: done, or nothing to do; 1: there is something to do, or it
    could not be done; 2: the service is running.
    """
    folder = data or ServiceSettings().data
    if not folder.is_dir():
        typer.echo(f"{folder}: 没有这个文件夹 / there is no such folder", err=True)
        raise typer.Exit(2)
    private_umask()
    try:
        lock = DataLock(folder)
        lock.acquire()
    except ServiceError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    try:
        left = _do(folder, lang) if yes else _say(folder, lang)
    finally:
        lock.release()
    raise typer.Exit(1 if left else 0)


def print_findings(data: Path, language: str, *, in_use: bool) -> int:
    """Prints the state of each file; how many need something done."""
    bad = 0
    for one in inspect(data, in_use=in_use):
        _print(one, language)
        bad += not one.good
    return bad


def _say(folder: Path, language: str) -> int:
    todo = wanted(folder)
    for one in todo:
        _print(one, language)
    typer.echo("加上 --yes 就动手 / give --yes to do it" if todo else "没有要修的 / nothing to repair")
    return len(todo)


def _do(folder: Path, language: str) -> int:
    translate = translator(language)
    try:
        for step in repairing(folder, wall_ms()):
            typer.echo(translate(step.text).format(**step.values))
    except (ServiceError, StoreError, OSError, sqlite3.Error) as error:
        typer.echo(str(error), err=True)
        return 1
    return print_findings(folder, language, in_use=False)


def _print(one: Finding, language: str) -> None:
    mark = Text("✓ ", "green") if one.good else Text("✗ ", "bold red")
    text = translator(language)(one.text).format(**one.values)
    Console(soft_wrap=True).print(mark + Text(f"{one.file}: ", "bold") + Text(text))
