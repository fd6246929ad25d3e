"""The outcome of a replay as tables for a person: alerts, messages, and what other rules would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.table import Table
from rich.text import Text

from alerts.backtest import PastAlert, Projection
from alerts.comparison import Change, Kind, compare
from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, from_ms
from campus.text import Translate
from rules.level import Level
from rules.words.explain import explain

_STYLES = {Level.NOTICE: "", Level.WARNING: "yellow", Level.CRITICAL: "bold red"}
_TEXTS = {
    Kind.ONLY_FIRST: "no more",
    Kind.ONLY_OTHER: "new",
    Kind.EARLIER: "earlier",
    Kind.LATER: "later",
    Kind.SEVERITY: "severity",
}


def tables(outcomes: Sequence[Projection], campus: Campus, translate: Translate) -> Iterator[Table]:
    """Alerts and messages of each outcome, then what each after the first changes."""
    for outcome in outcomes:
        yield _alerts(outcome, campus, translate)
        yield _messages(outcome)
    for other in outcomes[1:]:
        yield _changes(outcomes[0], other, campus, translate)


def _alerts(outcome: Projection, campus: Campus, translate: Translate) -> Table:
    title = f"{outcome.name}: {len(outcome.alerts):,} alerts, {outcome.messages:,} messages, {outcome.readings:,} readings"
    table = _table(title, "from", "to", "severity", "rule", "alert", "messages")
    for alert in outcome.alerts:
        explanation = explain(
            alert.rule, alert.subject, msgspec.to_builtins(alert.evidence), campus, translate
        )
        text = "\n".join((explanation.title, *explanation.lines))
        table.add_row(
            _moment(alert.opened_ms, campus), _end(alert, campus), _severity(alert), alert.rule, Text(text),
            "historical" if alert.historical else str(alert.messages),
        )  # fmt: skip
    return table


def _messages(outcome: Projection) -> Table:
    table = _table(f"{outcome.name}: messages", "channel", "recipient", "opened", "worse", "resolved", "all")
    for person in outcome.recipients:
        who = f"{person.name} ({person.recipient})" if person.name else person.recipient
        counts = (person.opened, person.escalated, person.resolved, person.messages)
        table.add_row(person.channel, Text(who), *map(str, counts))
    return table


def _changes(first: Projection, other: Projection, campus: Campus, translate: Translate) -> Table:
    changes = compare(first, other)
    title = (
        f"{first.name} → {other.name}: {len(changes):,} alerts differ, "
        f"{other.messages - first.messages:+,} messages"
    )
    table = _table(title, "change", "from", "severity", "rule", "alert")
    for change in changes:
        alert = change.alert
        explanation = explain(
            alert.rule, alert.subject, msgspec.to_builtins(alert.evidence), campus, translate
        )
        table.add_row(
            ", ".join(_change(change, kind) for kind in change.kinds), _moment(alert.opened_ms, campus),
            _severities(change), alert.rule, Text(explanation.title),
        )  # fmt: skip
    return table


def _change(change: Change, kind: Kind) -> str:
    text = _TEXTS[kind]
    return f"{text} by {_duration(abs(change.moved_ms))}" if kind in {Kind.EARLIER, Kind.LATER} else text


def _severities(change: Change) -> Text:
    if change.first is None or change.other is None or change.first.worst is change.other.worst:
        return _severity(change.alert)
    return Text.assemble(_severity(change.first), " → ", _severity(change.other))


def _severity(alert: PastAlert) -> Text:
    return Text(alert.worst.value, style=_STYLES.get(alert.worst, ""))


def _duration(span_ms: int) -> str:
    if span_ms < 2 * MINUTE_MS:
        return f"{span_ms / 1000:.0f} s"
    if span_ms < 2 * HOUR_MS:
        return f"{span_ms / MINUTE_MS:.0f} min"
    return f"{span_ms / HOUR_MS:.1f} h"


def _moment(time_ms: int, campus: Campus) -> str:
    return from_ms(time_ms, campus.site.zone).strftime("%Y-%m-%d %H:%M")


def _end(alert: PastAlert, campus: Campus) -> str:
    return "still open" if alert.resolved_ms is None else _moment(alert.resolved_ms, campus)


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=Text(title), title_justify="left")
