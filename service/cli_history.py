"""``shouyuan decode`` and ``shouyuan replay``: trying things out on files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from campus.campus import Campus
from campus.device import Device, Kind, Place
from campus.errors import FolderProblems
from campus.folder import load_campus
from campus.problem import Problem
from campus.quantity import Quantity
from campus.reading import Reading
from campus.site import Site
from campus.text import translator
from ingest.decoding.contract import Hints
from ingest.decoding.display import decode_for_display, unread
from ingest.decoding.registry import Registry
from ingest.errors import UnknownDecoder
from ingest.message import Message
from rules.engine import Engine
from rules.explain import explain
from rules.replay import is_alert, to_json
from rules.replay import replay as replay_readings
from rules.settings import RuleSettings
from service.clock import wall_ms
from store.errors import BadHistory
from store.history_file import read_history


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(decode)
    app.command()(replay)


def decode(
    file: Annotated[
        Path, typer.Argument(help="A file with one message's payload; - for the standard input.")
    ],
    topic: Annotated[str, typer.Option(help="The topic it was published on.")],
    campus: Annotated[
        Path | None, typer.Option(help="A campus folder, for its sources and register.")
    ] = None,
    decoder: Annotated[str, typer.Option(help="Use this decoder.")] = "",
) -> None:
    """Shows what would be read from a message. Example: shouyuan decode --topic zigbee2mqtt/freezer message.json"""
    payload = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    known = _load(campus) if campus is not None else None
    registry = Registry(known.site if known is not None else None)
    hints = Hints() if known is None else Hints(known.site.zone, known.device_at)
    try:
        message = Message(topic, payload, wall_ms())
        shown = decode_for_display(registry, message, hints, name=decoder)
    except UnknownDecoder as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for why in unread(registry, message, hints, name=decoder):
        typer.echo(why, err=True)
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    raise typer.Exit(1 if isinstance(shown, dict) else 0)


def replay(
    readings: Annotated[
        Path, typer.Option(help="CSV or Parquet: time,device,quantity,value[,channel][,unit].")
    ],
    campus: Annotated[Path | None, typer.Option(help="The campus folder with register and rules.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object a transition.")] = False,
) -> None:
    """Shows which alerts the rules would have raised. Example: shouyuan replay --readings winter.csv --campus school"""
    problems: list[Problem] = []
    try:
        history = list(read_history(readings, problems))
    except BadHistory as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for one in problems:
        typer.echo(f"{one.where()}: {one.found}: {one.expected}", err=True)
    known = _load(campus) if campus is not None else _guessed(history)
    engine = Engine(known, RuleSettings(known.rules))
    progress = track(
        history, "replaying", console=Console(stderr=True), transient=True, disable=len(history) < 50_000
    )
    translate = translator(known.site.language)
    for transition in filter(is_alert, replay_readings(engine, progress)):
        shown = to_json(transition)
        if as_json:
            typer.echo(json.dumps(shown, ensure_ascii=False))
        else:
            words = explain(transition.rule, transition.subject, shown["evidence"], known, translate)
            typer.echo(
                f"{shown['time']}  {shown['state']:<9} {shown['severity']:<9} {words.title}  {' · '.join(words.lines)}"
            )
    raise typer.Exit(1 if problems else 0)


def _load(folder: Path) -> Campus:
    try:
        return load_campus(folder)
    except FolderProblems as error:
        for one in error.problems:
            typer.echo(f"{one.where()}: {one.found}: {one.expected}", err=True)
        raise typer.Exit(2) from error


#: what a series without a register is taken for
_KINDS = {
    Quantity.WATER_VOLUME: Kind.WATER_METER,
    Quantity.WATER_FLOW: Kind.WATER_METER,
    Quantity.ENERGY: Kind.ELECTRICITY_METER,
    Quantity.ACTIVE_POWER: Kind.ELECTRICITY_METER,
}


def _guessed(history: list[Reading]) -> Campus:
    """Without a campus folder: meters by their quantity, everything else a plain sensor."""
    site = Site(id="replay", name="replay")
    kinds: dict[str, Kind] = {}
    for reading in history:
        kind = _KINDS.get(reading.series.quantity)
        if kind is not None or reading.series.device not in kinds:
            kinds[reading.series.device] = kind or Kind.CLIMATE
    place = Place(site=site.id)
    devices = [
        Device.model_construct(id=name, name=name, kind=kind, place=place) for name, kind in kinds.items()
    ]
    return Campus(site=site, devices=devices)
