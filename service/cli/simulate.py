"""``shouyuan simulate``: a campus that behaves like one, over MQTT or into a file, and load for measurements."""

from __future__ import annotations

import datetime as dt
import socket
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from campus.campus import Campus
from campus.clock import DAY_MS, SECOND_MS, from_ms, iso, parse_duration, parse_iso, to_ms
from campus.errors import BadDuration, BadTime, FolderProblems
from campus.folder import load_campus
from service.clock import wall_ms
from simulators.campus.folder import write_folder
from simulators.campus.generated import generated_campus, school_terms
from simulators.campus.label import Label
from simulators.campus.world import World
from simulators.errors import SimulatorError
from simulators.faults.scenario import Scenario, read_scenarios, scenario_named
from simulators.output.broker_url import BrokerUrl
from simulators.output.history import open_history
from simulators.output.load import Load, Measured, templates
from simulators.output.publisher import FastClock, Publisher
from simulators.physics.weather import read_weather

_FASTEST = 10_000
_SLICES = 200
_CONNECT_S = 5.0


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(simulate)


def simulate(  # noqa: PLR0917 - each is an option of the command line
    campus: Annotated[Path | None, typer.Option(help="A campus folder.")] = None,
    devices: Annotated[int, typer.Option(min=0, max=100_000, help="Instead: a made-up campus of that many devices.")] = 0,
    scenario: Annotated[list[str] | None, typer.Option(help="What goes wrong: a name of --list, or a file.yaml. May be repeated.")] = None,
    broker: Annotated[str, typer.Option(help="Publish to mqtt://user:password@host:port.")] = "",
    to: Annotated[Path | None, typer.Option(help="Write readings to FILE.csv or FILE.parquet, for replay.")] = None,
    speed: Annotated[float, typer.Option(min=1, max=_FASTEST, help="Simulated seconds a second, with --broker.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same campus to the byte.")] = 1,
    start: Annotated[str, typer.Option("--from", help="Simulated start, such as 2026-12-07T00:00:00+08:00.")] = "",
    lasts: Annotated[str, typer.Option("--for", help="Simulated length, such as 6h or 7d.")] = "",
    weather: Annotated[Path | None, typer.Option(help="Recorded weather: CSV with timestamp_local,temp_c.")] = None,
    folder: Annotated[Path | None, typer.Option(help="With --devices: also write the made-up campus folder there.")] = None,
    load: Annotated[int | None, typer.Option(min=0, help="Only load: messages a second, 0 for as many as can be.")] = None,
    every: Annotated[float, typer.Option(min=0.1, help="With --devices: seconds between a device's reports.")] = 60,
    show: Annotated[bool, typer.Option("--list", help="The scenarios there are.")] = False,
) -> None:  # fmt: skip
    """Simulates a campus. Example: shouyuan simulate --campus examples/school --scenario frozen_pipe --to frost.csv"""
    try:
        known = read_scenarios()
        if show:
            _list(known)
            return
        chosen = [scenario_named(one, known) for one in scenario or []]
        simulated = _campus(campus, devices, every, folder)
        if load is not None:
            _load(simulated, _broker(broker), load, _length_ms(lasts, [], 10 * SECOND_MS), seed)
            return
        if bool(broker) == (to is not None):
            _refuse("give either --broker URL or --to FILE")
        world = World(
            simulated, seed=seed, weather=read_weather(weather, simulated.site.zone) if weather else None
        )
        length_ms = _length_ms(lasts, chosen, DAY_MS if to is not None or speed > 1 else 0)
        ends_ms = _now_or_midnight(simulated, now=bool(broker))
        start_ms = parse_iso(start, simulated.site.zone) if start else ends_ms
        if not start and (to is not None or speed > 1):  # live, it begins now
            start_ms -= length_ms + _wait_ms(chosen)
        labels = [label for one in chosen for label in world.begin(one, start_ms)]
        for label in labels:
            typer.echo(_describe(label, simulated), err=True)
        if labels and not lasts:
            length_ms = max(length_ms, max(label.end_ms for label in labels) - start_ms)
        if to is not None:
            _write(world, to, start_ms, length_ms)
        else:
            _publish(world, _broker(broker), start_ms, length_ms, speed)
    except (SimulatorError, BadDuration, BadTime, ValueError, OSError) as error:
        _refuse(str(error))


def _refuse(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(2)


def _list(known: dict[str, Scenario]) -> None:
    for number, one in enumerate(known.values(), start=1):
        typer.echo(f"{number:>3}  {one.name:<26}{one.title.zh} / {one.title.en}\n{'':31}{one.description.zh}")


def _campus(folder: Path | None, devices: int, every_s: float, written: Path | None) -> Campus:
    if (folder is None) == (devices == 0):
        _refuse("give either --campus DIR or --devices N")
    if folder is not None:
        try:
            return load_campus(folder)
        except FolderProblems as error:
            _refuse(
                "\n".join(
                    f"{problem.where()}: {problem.found}: {problem.expected}" for problem in error.problems
                )
            )
    year = from_ms(wall_ms()).year
    made = generated_campus(devices, year=year, interval_s=every_s)
    if written is not None:
        write_folder(made, school_terms(year), written)
    return made


def _broker(text: str) -> BrokerUrl:
    if not text:
        _refuse("give --broker URL, such as mqtt://127.0.0.1:1883")
    return BrokerUrl.parse(text)


def _length_ms(text: str, chosen: list[Scenario], default_ms: int) -> int:
    """As asked, else as long as the longest scenario; 0 for until it is stopped."""
    if text:
        return parse_duration(text)
    return max((one.lasts for one in chosen), default=default_ms)


def _wait_ms(chosen: list[Scenario]) -> int:
    """How long a scenario may wait for its time of the day or its weekday."""
    starts = [fault.start for one in chosen for fault in one.faults]
    days = max((7 if one.weekday is not None else 1 for one in starts if one.clock is not None), default=0)
    return days * DAY_MS


def _now_or_midnight(campus: Campus, *, now: bool) -> int:
    """Where time that was not given ends: what is published *now*, so that no message comes from the future; a file this midnight."""
    now_ms = wall_ms()
    if now:
        return now_ms
    return to_ms(dt.datetime.combine(from_ms(now_ms, campus.site.zone), dt.time(), campus.site.zone))


def _describe(label: Label, campus: Campus) -> str:
    names = [campus.devices[device_id].name for device_id in label.devices[:3] if device_id in campus.devices]
    more = f" +{len(label.devices) - 3}" if len(label.devices) > 3 else ""
    zone = campus.site.zone
    expected = "; ".join(
        f"{'|'.join(expectation.rules)} ≥ {expectation.level} ≤ {iso(expectation.by_ms, zone)}"
        for expectation in label.expect
    )
    return f"{iso(label.start_ms, zone)}  {label.scenario}/{label.kind}  {'、'.join(names)}{more}  {expected}"


def _write(world: World, path: Path, start_ms: int, length_ms: int) -> None:
    with _progress() as progress, open_history(path, sorted(world.campus.devices)) as history:
        task = progress.add_task("simulating", total=length_ms)
        slice_ms = max(1, length_ms // _SLICES)
        for begin_ms in range(start_ms, start_ms + length_ms, slice_ms):
            end_ms = min(begin_ms + slice_ms, start_ms + length_ms)
            history.write(world.readings(begin_ms, end_ms))
            progress.update(task, completed=end_ms - start_ms)
    typer.echo(str(path))


def _publish(world: World, url: BrokerUrl, start_ms: int, length_ms: int, speed: float) -> None:
    publisher = Publisher(
        world,
        host=url.host,
        port=url.port,
        username=url.username,
        password=url.password,
        tls=url.tls,
        now_ms=FastClock(start_ms, speed),
        until_ms=start_ms + length_ms if length_ms else None,
    )
    # A client that connects in the background would wait for ever for a broker that is not there.
    socket.create_connection((url.host, url.port), timeout=_CONNECT_S).close()
    try:
        publisher.start()
        with _progress() as progress:
            task = progress.add_task(str(url), total=length_ms or None)
            while publisher.running:
                done = f"{iso(publisher.position_ms, world.campus.site.zone)} {publisher.acknowledged:,}"
                progress.update(task, completed=publisher.position_ms - start_ms, description=done)
                time.sleep(0.2)
    except KeyboardInterrupt:
        pass
    finally:
        publisher.stop()
    typer.echo(f"published {publisher.published:,}, acknowledged {publisher.acknowledged:,}")
    if publisher.failure is not None:
        typer.echo(str(publisher.failure), err=True)
    if publisher.failure is not None or publisher.acknowledged < publisher.published:
        raise typer.Exit(1)


def _load(campus: Campus, url: BrokerUrl, rate: int, length_ms: int, seed: int) -> None:
    made = templates(World(campus, seed=seed), wall_ms())
    with _progress() as progress:
        task = progress.add_task(str(url), total=length_ms / SECOND_MS)

        def tell(now: Measured) -> None:
            progress.update(task, completed=now.seconds, description=f"{now.sent:,} / {now.acknowledged:,}")

        result = Load(url, made).run(rate=rate, seconds=length_ms / SECOND_MS, tell=tell)
    typer.echo(
        f"sent {result.sent:,}, acknowledged {result.acknowledged:,} in {result.seconds:.1f} s: "
        f"{result.acknowledged / result.seconds:,.0f} messages/s, {result.sent_bytes / result.seconds / 1e6:.1f} MB/s, "
        f"CPU {100 * result.cpu_s / result.seconds:.0f} %"
    )
    if result.acknowledged < result.sent:
        raise typer.Exit(1)


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
