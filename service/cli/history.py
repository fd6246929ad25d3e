"""``shouyuan decode`` and ``shouyuan replay``: trying things out on files and on what is stored."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from alerts.backtest import Projection, backtest
from alerts.comparison import comparison_json
from campus.campus import Campus
from campus.clock import parse_iso
from campus.errors import BadTime, FolderProblems, UnknownDevice
from campus.folder import load_campus
from campus.problem import Problem
from campus.text import translator
from ingest.decoding.contract import Hints
from ingest.decoding.display import decode_for_display, unread
from ingest.decoding.registry import Registry
from ingest.errors import UnknownDecoder
from ingest.message import Message
from rules.engine.engine import Engine
from rules.engine.replay import is_alert, to_json
from rules.engine.replay import replay as replay_readings
from rules.engine.settings import RuleSettings
from rules.engine.settings import check as check_rules
from service.cli.backtest import IN_FORCE, Span, from_files, from_store, guessed_campus, rule_files
from service.cli.backtest_table import tables
from service.cli.progress_bar import LateBar
from service.clock import wall_ms
from service.errors import DataInUse, NoDataFolder, NoReadings
from store.errors import StoreError
from store.timeseries.history import History

#: columns of a table that no terminal shows
_WIDE = 240


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
        list[Path] | None,
        typer.Option(help="CSV or Parquet: time,device,quantity,value[,channel][,unit]; can be repeated."),
    ] = None,
    *,
    campus: Annotated[Path | None, typer.Option(help="The campus folder with register and rules.")] = None,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="A rule file in place of the folder's; repeated, each is compared with the first."),
    ] = None,
    start: Annotated[
        str, typer.Option("--from", help="From this time on; without files, from the store.")
    ] = "",
    end: Annotated[
        str, typer.Option("--to", help="Up to before this time; now, where it is the store.")
    ] = "",
    device: Annotated[
        list[str] | None, typer.Option(help="Only alerts of this device; can be repeated.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Where the data of the embedded store is kept.")] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One object a transition; with several rule files, their comparison."),
    ] = False,
) -> None:
    """Shows which alerts rules would have raised, and who would have been notified. Nothing is sent.

    Example: shouyuan replay --campus school --from 2026-10-01 --to 2026-11-01 --rules school/rules.yaml --rules new.yaml
    """
    problems: list[Problem] = []
    with _errors_printed(), LateBar() as bar:
        known = _load(campus) if campus is not None else None
        span = _span(start, end, known)
        if readings:
            history = from_files(readings, span, problems, bar)
        elif known is not None and span.start_ms is not None:
            now_ms = wall_ms()
            span = Span(span.start_ms, min(span.end_ms or now_ms, now_ms))
            history = from_store(known, data, span, device or (), bar)
        else:
            raise typer.BadParameter(
                "give --readings FILE, or --campus DIR and --from TIME for what is stored"
            )
        _print_problems(problems)
        job = _Job(known or guessed_campus(history), history, span.end_ms, frozenset(device or ()), bar)
        for subject in job.subjects:
            job.campus.device(subject)
        against = rule_files(rules, job.campus) if rules else {IN_FORCE: job.campus.rules}
        if not rules:  # the service would leave a layer with a mistake out, too: printed, and done as it does
            _print_problems(check_rules(job.campus.rules, job.campus))
        if as_json and len(against) == 1:
            _print_transitions(job, *against.values())
        else:
            _print_outcomes(job, against, as_json=as_json)
    raise typer.Exit(1 if any(not problem.warning for problem in problems) else 0)


class _Job(NamedTuple):
    """What is replayed: for *subjects* (all, where there are none), up to *until_ms* (None: as far as it goes)."""

    campus: Campus
    history: History
    until_ms: int | None
    subjects: frozenset[str]
    bar: LateBar


def _print_transitions(job: _Job, rules: Mapping[str, object]) -> None:
    engine = Engine(job.campus, RuleSettings(rules), subjects=job.subjects or None)
    job.bar.begin("replaying", len(job.history))
    transitions = replay_readings(engine, job.bar.over(job.history), until_ms=job.until_ms)
    for transition in filter(is_alert, transitions):
        typer.echo(json.dumps(to_json(transition), ensure_ascii=False))


def _print_outcomes(job: _Job, against: Mapping[str, Mapping[str, object]], *, as_json: bool) -> None:
    outcomes: list[Projection] = []
    for name, rules in against.items():
        job.bar.begin(f"replaying {name}", len(job.history))
        outcomes.append(
            backtest(
                name,
                job.campus,
                rules,
                job.bar.over(job.history),
                subjects=job.subjects or None,
                until_ms=job.until_ms,
            )
        )
    if as_json:
        typer.echo(json.dumps(comparison_json(outcomes), ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:  # into a file or another program: a line stays a line
        console = Console(width=_WIDE)
    for table in tables(outcomes, job.campus, translator(job.campus.site.language)):
        console.print(table)


def _span(start: str, end: str, campus: Campus | None) -> Span:
    """The times of the options; without offset they are the campus's, and refused where there is none."""
    zone = campus.site.zone if campus is not None else None
    bounds = []
    for option, text in (("--from", start), ("--to", end)):
        try:
            bounds.append(parse_iso(text, zone) if text else None)
        except BadTime as error:
            expected = "ISO 8601 with an offset, such as 2026-11-20T08:00:00+08:00"
            raise typer.BadParameter(f"{option} is {text!r}; expected {expected}") from error
    if bounds[0] is not None and bounds[1] is not None and bounds[0] >= bounds[1]:
        raise typer.BadParameter(f"--to is {end!r}; expected a time after --from ({start})")
    return Span(*bounds)


@contextlib.contextmanager
def _errors_printed() -> Iterator[None]:
    try:
        yield
    except FolderProblems as error:
        _print_problems(error.problems)
        raise typer.Exit(2) from error
    except DataInUse as error:
        typer.echo(f"{error}. While the service runs, ask it: POST /api/replay", err=True)
        raise typer.Exit(2) from error
    except (StoreError, NoDataFolder, NoReadings, UnknownDevice) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _print_problems(problems: Iterable[Problem]) -> None:
    for problem in problems:
        typer.echo(f"{problem.where()}: {problem.found}: {problem.expected}", err=True)


def _load(folder: Path) -> Campus:
    try:
        return load_campus(folder)
    except FolderProblems as error:
        _print_problems(error.problems)
        raise typer.Exit(2) from error
