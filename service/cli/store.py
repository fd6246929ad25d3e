"""``shouyuan store info|copy|setup``: looking into the time-series stores and moving history between them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from campus.clock import iso, parse_iso
from campus.errors import BadTime
from campus.store_url import FORMS, StoreKind, read_store_url
from service.errors import DataInUse, NoDataFolder
from service.lock import DataLock
from service.settings import ServiceSettings
from store.errors import StoreError
from store.timeseries import copying
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.opening import open_store

Url = Annotated[str, typer.Argument(help=escape(f"{FORMS}, or embedded:FOLDER"))]
Data = Annotated[Path | None, typer.Option(help="Where the data of the embedded store is kept.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    store = typer.Typer(help="The stores of readings.", no_args_is_help=True)
    for command in (info, copy, setup):
        store.command()(command)
    app.add_typer(store, name="store")


def info(url: Url, data: Data = None) -> None:
    """Shows what is in a store. Example: shouyuan store info embedded --data /var/lib/shouyuan"""
    with _errors_printed(), opened(url, data) as store:
        info = store.info()
    size = "" if info.size_bytes is None else f"{info.size_bytes:,}"
    each = ""
    if info.size_bytes and info.readings:
        each = f" ({info.size_bytes / info.readings:.1f} a reading)"
    for name, value in (
        ("series", f"{info.series:,}"),
        ("readings", "unknown" if info.readings is None else f"{info.readings:,}"),
        ("from", "-" if info.first_ms is None else iso(info.first_ms)),
        ("to", "-" if info.last_ms is None else iso(info.last_ms)),
        ("bytes", f"{size or 'unknown'}{each}"),
    ):
        typer.echo(f"{name:<10}{value}")


def copy(
    source: Url,
    target: Url,
    since: Annotated[str, typer.Option(help="From this time on, e.g. 2026-09-01T00:00:00+08:00.")] = "",
    until: Annotated[str, typer.Option(help="Up to before this time.")] = "",
    again: Annotated[bool, typer.Option(help="Copy what seems to be there already, too.")] = False,
    data: Data = None,
) -> None:
    """Moves history from one store to another. Example: shouyuan store copy embedded victoriametrics://10.0.0.5:8428

    What is there already is passed over: broken off, it goes on when it is called again. At the end both are
    counted. Exit code 0: all there; 1: some was refused or is missing; 2: a store cannot be used.
    """
    with _errors_printed(), opened(source, data) as old, opened(target, data) as new:
        todo = copying.windows(old, _time(since), _time(until))
        with _bar() as progress:
            bar = progress.add_task("copying", total=len(todo), readings=0)
            done = 0

            def advance(readings: int) -> None:
                nonlocal done
                done += readings
                progress.update(bar, advance=1, readings=done)

            result = copying.copy(old, new, todo, advance, again=again)
    for reading, reason in result.refused[:20]:
        typer.echo(f"refused: {reading.series} {iso(reading.time_ms)}: {reason}", err=True)
    for window in result.missing[:20]:
        typer.echo(f"counts differ: {window.series} {iso(window.start_ms)} to {iso(window.end_ms)}", err=True)
    typer.echo(
        f"{result.readings:,} readings, {result.written:,} written, {len(result.refused):,} refused,"
        f" {len(result.missing):,} windows that differ"
    )
    raise typer.Exit(1 if result.refused or result.missing else 0)


def setup(
    url: Url,
    retention_days: Annotated[int, typer.Option(min=0, help="Readings are kept so long; 0: for ever.")] = 0,
    token: Annotated[bool, typer.Option(help="Make a token for these buckets only, and print it.")] = False,
    history: Annotated[bool, typer.Option(help="Work out the hours of what is there already.")] = True,
) -> None:
    """Sets InfluxDB up: bucket, retention, hourly mean, min, max and last in a second bucket. Again changes nothing.

    The URL's token must be allowed to make buckets, tasks and tokens; the service needs only the one made here.
    Example: shouyuan store setup influxdb2://OPERATOR-TOKEN@10.0.0.5:8086/school/campus --retention-days 1100 --token
    """
    from store.timeseries.influx.address import parse_url
    from store.timeseries.influx.setup import set_up, work_out_history
    from store.timeseries.influx.store import InfluxStore

    with _errors_printed():
        address = parse_url(url)
        result = set_up(address, retention_days=retention_days, make_token=token)
        for line in result.done or ("nothing to do",):
            typer.echo(line)
        if history:
            with contextlib.closing(InfluxStore(address)) as store:
                info = store.info()
            if info.first_ms is not None and info.last_ms is not None:
                work_out_history(address, info.first_ms, info.last_ms + 1)
        if token:
            typer.echo(result.token or "a token exists; this version of InfluxDB does not show it again")


@contextlib.contextmanager
def _errors_printed() -> Iterator[None]:
    try:
        yield
    except (StoreError, DataInUse, NoDataFolder, BadTime) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


@contextlib.contextmanager
def opened(url: str, data: Path | None) -> Iterator[TimeSeriesStore]:
    """The store; the embedded one only while no service uses its folder."""
    with contextlib.ExitStack() as stack:
        folder = data or ServiceSettings().data
        address = read_store_url(url)
        if address is not None and address.kind is StoreKind.EMBEDDED:
            url, folder = address.kind, Path(address.folder) if address.folder else folder
            if not folder.is_dir():
                raise NoDataFolder(folder)
            lock = DataLock(folder)
            lock.acquire()
            stack.callback(lock.release)
        yield stack.enter_context(contextlib.closing(open_store(url, folder)))


def _time(text: str) -> int | None:
    return parse_iso(text) if text else None


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[readings]:,} readings"), TimeRemainingColumn(),
    )  # fmt: skip
    return Progress(*columns, console=Console(stderr=True), transient=True)
