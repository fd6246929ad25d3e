"""What Prometheus reads of the parts; a figure that cannot be had now is left out, and counted."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from service.health.metrics import Sample
from service.health.ports import Watched

log = structlog.get_logger()

_Group = Callable[[Watched], list[Sample]]


def samples(watched: Watched) -> list[Sample]:
    """Metrics of every part. A database that is away costs its own figures, never the others."""
    every: list[Sample] = []
    failed = 0
    for group in _GROUPS:
        try:
            every += group(watched)
        except Exception as error:  # noqa: BLE001 - whatever keeps a figure from us, the others are wanted all the more
            failed += 1
            log.warning("metrics.failed", group=group.__name__, reason=f"{type(error).__name__}: {error}")
    every.append(("shouyuan_metrics_failed", "Groups of figures that could not be had", failed))
    return every


def _messages(watched: Watched) -> list[Sample]:
    counts = watched.journal.counts()
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
        ("shouyuan_ingest_waiting", "Messages received and not yet judged", watched.pipeline.waiting),
    ]


def _brokers(watched: Watched) -> list[Sample]:
    connections = list(watched.brokers.connections.values())
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


def _journal(watched: Watched) -> list[Sample]:
    return [
        ("shouyuan_journal_bytes", "Bytes of the journal", watched.journal.size_bytes()),
        ("shouyuan_journal_seq", "Newest batch", watched.journal.last_seq()),
        ("shouyuan_rules_seq", "Newest batch judged", watched.rules.seq),
    ]


def _store(watched: Watched) -> list[Sample]:
    status = watched.storing.status()
    return [
        ("shouyuan_store_seq", "Newest batch in the time-series store", watched.storing.seq),
        ("shouyuan_store_lag_ms", "Age of the oldest reading not yet in the store", status.lag_ms),
        ("shouyuan_store_refused_total", "Readings the store will never take", status.refused),
    ]


def _alerts(watched: Watched) -> list[Sample]:
    return [
        ("shouyuan_outbox_waiting", "Messages to people not sent yet", watched.outbox.waiting()),
        ("shouyuan_alerts_open", "Alerts not resolved", len(watched.book.open_alerts())),
        (
            "shouyuan_selftest_booked_ms",
            "When the self-test alarm was last booked",
            watched.book.selftest_ms(),
        ),
        ("shouyuan_live_pages", "Pages listening", watched.live_pages()),
    ]


def _workers(watched: Watched) -> list[Sample]:
    every = [worker.progress() for worker in watched.workers()]
    failures = sum(progress.failures for progress in every)
    failing = sum(bool(progress.failures_in_a_row) for progress in every)
    alive = sum(progress.alive for progress in every)
    return [
        ("shouyuan_worker_failures_total", "Steps of workers that failed", failures),
        ("shouyuan_workers_failing", "Workers whose last step failed", failing),
        ("shouyuan_workers_alive", "Workers whose thread runs", alive),
    ]


_GROUPS: tuple[_Group, ...] = (_messages, _brokers, _journal, _store, _alerts, _workers)
