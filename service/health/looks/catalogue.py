"""Every look, in the order in which they are made; see :mod:`service.health.watch`.

A new look is a function or class in a file here, made with exactly what it asks, and a line in :func:`looks`.
"""

from __future__ import annotations

from alerts.own import data as own_data
from alerts.own import parts as own_parts
from alerts.own import service as own
from service.health.looks import brokers, flow, parts, poison, recovery
from service.health.ports import Watched
from service.trouble import Look, Probe

#: what is looked at here, in the order of the pipeline
PARTS = ("broker", "ingest", "journal", "rules", "store", "outbox", "disk", "clock", "selftest", "watchdog")


def rules() -> tuple[str, ...]:
    """The names of all alerts that come of looks."""
    return (
        *parts.RULES, *poison.RULES, *brokers.RULES, *own_parts.RULES, *own_data.rules(), own.UNREACHABLE,
    )  # fmt: skip


def looks(watched: Watched) -> list[Look]:
    """Everything that is looked at, in the order in which it is."""
    return [
        lambda _: parts.register(watched.register),
        Probe("ingest", lambda _: parts.journal(watched.pipeline)),
        *brokers.looks(watched.brokers),
        Probe("store", lambda _: parts.store(watched.storing)),
        lambda _: parts.floods(watched.pipeline),
        Probe("disk", lambda _: parts.disk(watched.data)),
        watched.trials,
        *poison.looks(watched.poison, watched.rules),
        Probe("clock", watched.clock),
        Probe("clock", lambda _: parts.device_clocks(watched.device_clocks)),
        parts.QuarantineRoom(watched.quarantine, watched.journal.quarantine),
        watched.healing,
        lambda now_ms: recovery.events(watched.events.recent(now_ms)),
        Probe("selftest", watched.selftest),
        *flow.looks(watched),
    ]
