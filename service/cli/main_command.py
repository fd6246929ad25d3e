"""The command line: ``shouyuan``."""

from __future__ import annotations

import faulthandler
import signal

import typer

from service.cli import accounts as cli_accounts
from service.cli import admin as cli_admin
from service.cli import broker as cli_broker
from service.cli import devices as cli_devices
from service.cli import doctor as cli_doctor
from service.cli import drill as cli_drill
from service.cli import grafana as cli_grafana
from service.cli import history as cli_history
from service.cli import quarantine as cli_quarantine
from service.cli import repair as cli_repair
from service.cli import rules as cli_rules
from service.cli import simulate as cli_simulate
from service.cli import store as cli_store
from service.cli import up as cli_up
from service.cli.group import ShouyuanGroup

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
