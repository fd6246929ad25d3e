"""How the parts do, in words, and in numbers for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.ports import Condition, Health, Part
from service.metrics import Sample

if TYPE_CHECKING:
    from service.runtime import Runtime

#: a store this many batches behind is worth a word
_LAG_BATCHES = 5_000


def of(runtime: Runtime) -> Health:
    """The health of every part."""
    return Health((_broker(runtime), _ingest(runtime), _rules(runtime), _store(runtime), _outbox(runtime)))


def samples(runtime: Runtime) -> list[Sample]:
    """Metrics of every part."""
    counts = runtime.journal.counts()
    connections = runtime.brokers.connections.values()
    storing = runtime.storing.status()
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
        (
            "shouyuan_broker_dropped_messages",
            "Messages the brokers say they dropped since they started",
            sum(connection.broker_dropped for connection in connections),
        ),
        ("shouyuan_messages_received_total", "Messages accounted for", counts.received),
        ("shouyuan_ingest_waiting", "Messages received and not yet judged", runtime.pipeline.waiting),
        (
            "shouyuan_brokers_connected",
            "Brokers connected to",
            float(sum(connection.connected for connection in connections)),
        ),
        ("shouyuan_journal_bytes", "Bytes of the journal", runtime.journal.size_bytes()),
        ("shouyuan_journal_seq", "Newest batch", runtime.journal.last_seq()),
        ("shouyuan_rules_seq", "Newest batch judged", runtime.rules.seq),
        ("shouyuan_store_seq", "Newest batch in the time-series store", runtime.storing.seq),
        ("shouyuan_store_lag_ms", "Age of the oldest reading not yet in the store", storing.lag_ms),
        ("shouyuan_store_refused_total", "Readings the store will never take", storing.refused),
        ("shouyuan_outbox_waiting", "Messages to people not sent yet", runtime.outbox.waiting()),
        ("shouyuan_alerts_open", "Alerts not resolved", len(runtime.book.open_alerts())),
        ("shouyuan_live_pages", "Pages listening", runtime.feed.subscribers),
    ]


def _broker(runtime: Runtime) -> Part:
    embedded = runtime.brokers.embedded
    if embedded is not None and not embedded.running:
        return Part("broker", Condition.DOWN, "the embedded broker has ended")
    every = runtime.brokers.connections
    away = {name: one.reason for name, one in every.items() if not one.connected}
    text = "; ".join(f"{name}: {reason}" if name else reason for name, reason in away.items())
    if every and not away:
        return Part("broker", Condition.OK)
    return Part(
        "broker", Condition.DEGRADED if 0 < len(away) < len(every) else Condition.DOWN, text or "not started"
    )


def _ingest(runtime: Runtime) -> Part:
    stalled = runtime.pipeline.stalled
    return Part("ingest", Condition.DOWN if stalled else Condition.OK, stalled)


def _rules(runtime: Runtime) -> Part:
    behind = runtime.journal.last_seq() - runtime.rules.seq
    return Part(
        "rules",
        Condition.DEGRADED if behind > _LAG_BATCHES else Condition.OK,
        f"{behind} batches behind" if behind else "",
    )


def _store(runtime: Runtime) -> Part:
    status = runtime.storing.status()
    if status.error:
        return Part("store", Condition.DEGRADED, status.error)
    return Part(
        "store",
        Condition.DEGRADED if status.lag_batches > _LAG_BATCHES else Condition.OK,
        f"{status.lag_batches} batches behind" if status.lag_batches else "",
    )


def _outbox(runtime: Runtime) -> Part:
    waiting = runtime.outbox.waiting()
    return Part(
        "outbox",
        Condition.DEGRADED if waiting > 100 else Condition.OK,
        f"{waiting} waiting" if waiting else "",
    )
