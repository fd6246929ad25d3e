"""What Prometheus is told of the parts; a figure that cannot be had now is left out, and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from service.health.metrics import Sample

if TYPE_CHECKING:
    from service.runtime.runtime import Runtime

log = structlog.get_logger()

_Group = Callable[["Runtime"], list[Sample]]


def samples(runtime: Runtime) -> list[Sample]:
    """Metrics of every part. A database that is away costs its own figures, never the others."""
    found: list[Sample] = []
    failed = 0
    for group in _GROUPS:
        try:
            found += group(runtime)
        except Exception as error:  # noqa: BLE001 - whatever keeps a figure from us, the others are wanted all the more
            failed += 1
            log.warning("metrics.failed", group=group.__name__, reason=f"{type(error).__name__}: {error}")
    found.append(("shouyuan_metrics_failed", "Groups of figures that could not be had", failed))
    return found


def _messages(runtime: Runtime) -> list[Sample]:
    counts = runtime.journal.counts()
    return [
        ("shouyuan_messages_journaled_total", "Messages whose readings were journaled", counts.journaled),
        ("shouyuan_messages_quarantined_total", "Messages held back", counts.quarantined),
        ("shouyuan_messages_duplicate_total", "Messages known already", counts.duplicates),
        ("shouyuan_messages_ignored_total", "Messages that rightly hold no reading", counts.ignored),
        (
            "shouyuan_messages_limited_total",
            "Messages beyond their topic's allowance, left out",
            counts.limited,
        ),
        ("shouyuan_messages_received_total", "Messages accounted for", counts.received),
        ("shouyuan_ingest_waiting", "Messages received and not yet judged", runtime.pipeline.waiting),
    ]


def _brokers(runtime: Runtime) -> list[Sample]:
    connections = list(runtime.brokers.connections.values())
    return [
        (
            "shouyuan_broker_dropped_messages",
            "Messages the brokers say they dropped since they started",
            sum(connection.broker_dropped for connection in connections),
        ),
        (
            "shouyuan_brokers_connected",
            "Brokers connected to",
            float(sum(connection.connected for connection in connections)),
        ),
    ]


def _journal(runtime: Runtime) -> list[Sample]:
    return [
        ("shouyuan_journal_bytes", "Bytes of the journal", runtime.journal.size_bytes()),
        ("shouyuan_journal_seq", "Newest batch", runtime.journal.last_seq()),
        ("shouyuan_rules_seq", "Newest batch judged", runtime.rules.seq),
    ]


def _store(runtime: Runtime) -> list[Sample]:
    status = runtime.storing.status()
    return [
        ("shouyuan_store_seq", "Newest batch in the time-series store", runtime.storing.seq),
        ("shouyuan_store_lag_ms", "Age of the oldest reading not yet in the store", status.lag_ms),
        ("shouyuan_store_refused_total", "Readings the store will never take", status.refused),
    ]


def _alerts(runtime: Runtime) -> list[Sample]:
    return [
        ("shouyuan_outbox_waiting", "Messages to people not sent yet", runtime.outbox.waiting()),
        ("shouyuan_alerts_open", "Alerts not resolved", len(runtime.book.open_alerts())),
        (
            "shouyuan_selftest_booked_ms",
            "When the self-test alarm was last booked",
            runtime.book.selftest_ms(),
        ),
        ("shouyuan_live_pages", "Pages listening", runtime.feed.subscribers),
    ]


def _workers(runtime: Runtime) -> list[Sample]:
    every = [worker.progress() for worker in runtime.workers()]
    return [
        ("shouyuan_worker_failures_total", "Steps of workers that failed", sum(one.failures for one in every)),
        ("shouyuan_workers_failing", "Workers whose last step failed", sum(bool(one.failures_in_a_row) for one in every)),
        ("shouyuan_workers_alive", "Workers whose thread runs", sum(one.alive for one in every)),
    ]  # fmt: skip


_GROUPS: tuple[_Group, ...] = (_messages, _brokers, _journal, _store, _alerts, _workers)
