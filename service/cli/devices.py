"""``shouyuan devices``: who is not registered yet, and how to take one up from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.accounts import Act
from api.ports import RegisterRefused
from campus.campus import Campus
from campus.errors import CampusError
from campus.folder import load_campus
from campus.folder.editing.edit import put_device
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check as check_rules
from service.cli.accounts import write_down
from service.clock import wall_ms
from service.desks.register import Register
from service.desks.register_desk import RegisterDesk
from service.settings import ServiceSettings
from store.operations.database import open_database
from store.operations.register_log import RegisterLog
from store.quarantine import Quarantine

CampusFolder = Annotated[Path, typer.Option(help="The campus folder.")]
Data = Annotated[Path | None, typer.Option(help="Where data is kept.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    devices = typer.Typer(help="The register of devices.", no_args_is_help=True)
    devices.command("list")(list_devices)
    devices.command()(unregistered)
    devices.command("strangers", hidden=True)(unregistered)  # as it was called before
    devices.command()(adopt)
    app.add_typer(devices, name="devices")


def list_devices(campus: CampusFolder) -> None:
    """Lists the register. Example: shouyuan devices list --campus my-school"""
    for device in _campus(campus).devices.values():
        place = device.place
        where = " ".join(filter(None, (place.building, place.floor, place.room)))
        typer.echo(f"{device.id}\t{device.name}\t{device.kind}\t{where}\t{device.decoder}\t{device.address}")


def unregistered(campus: CampusFolder, data: Data = None) -> None:
    """Prints each unregistered device as JSON: its newest message, and a guess at its row.

    Example: shouyuan devices unregistered --campus my-school
    """
    desk, quarantine = _desk(campus, data)
    for source in quarantine.unregistered():
        typer.echo(json.dumps(msgspec.to_builtins(desk.guess(source.address)), ensure_ascii=False))
    quarantine.close()


def adopt(
    address: Annotated[str, typer.Argument(help="The address as 'devices unregistered' prints it.")],
    campus: CampusFolder,
    device_id: Annotated[
        str, typer.Option("--id", help="Its id; made from the address where left out.")
    ] = "",
    column: Annotated[
        list[str] | None, typer.Option("--set", help="COLUMN=VALUE of devices.csv, instead of the guess.")
    ] = None,
    data: Data = None,
) -> None:
    """Writes an unregistered device into devices.csv. A running service takes it up by itself, held messages included.

    Example: shouyuan devices adopt 冷冻柜2 --campus my-school --id freezer-2 --set building=canteen --set profile=freezer
    """
    desk, quarantine = _desk(campus, data)
    guess = desk.guess(address)
    quarantine.close()
    if guess is None:
        typer.echo(f"{address}: 没有收到过这个未登记设备的消息 / nothing was held of it", err=True)
        raise typer.Exit(1)
    columns = guess.columns | dict(_pair(pair) for pair in column or ())
    chosen = device_id or columns["id"]
    del columns["id"]
    try:
        put_device(campus, chosen, columns, decoders=decoder_names(), check_rules=check_rules)
    except (CampusError, RegisterRefused) as error:
        for problem in getattr(error, "problems", ()) or [error]:
            typer.echo(str(problem), err=True)
        raise typer.Exit(1) from error
    write_down(data, Act.DEVICE_CHANGED, chosen, columns=sorted(columns))
    typer.echo(f"{chosen}: 已写入 / written to devices.csv")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"found {text!r}; expected COLUMN=VALUE")
    return key.strip(), value


def _campus(folder: Path) -> Campus:
    return load_campus(folder, decoders=decoder_names(), check_rules=check_rules)


def _desk(folder: Path, data: Path | None) -> tuple[RegisterDesk, Quarantine]:
    """A look at a running or stopped service's quarantine; nothing of it is changed."""
    settings = ServiceSettings(data=data) if data is not None else ServiceSettings()
    log = RegisterLog(open_database(settings.operations_url()))
    campus = _campus(folder)
    quarantine = Quarantine(settings.data / "quarantine.db")
    return RegisterDesk(Register(campus, folder, log, now_ms=wall_ms), log, quarantine), quarantine
