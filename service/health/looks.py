"""What the service looks at to know that something keeps it from its work; see :mod:`service.health.watch`.

A new look is a function or class in a ``look_*`` file here, made with exactly what it asks, and a line in :func:`looks`.
"""

from __future__ import annotations

from alerts.own import data as own_data
from alerts.own import parts as own_parts
from alerts.own import service as own
from service.health import look_brokers, look_flow, look_parts, look_poison, look_recovery
from service.health.ports import Watched
from service.trouble import Look, Probe

#: what is looked at here, in the order of the pipeline
PARTS = ("broker", "ingest", "journal", "rules", "store", "outbox", "disk", "clock", "selftest", "watchdog")


def rules() -> tuple[str, ...]:
    """The names of all alerts that come of looks."""
    return (
        *look_parts.RULES, *look_poison.RULES, *look_brokers.RULES, *own_parts.RULES, *own_data.rules(), own.UNREACHABLE,
    )  # fmt: skip


def looks(watched: Watched) -> list[Look]:
    """Everything that is looked at, in the order in which it is."""
    return [
        lambda _: look_parts.register(watched.register),
        Probe("ingest", lambda _: look_parts.journal(watched.pipeline)),
        *look_brokers.looks(watched.brokers),
        Probe("store", lambda _: look_parts.store(watched.storing)),
        lambda _: look_parts.floods(watched.pipeline),
        Probe("disk", lambda _: look_parts.disk(watched.data)),
        watched.trials,
        *look_poison.looks(watched.poison, watched.rules),
        Probe("clock", watched.clock),
        Probe("clock", lambda _: look_parts.device_clocks(watched.device_clocks)),
        look_parts.QuarantineRoom(watched.quarantine, watched.journal.quarantine),
        watched.healing,
        lambda now_ms: look_recovery.events(watched.events.recent(now_ms)),
        Probe("selftest", watched.selftest),
        *look_flow.looks(watched),
    ]
