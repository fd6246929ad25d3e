"""``shouyuan quarantine list|purge|replay``: messages held back, from the command line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from api.accounts import Act
from campus.clock import iso
from service.cli.accounts import write_down
from service.settings import ServiceSettings
from store.errors import StoreError
from store.quarantine import Quarantine, Selection

Data = Annotated[Path | None, typer.Option(help="Where data is kept.")]
Code = Annotated[str, typer.Option(help="Only those held for this reason, e.g. not_utf8 or unregistered.")]
Address = Annotated[str, typer.Option(help="Only those of this unregistered device.")]
Ids = Annotated[list[int] | None, typer.Option("--id", help="Only this one; may be given again.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    quarantine = typer.Typer(help="Messages that were held back.", no_args_is_help=True)
    quarantine.command("list")(list_held)
    quarantine.command()(purge)
    quarantine.command()(replay)
    app.add_typer(quarantine, name="quarantine")


def list_held(
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    code: Code = "",
    address: Address = "",
    ids: Ids = None,
    data: Data = None,
) -> None:
    """Prints held messages as JSON, newest first, then how much is held. Example: shouyuan quarantine list --code not_utf8"""
    with _opened(data) as quarantine:
        chosen = Selection(ids=tuple(ids or ()), code=code, address=address)
        for entry in quarantine.select(chosen, limit=limit, payload_bytes=200):
            shown = {
                "id": entry.id, "time": iso(entry.time_ms), "code": entry.code, "topic": entry.topic, "address": entry.address,
                "size": entry.size, "detail": entry.detail, "begins": entry.payload.decode(errors="replace"),
            }  # fmt: skip
            typer.echo(json.dumps(shown, ensure_ascii=False))
        usage = quarantine.usage()
    typer.echo(f"{usage.entries:,} messages, {usage.bytes:,} bytes", err=True)


def purge(
    code: Code = "",
    address: Address = "",
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is held.")] = False,
    data: Data = None,
) -> None:
    """Throws held messages away, also while the service runs. Example: shouyuan quarantine purge --code not_utf8"""
    with _opened(data) as quarantine:
        count = quarantine.purge(_chosen(code, address, ids, everything=everything))
    write_down(data, Act.HELD_PURGED, "held messages", messages=count, code=code, address=address)
    typer.echo(f"{count} 条已清除 / messages thrown away")


def replay(
    code: Code = "",
    address: Address = "",
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is held.")] = False,
    data: Data = None,
) -> None:
    """Sends held messages through again: at once by the running service, else at its next start.

    Those that can be read now become readings of their own time. Example: shouyuan quarantine replay --address 冷冻柜2
    """
    with _opened(data) as quarantine:
        count = quarantine.want(_chosen(code, address, ids, everything=everything))
    write_down(data, Act.HELD_REPLAYED, "held messages", messages=count, code=code, address=address)
    typer.echo(f"{count} 条将重新解读 / messages will be read again")


def _chosen(code: str, address: str, ids: list[int] | None, *, everything: bool) -> Selection:
    if not (code or address or ids or everything):
        raise typer.BadParameter("found nothing chosen; expected --code, --address, --id or --all")
    return Selection(ids=tuple(ids or ()), code=code, address=address)


@contextlib.contextmanager
def _opened(data: Path | None) -> Iterator[Quarantine]:
    path = (data or ServiceSettings().data) / "quarantine.db"
    if not path.exists():
        typer.echo(f"{path}: 没有这个文件 / there is no such file", err=True)
        raise typer.Exit(2)
    try:
        with contextlib.closing(Quarantine(path)) as quarantine:
            yield quarantine
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
