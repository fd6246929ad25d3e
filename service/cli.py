"""The command line: ``shouyuan``."""

from __future__ import annotations

import faulthandler
import signal

import typer

from service import (
    cli_accounts,
    cli_admin,
    cli_broker,
    cli_devices,
    cli_doctor,
    cli_drill,
    cli_grafana,
    cli_history,
    cli_quarantine,
    cli_repair,
    cli_rules,
    cli_simulate,
    cli_store,
    cli_up,
)
from service.cli_group import ShouyuanGroup

app = typer.Typer(
    name="shouyuan",
    help="守园: watches a campus: water, pipes in frost, the canteen's cold chain, electricity.",
    no_args_is_help=True,
    add_completion=False,
    cls=ShouyuanGroup,
)
cli_up.register(app)
cli_history.register(app)
cli_simulate.register(app)
cli_admin.register(app)
cli_accounts.register(app)
cli_broker.register(app)
cli_grafana.register(app)
cli_doctor.register(app)
cli_drill.register(app)
cli_devices.register(app)
cli_quarantine.register(app)
cli_repair.register(app)
cli_store.register(app)
cli_rules.register(app)


def main() -> None:
    """The entry point. A crash, or systemd's watchdog, leaves the stack of every thread in the log.

    SIGTERM ends any command as Ctrl-C does, in order: a shell without job control starts what it puts into the background with
    SIGINT ignored.
    """
    faulthandler.enable()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
