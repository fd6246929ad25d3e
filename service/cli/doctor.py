"""``shouyuan doctor``: what is in the way, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from campus.errors import FolderProblems
from campus.folder import check_folder, load_campus
from campus.text import translator
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check as check_rules
from service.cli.repair import print_findings
from service.cli.up import print_problems
from service.clock import wall_ms
from service.health.doctor import examine
from service.lock import is_locked
from service.settings import ServiceSettings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(doctor)


def doctor(
    campus: Annotated[Path | None, typer.Option(help="The campus folder.")] = None,
    data: Annotated[Path | None, typer.Option(help="Where data is kept.")] = None,
) -> None:
    """Says what is wrong: with --campus of every connection, with --data of every file. Example: shouyuan doctor --campus my-school

    It changes nothing, and may run beside the service. Exit code 0: everything works; 1: something does not; 2: the
    campus folder has mistakes (see shouyuan check).
    """
    if campus is None and data is None:
        typer.echo("give --campus DIR, --data DIR, or both", err=True)
        raise typer.Exit(2)
    bad = 0
    if campus is not None:
        bad += _connections(campus, data)
    if data is not None:
        bad += print_findings(data, "zh_CN", in_use=is_locked(data))
    raise typer.Exit(1 if bad else 0)


def _connections(campus: Path, data: Path | None) -> int:
    try:
        known = load_campus(campus, decoders=decoder_names(), check_rules=check_rules)
    except FolderProblems as error:
        print_problems(error.problems)
        raise typer.Exit(2) from error
    notes = check_folder(campus, decoders=decoder_names(), check_rules=check_rules)
    print_problems([note for note in notes if note.warning and note.key.endswith("_file")])
    console, translate = Console(soft_wrap=True), translator(known.site.language)
    bad = 0
    for note in examine(known, data or ServiceSettings().data, now_ms=wall_ms):
        mark = Text("✓ ", "green") if note.good else Text("✗ ", "bold red")
        console.print(
            mark + Text(f"{note.name}: ", "bold") + Text(translate(note.text).format(**note.values))
        )
        bad += not note.good
    return bad
