"""The command line: ``shouyuan``."""

from __future__ import annotations

import faulthandler
import signal

import typer

from service.cli import (
    accounts,
    admin,
    broker,
    devices,
    doctor,
    drill,
    grafana,
    history,
    quarantine,
    repair,
    rules,
    simulate,
    store,
    up,
)
from service.cli.group import ShouyuanGroup

app = typer.Typer(
    name="shouyuan",
    help="守园: watches a campus: water, pipes in frost, the canteen's cold chain, electricity.",
    no_args_is_help=True,
    add_completion=False,
    cls=ShouyuanGroup,
)
#: one module each; the order is that of the help
_GROUPS = (
    up,
    history,
    simulate,
    admin,
    accounts,
    broker,
    grafana,
    doctor,
    drill,
    devices,
    quarantine,
    repair,
    store,
    rules,
)
for _group in _GROUPS:
    _group.register(app)


def main() -> None:
    """The entry point. A crash, or systemd's watchdog, leaves the stack of every thread in the log.

    SIGTERM ends any command as Ctrl-C does, in order: a shell without job control starts what it puts into the background with
    SIGINT ignored.
    """
    faulthandler.enable()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
