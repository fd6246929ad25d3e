"""``shouyuan broker accounts``: an account of its own for each device or gateway at the embedded broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from campus.campus import Campus
from campus.errors import FolderProblems
from campus.folder import load_campus
from ingest.decoding.own_topics import own_topics
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check as check_rules
from service.broker.access import Account
from service.broker.accounts import BrokerAccounts, devices_of, rights
from service.errors import AccountRefused
from service.settings import ServiceSettings

CampusFolder = Annotated[Path, typer.Option(help="The campus folder.")]
Data = Annotated[Path | None, typer.Option(help="Where data is kept.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    broker = typer.Typer(help="The embedded MQTT broker.", no_args_is_help=True)
    accounts = typer.Typer(help="Accounts of single devices and gateways.", no_args_is_help=True)
    accounts.command()(add)
    accounts.command("list")(list_accounts)
    accounts.command()(revoke)
    broker.add_typer(accounts, name="accounts")
    app.add_typer(broker, name="broker")


def add(
    campus: CampusFolder,
    name: Annotated[
        list[str] | None, typer.Argument(help="Ids of devices or gateways of the register, or a free name.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="One for each device that can have one.")] = False,
    prefix: Annotated[
        list[str] | None, typer.Option(help="Topics below it, for a gateway: zigbee2mqtt/ for example.")
    ] = None,
    data: Data = None,
) -> None:
    """Makes accounts, or gives them a new password; each is printed once. A running service takes them up by itself.

    Example: shouyuan broker accounts add elec-t1 --campus my-school
    """
    read = _campus(campus)
    accounts = BrokerAccounts(_data(data))
    names = list(name or ())
    if every:
        names += [device.id for device in read.devices.values() if own_topics(device, read.site).publish]
    if not names:
        _refuse("给出设备或网关的编号,或 --all / give ids of devices or gateways, or --all")
    shared = {broker.username for broker in read.site.all_brokers.values() if broker.embedded}
    chosen = {name: devices_of(name, read) for name in dict.fromkeys(names)}
    for one, devices in chosen.items():
        if one in shared:
            _refuse(f"{one}: site.yaml 的 broker.username 已用这个名字 / is broker.username of site.yaml")
        if not devices and not prefix:
            _refuse(_why_not(one, read))
    for one, devices in chosen.items():
        try:
            password = accounts.add(one, devices=devices, prefixes=prefix or ())
        except AccountRefused as error:
            _refuse(str(error))
        account = next(rights(kept, read) for kept in accounts.every() if kept.name == one)
        typer.echo(f"{one}\n  用户名 / user name:  {one}\n  密码 / password:     {password}")
        _print_rights(account)
    typer.echo(
        "密码只显示这一次:填到设备或网关的 MQTT 设置里 / shown once: enter it in the device's MQTT settings"
    )


def list_accounts(campus: CampusFolder, data: Data = None) -> None:
    """Lists the accounts and what each may do. Example: shouyuan broker accounts list --campus my-school"""
    read = _campus(campus)
    try:
        for kept in BrokerAccounts(_data(data)).every():
            typer.echo(kept.name)
            _print_rights(rights(kept, read))
    except AccountRefused as error:
        _refuse(str(error))


def revoke(name: str, data: Data = None) -> None:
    """Ends an account; whoever uses it is disconnected. Example: shouyuan broker accounts revoke elec-t1"""
    try:
        BrokerAccounts(_data(data)).revoke(name)
    except AccountRefused as error:
        _refuse(str(error))
    typer.echo(f"{name}: 已撤销 / revoked")


def _print_rights(account: Account) -> None:
    typer.echo(f"  可发布 / publishes:  {'  '.join(account.publish) or '-'}")
    typer.echo(f"  可订阅 / subscribes: {'  '.join(account.subscribe) or '-'}")


def _why_not(name: str, campus: Campus) -> str:
    device = campus.devices.get(name)
    if device is None:
        return f"{name}: 登记表里没有;网关请加 --prefix / not in the register; for a gateway give --prefix"
    return (
        f"{name}: {device.decoder or '-'} 的主题里没有设备自己的名字,请给转发它的网关开账号并加 --prefix / "
        f"topics of {device.decoder or 'no decoder'} do not name the device; make one for its gateway, with --prefix"
    )


def _refuse(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(1)


def _campus(folder: Path) -> Campus:
    try:
        return load_campus(folder, decoders=decoder_names(), check_rules=check_rules)
    except FolderProblems as error:
        _refuse("\n".join(str(problem) for problem in error.problems))


def _data(data: Path | None) -> Path:
    return data if data is not None else ServiceSettings().data
