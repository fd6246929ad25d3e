"""What rests because the service died of it, and rules that failed; see :mod:`service.health.looks.catalogue`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alerts.own import service as own
from campus.clock import DAY_MS, HOUR_MS
from rules.engine.engine import Fault
from rules.level import Level
from rules.verdict import Facts
from service.health.ports import JudgedJournal
from service.trouble import Look, Trouble
from store.poison.record import Kind, Poison, SetAside

#: the names of all these alerts
RULES = (own.POISON_MESSAGE, own.POISON_TOPIC, own.POISON_RULE, own.POISON_CHANNEL, own.RULE_FAILED)
#: a rule that failed is reported for so long
_FAULTS_SHOWN_MS = HOUR_MS


def looks(poison: Poison, rules: JudgedJournal) -> list[Look]:
    """Both."""
    return [
        lambda now_ms: _poison(poison.all(), now_ms),
        lambda now_ms: _rule_faults(rules.faults(), now_ms),
    ]


def _poison(asides: Iterable[SetAside], now_ms: int) -> Iterator[Trouble]:
    """What rests or is on trial: single messages are reported for a day, everything else until a trial succeeds."""
    for aside in asides:
        group, deaths = aside.group, aside.deaths
        if aside.item and now_ms - aside.since_ms >= DAY_MS:
            continue
        if aside.kind is Kind.RULE:
            rule, _, device = group.partition("/")
            facts: Facts = {"rule": rule, "device": device, "deaths": deaths}
            yield Trouble(own.POISON_RULE, group, Level.CRITICAL, facts)
        elif aside.kind is Kind.CHANNEL:
            facts = {"channel": group, "deaths": deaths}
            yield Trouble(own.POISON_CHANNEL, group, Level.CRITICAL, facts)
        elif aside.item:
            facts = {"topic": group, "deaths": deaths}
            yield Trouble(own.POISON_MESSAGE, f"{aside.item} {group}"[:120], Level.WARNING, facts)
        else:
            facts = {"topic": group, "deaths": deaths}
            yield Trouble(own.POISON_TOPIC, group[:120], Level.CRITICAL, facts)


def _rule_faults(faults: Iterable[Fault], now_ms: int) -> Iterator[Trouble]:
    for fault in faults:
        if now_ms - fault.time_ms < _FAULTS_SHOWN_MS or not fault.time_ms:
            facts: Facts = {"rule": fault.rule, "device": fault.subject, "reason": fault.reason[:200]}
            yield Trouble(own.RULE_FAILED, f"{fault.rule}/{fault.subject}", Level.WARNING, facts)
