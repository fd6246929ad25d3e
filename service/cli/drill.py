"""``shouyuan drill list|run|stop|report``: exercises from the command line of the machine that runs the service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import sqlalchemy as sa
import typer

from alerts.drills.drill import Drill, DrillLog, DrillOrder, DrillPlan, DrillState
from alerts.drills.record import record_of
from alerts.errors import NoSuchDrill
from api.accounts import Act
from api.drills.excel import workbook
from api.drills.sheet import sheet_of, summary
from api.routes.drill_pages import FAST
from campus.campus import Campus
from campus.clock import iso, parse_iso
from campus.errors import BadTime, FolderProblems
from campus.folder import load_campus
from campus.text import translator
from service.cli.accounts import write_down
from service.clock import wall_ms
from service.runtime.demo import DEMO_FOLDER
from service.settings import ServiceSettings
from simulators.faults.scenario import read_scenarios
from store.operations.database import open_database

Data = Annotated[Path | None, typer.Option(help="Where the service keeps its data.")]
CampusFolder = Annotated[Path, typer.Option(help="The campus folder, for names and the language.")]
#: the service looks for orders twice a second; a rehearsal of a large one may take seconds
_ANSWER_S = 30.0
_COMMAND_LINE = "命令行 / command line"


class _Around(NamedTuple):
    database: sa.Engine
    campus: Callable[[], Campus]
    now_ms: Callable[[], int]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    drill = typer.Typer(help="Exercises on the live service.", no_args_is_help=True)
    drill.command("list")(list_drills)
    drill.command()(run)
    drill.command()(stop)
    drill.command()(report)
    app.add_typer(drill, name="drill")


def list_drills(campus: CampusFolder = DEMO_FOLDER, data: Data = None) -> None:
    """Lists what can be exercised and what was. Example: shouyuan drill list --campus my-school"""
    around = _around(campus, data)
    language = around.campus().site.language
    for scenario in read_scenarios().values():
        if any(fault.expect for fault in scenario.faults):
            typer.echo(f"{scenario.name:<26}{scenario.title.of(language)}")
    for drill in DrillLog(around.database).find():
        state, when, how, score = summary(around, drill, translator(language))
        typer.echo(f"#{drill.id}\t{when}\t{drill.asked.scenario}\t{state}\t{score}\t{how}")


def run(
    name: Annotated[str, typer.Argument(help="A scenario; see: shouyuan drill list")],
    *,
    to: Annotated[list[str], typer.Option(help="Whom to tell: ids of people.csv, roles, duty or group.")],
    device: Annotated[str, typer.Option(help="The real device to shadow.")] = "",
    surprise: Annotated[bool, typer.Option("--surprise", help="Do not announce it.")] = False,
    fast: Annotated[bool, typer.Option("--fast", help="An hour of the scenario takes a minute.")] = False,
    at: Annotated[str, typer.Option(help="When, e.g. 2026-11-23T10:00:00+08:00; now where left out.")] = "",
    data: Data = None,
) -> None:
    """Asks the running service for a drill. Example: shouyuan drill run freezer_door_open --to duty --fast

    Exit code 0: it runs, or waits for its time; 1: refused, and why; 2: no service answers on this data folder.
    """
    now_ms = wall_ms()
    known = read_scenarios()
    try:
        title = known[name].title.zh if name in known else name
        start_ms = parse_iso(at) if at else 0
    except BadTime as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    order = DrillOrder(
        scenario=name, people=tuple(to), announced=not surprise, speed=FAST if fast else 1, device=device,
        start_ms=start_ms, seed=now_ms // 1000 % 1_000_000,
    )  # fmt: skip
    drills = DrillLog(_database(data))
    number = drills.add(order, DrillPlan(title=title), who=_COMMAND_LINE, now_ms=now_ms)
    drill = _answer(drills, number)
    if drill.state is DrillState.REFUSED:
        typer.echo(drill.reason, err=True)
        raise typer.Exit(1)
    write_down(data, Act.DRILL_ORDERED, f"drill {drill.id}", scenario=name)
    typer.echo(f"#{drill.id} {drill.plan.title} {drill.state.value} {iso(drill.began_ms or drill.start_ms)}")


def stop(
    number: Annotated[int, typer.Argument(help="Its number; see: shouyuan drill list")], data: Data = None
) -> None:
    """Stops a drill that runs, or drops a planned one. Example: shouyuan drill stop 3"""
    drills = DrillLog(_database(data))
    _found(drills, number)
    drills.ended(number, DrillState.STOPPED, wall_ms(), who=_COMMAND_LINE)
    write_down(data, Act.DRILL_STOPPED, f"drill {number}")
    typer.echo(f"#{number} {drills.get(number).state.value}")


def report(
    number: Annotated[int, typer.Argument(help="Its number; see: shouyuan drill list")],
    campus: CampusFolder = DEMO_FOLDER,
    excel: Annotated[Path | None, typer.Option(help="Write the record into this workbook.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    data: Data = None,
) -> None:
    """Shows the record of a drill. Example: shouyuan drill report 3 --excel drill-3.xlsx"""
    around = _around(campus, data)
    drill = _found(DrillLog(around.database), number)
    site = around.campus().site
    translate = translator(site.language)
    sheet = sheet_of(around, drill, translate)
    if excel is not None:
        excel.write_bytes(workbook(sheet, site.name, translate))
        typer.echo(str(excel))
    elif as_json:
        record = record_of(around.database, drill, around.now_ms())
        typer.echo(json.dumps(msgspec.to_builtins(record), ensure_ascii=False, indent=2))
    else:
        rows = [
            *sheet.facts,
            *((line.what, f"{line.word} {line.after}") for line in (*sheet.expected, *sheet.deeds)),
        ]
        for label, value in (*rows, *sheet.story):
            typer.echo(f"{label}\t{value}")


def _answer(drills: DrillLog, number: int) -> Drill:
    """What the service makes of an order; takes it back where none answers."""
    deadline = time.monotonic() + _ANSWER_S
    while time.monotonic() < deadline:
        drill = drills.get(number)
        if drill.state is not DrillState.PLANNED or drill.plan.ends_ms:
            return drill
        time.sleep(0.1)
    drills.ended(number, DrillState.STOPPED, wall_ms(), who=_COMMAND_LINE)
    typer.echo("没有守园在用这个数据文件夹运行 / no service is running on this data folder", err=True)
    raise typer.Exit(2)


def _found(drills: DrillLog, number: int) -> Drill:
    try:
        return drills.get(number)
    except NoSuchDrill as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _around(campus: Path, data: Path | None) -> _Around:
    try:
        loaded = load_campus(campus)
    except FolderProblems as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    return _Around(_database(data), lambda: loaded, wall_ms)


def _database(data: Path | None) -> sa.Engine:
    settings = ServiceSettings()
    settings = settings if data is None else settings.model_copy(update={"data": data})
    settings.data.mkdir(parents=True, exist_ok=True)
    return open_database(settings.operations_url())
