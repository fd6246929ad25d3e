"""``shouyuan grafana build|apply``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from campus.campus import Campus
from campus.errors import FolderProblems
from campus.folder import load_campus
from campus.store_url import StoreKind, read_store_url
from dashboards.boards import boards
from dashboards.errors import DashboardsError, NoDataSource
from dashboards.grafana import DataSource, Grafana
from store.timeseries.influx.address import InfluxAddress

CampusFolder = Annotated[Path, typer.Option(help="The campus folder.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    grafana = typer.Typer(help="Dashboards in Grafana.", no_args_is_help=True)
    grafana.command()(build)
    grafana.command()(apply)
    app.add_typer(grafana, name="grafana")


def build(campus: CampusFolder, out: Annotated[Path, typer.Option(help="Where the JSON files go.")]) -> None:
    """Writes the dashboards as files, for provisioning. Example: shouyuan grafana build --campus school --out dash"""
    known = _load(campus)
    address = _address(known)
    out.mkdir(parents=True, exist_ok=True)
    for board in boards(known, address.bucket):
        file = out / f"{board['uid']}.json"
        file.write_text(json.dumps(board, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        typer.echo(str(file))


def apply(
    campus: CampusFolder,
    url: Annotated[str, typer.Option(help="Grafana's address.", envvar="SHOUYUAN_GRAFANA_URL")],
    token: Annotated[
        str, typer.Option(help="A service-account token.", envvar="SHOUYUAN_GRAFANA_TOKEN")
    ] = "",
    user: Annotated[str, typer.Option(help="Instead of a token: the user.")] = "",
    password: Annotated[str, typer.Option(help="Its password.", envvar="SHOUYUAN_GRAFANA_PASSWORD")] = "",
    influxdb_url: Annotated[
        str, typer.Option(help="InfluxDB as Grafana reaches it; the store's own where left out.")
    ] = "",
) -> None:
    """Puts folder, data source and dashboards into Grafana; again changes nothing."""
    if not token and not user:
        typer.echo("give --token, or --user and --password", err=True)
        raise typer.Exit(2)
    known = _load(campus)
    address = _address(known)
    source = DataSource(influxdb_url or address.url, address.org, address.bucket, address.token)
    site = known.site
    try:
        done = Grafana(url, token or (user, password)).apply(
            (f"sy-{site.id[:30]}", f"守园 {site.name}"), source, boards(known, address.bucket)
        )
    except DashboardsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"Grafana {done.version}: {len(done.dashboards)} dashboards in folder {done.folder}")


def _load(folder: Path) -> Campus:
    try:
        return load_campus(folder)
    except FolderProblems as error:
        for problem in error.problems:
            typer.echo(f"{problem.where()}: {problem.found}: {problem.expected}", err=True)
        raise typer.Exit(2) from error


def _address(campus: Campus) -> InfluxAddress:
    url = read_store_url(campus.site.store)
    if url is None or url.kind is not StoreKind.INFLUXDB:
        typer.echo(str(NoDataSource(campus.site.store)), err=True)
        raise typer.Exit(2)
    return InfluxAddress.of(url)
