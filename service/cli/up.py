"""``shouyuan up``: everything in one process; and ``check``."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from campus.campus import Campus
from campus.errors import FolderProblems
from campus.folder import check_folder, load_campus
from campus.problem import Problem
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check as check_rules
from service.errors import ServiceError
from service.health.systemd import from_environment
from service.logs import configure_logs
from service.recovery.permissions import private_umask
from service.runtime.demo import DRILL_FREEZER, demo_campus
from service.runtime.page_door import PageDoor
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings
from simulators.campus.world import World
from simulators.drills.freezer import DrillFreezer
from simulators.output.publisher import Publisher
from store.errors import StoreError

_SEED = 20261121
#: connections that wait to be accepted: a burst of them must not make a good one try again after a second
_QUEUED_CONNECTIONS = 2_048
_DEMO_DATA = Path("data/demo")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(up)
    app.command()(check)


def up(  # noqa: PLR0917 - each is an option of the command line
    campus: Annotated[Path | None, typer.Option(help="The campus folder.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="The example school, simulated.")] = False,
    data: Annotated[Path | None, typer.Option(help="Where data is kept.")] = None,
    host: Annotated[str, typer.Option(help="Address of the page.")] = "",
    port: Annotated[int | None, typer.Option(help="Port of the page; 0 takes a free one.")] = None,
    behind_proxy: Annotated[str, typer.Option(help="Address of the reverse proxy that speaks HTTPS for the page.")] = "",
    tls_cert: Annotated[Path | None, typer.Option(help="The page's certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The key of the page's certificate.")] = None,
) -> None:  # fmt: skip
    """Runs everything in one process. Example: shouyuan up --campus examples/school"""
    if (campus is None) == (not demo):
        typer.echo("give either --campus DIR or --demo", err=True)
        raise typer.Exit(2)
    given = {
        "data": data, "host": host or None, "port": port,
        "behind_proxy": behind_proxy or None, "tls_cert": tls_cert, "tls_key": tls_key,
    }  # fmt: skip
    settings = _settings({key: value for key, value in given.items() if value is not None}, demo=demo)
    private_umask()
    configure_logs(level="warning" if demo else settings.log_level, as_json=settings.log_json)
    try:
        _run(demo_campus() if campus is None else _load(campus), settings, demo=demo, folder=campus)
    except FolderProblems as error:
        print_problems(error.problems)
        raise typer.Exit(1) from error
    except (ServiceError, StoreError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _settings(given: dict[str, object], *, demo: bool) -> ServiceSettings:
    """What the command line says goes before the environment, and that before what goes without saying."""
    said = ServiceSettings().model_dump(exclude_unset=True) | given
    return ServiceSettings.model_validate(({"data": _DEMO_DATA} if demo else {}) | said)


def check(campus: Annotated[Path, typer.Option(help="The campus folder.")]) -> None:
    """Names every mistake in a campus folder. Example: shouyuan check --campus examples/school"""
    problems = check_folder(campus, decoders=decoder_names(), check_rules=check_rules)
    print_problems(problems)
    errors = sum(not problem.warning for problem in problems)
    typer.echo(f"{campus}: 没有错误 / no mistakes" if not errors else f"{campus}: {errors} 处错误 / mistakes")
    raise typer.Exit(1 if errors else 0)


def _load(folder: Path) -> Campus:
    return load_campus(folder, decoders=decoder_names(), check_rules=check_rules)


def print_problems(problems: tuple[Problem, ...] | list[Problem]) -> None:
    for problem in problems:
        kind = "提示 / note" if problem.warning else "错误 / mistake"
        typer.echo(
            f"{problem.where()}: {kind}: 现为 / found {problem.found}; 应为 / expected {problem.expected}"
        )


def _run(campus: Campus, settings: ServiceSettings, *, demo: bool, folder: Path | None) -> None:
    page = PageDoor(settings)
    if page.moved:
        typer.echo(
            f"端口 {settings.port} 已被占用,改用下面的 / port {settings.port} is taken, so another is used"
        )
    with contextlib.closing(page):
        runtime = Runtime(
            campus, settings, write=typer.echo, demo=demo, folder=folder, notifier=from_environment()
        )
        try:
            runtime.start()
            publisher = _publisher(campus, runtime) if demo else None
            _say_where(runtime, page.url)
            _serve(runtime, page)
            if publisher is not None:
                publisher.stop()
        finally:
            runtime.stop()


def _publisher(campus: Campus, runtime: Runtime) -> Publisher:
    address = runtime.brokers.simulated()
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


def _say_where(runtime: Runtime, base: str) -> None:
    brokers = [runtime.brokers.devices_at(name) for name in runtime.brokers.connections]
    typer.echo(f"\n守园已启动 / Shouyuan is running\n  页面 / page:        {base}/")
    _say_how_to_sign_in(runtime, base)
    for broker in brokers:
        typer.echo(f"  MQTT:               {broker}")
    typer.echo("  停止 / stop:        Ctrl-C\n")


def _say_how_to_sign_in(runtime: Runtime, base: str) -> None:
    """A one-time link only while nobody has a password; later one has to be asked for."""
    name = runtime.accounts.users.administrator()
    if name is None:
        typer.echo("  没有可用的管理员账号 / no administrator: shouyuan user add NAME --role admin")
    elif runtime.accounts.users.nobody_has_a_password():
        token = runtime.accounts.make_link(name, runtime.now_ms())
        typer.echo(f"  一次性登录 / one-time sign-in ({name}): {base}/sign-in/link?token={token}")
    else:
        typer.echo("  忘了密码 / forgot the password: shouyuan link")


def _serve(runtime: Runtime, page: PageDoor) -> None:
    """Serves until a signal comes; open event streams end with the feed, so that stopping takes no time."""
    config = uvicorn.Config(create_app(runtime.services()), **page.options())
    _Server(config, runtime).run(sockets=[page.socket])


class _Server(uvicorn.Server):
    """Closes the live feed as soon as it is told to stop, and lets connections queue while others are accepted."""

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self._runtime = runtime

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Asyncio accepts as many in one go as its backlog is long, so that is short; where the kernel's queue is as short, a
        burst of connections makes everybody else's wait a second until it is tried again.
        """
        await super().startup(sockets)
        for page in sockets or ():
            page.listen(_QUEUED_CONNECTIONS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ctrl-C and SIGTERM."""
        threading.Thread(target=self._runtime.feed.close, daemon=True).start()
        if sig == signal.SIGINT and self.should_exit:
            self.force_exit = True
        self.should_exit = True
        del frame
