"""``shouyuan up``: everything in one process; and ``check``."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from api.accounts import AccountRole
from api.app import create_app
from api.server import server_config
from campus.campus import Campus
from campus.errors import FolderProblems
from campus.folder import check_folder, load_campus
from campus.problem import Problem
from ingest.decoding.registry import decoder_names
from rules.settings import check as check_rules
from service.demo import DRILL_FREEZER, demo_campus
from service.errors import ServiceError
from service.logs import configure_logs
from service.runtime import Runtime
from service.settings import ServiceSettings
from simulators.drill_freezer import DrillFreezer
from simulators.publisher import Publisher
from simulators.world import World

_SEED = 20261121


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(up)
    app.command()(check)


def up(
    campus: Annotated[Path | None, typer.Option(help="The campus folder.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="The example school, simulated.")] = False,
    data: Annotated[Path | None, typer.Option(help="Where data is kept.")] = None,
    host: Annotated[str, typer.Option(help="Address of the page.")] = "",
    port: Annotated[int | None, typer.Option(help="Port of the page; 0 takes a free one.")] = None,
) -> None:
    """Runs everything in one process. Example: shouyuan up --campus examples/school"""
    if (campus is None) == (not demo):
        typer.echo("give either --campus DIR or --demo", err=True)
        raise typer.Exit(2)
    given = {"data": data or (Path("data/demo") if demo else None), "host": host or None, "port": port}
    settings = ServiceSettings.model_validate(
        ServiceSettings().model_dump() | {key: value for key, value in given.items() if value is not None}
    )
    configure_logs(level="warning" if demo else settings.log_level, as_json=settings.log_json)
    try:
        _run(demo_campus() if campus is None else _load(campus), settings, demo=demo, folder=campus)
    except FolderProblems as error:
        print_problems(error.problems)
        raise typer.Exit(1) from error
    except ServiceError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def check(campus: Annotated[Path, typer.Option(help="The campus folder.")]) -> None:
    """Names every mistake in a campus folder. Example: shouyuan check --campus examples/school"""
    problems = check_folder(campus, decoders=decoder_names(), check_rules=check_rules)
    print_problems(problems)
    errors = sum(not one.warning for one in problems)
    typer.echo(f"{campus}: 没有错误 / no mistakes" if not errors else f"{campus}: {errors} 处错误 / mistakes")
    raise typer.Exit(1 if errors else 0)


def _load(folder: Path) -> Campus:
    return load_campus(folder, decoders=decoder_names(), check_rules=check_rules)


def print_problems(problems: tuple[Problem, ...] | list[Problem]) -> None:
    for one in problems:
        kind = "提示 / note" if one.warning else "错误 / mistake"
        typer.echo(f"{one.where()}: {kind}: 现为 / found {one.found}; 应为 / expected {one.expected}")


def _run(campus: Campus, settings: ServiceSettings, *, demo: bool, folder: Path | None) -> None:
    runtime = Runtime(campus, settings, write=typer.echo, demo=demo, folder=folder)
    page = _bind(settings.host, settings.port)
    try:
        runtime.start()
        publisher = _publisher(campus, runtime) if demo else None
        _say_where(runtime, page)
        _serve(runtime, page)
        if publisher is not None:
            publisher.stop()
    finally:
        runtime.stop()
        page.close()


def _publisher(campus: Campus, runtime: Runtime) -> Publisher:
    address = runtime.brokers.address()
    drill = DrillFreezer(campus.device(DRILL_FREEZER), campus.site, seed=_SEED, start_ms=runtime.now_ms())
    school = Campus(
        site=campus.site,
        devices=[device for device in campus.devices.values() if device.id != DRILL_FREEZER],
        hours=campus.hours,
    )
    publisher = Publisher(
        World(school, seed=_SEED),
        host=address.host,
        port=address.port,
        now_ms=runtime.now_ms,
        username=address.username,
        password=address.password,
        extra=drill.publications,
    )
    publisher.start()
    return publisher


def _bind(host: str, port: int) -> socket.socket:
    """The page's socket: the port asked for, or a free one where the default is taken."""
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        page.bind((host, port))
    except OSError:
        page.bind((host, 0))
    return page


def _say_where(runtime: Runtime, page: socket.socket) -> None:
    host, port = page.getsockname()[:2]
    base = f"http://{host}:{port}"
    token = runtime.accounts.make_link("admin", runtime.now_ms())
    brokers = [runtime.brokers.address(name) for name in runtime.brokers.connections]
    typer.echo(f"\n守园已启动 / Shouyuan is running\n  页面 / page:        {base}/")
    typer.echo(
        f"  一次性登录 / one-time sign-in ({AccountRole.ADMIN.value}): {base}/sign-in/link?token={token}"
    )
    for broker in brokers:
        typer.echo(f"  MQTT:               {broker.host}:{broker.port}")
    typer.echo("  停止 / stop:        Ctrl-C\n")


def _serve(runtime: Runtime, page: socket.socket) -> None:
    """Serves until a signal comes; open event streams end with the feed, so that stopping takes no time."""
    _Server(server_config(create_app(runtime.services())), runtime).run(sockets=[page])


class _Server(uvicorn.Server):
    """Closes the live feed as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self._runtime = runtime

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl-C and SIGTERM."""
        threading.Thread(target=self._runtime.feed.close, daemon=True).start()
        if sig == signal.SIGINT and self.should_exit:
            self.force_exit = True
        self.should_exit = True
        del frame
