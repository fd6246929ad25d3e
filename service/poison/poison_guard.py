"""The poison guard: what killed the service is known at its next start, rests, is reported, and is tried again.

A decoder's message, a rule on a device, and a message on its channel are marked while they are handled
(:mod:`store.poison.handling`). What was marked when a process died is counted (:mod:`store.poison.record`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from alerts import send_guard
from alerts.send_guard import SendGuard
from campus.campus import Campus
from campus.clock import SECOND_MS
from ingest import message_guard
from ingest.message_guard import MessageGuard
from rules.catalogue import catalogue
from rules.engine.instance import mark_of
from service.poison.rule_marks import RuleMarks
from store.poison.handling import Handling, Left, kept_topic
from store.poison.record import Kind, Poison, SetAside, Suspect

log = structlog.get_logger()

_RULE_SLOT = 1


class PoisonGuard:
    """Made once, before anything is handled."""

    def __init__(self, data: Path, campus: Campus, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.handling = Handling(data / "handling.bin")
        self.poison = Poison(data / "poison.json")
        suspects = [
            suspect for left in self.handling.left for suspect in _suspects(left, self.handling, campus)
        ]
        for suspect in suspects:
            log.warning("poison.suspected", kind=suspect.kind.value, group=suspect.group, item=suspect.item)
        for aside in self.poison.blame(suspects, now_ms()):
            log.error(
                "poison.set_aside",
                kind=aside.kind.value,
                group=aside.group,
                item=aside.item,
                deaths=aside.deaths,
                rest_s=(aside.again_ms - aside.since_ms) / SECOND_MS,
            )
        self.handling.begin()
        self.messages = MessageGuard(self.handling, self.poison, now_ms)
        self.sending = SendGuard(self.handling, self.poison, now_ms)
        watched = {
            mark_of(*group.split("/", 1)): group for group in self.poison.watched(Kind.RULE) if "/" in group
        }
        #: where the rules write who judges, and in which batch
        self.rule_marks = RuleMarks(self.handling.slot(_RULE_SLOT).words, watched, self._judged)

    def rules_at_rest(self) -> frozenset[str]:
        """Each ``rule/subject`` that is not judged now."""
        return self.poison.groups(Kind.RULE, self._now_ms())

    def topic_trials(self) -> list[SetAside]:
        """Topics whose rest is over and that are not released yet."""
        now_ms = self._now_ms()
        return [
            aside
            for aside in self.poison.all()
            if aside.kind is Kind.MESSAGE and not aside.item and not aside.rests_at(now_ms)
        ]

    def is_set_aside(self, topic: str, item: str) -> bool:
        """Whether that message, or its topic, is at rest or on trial."""
        return self.poison.knows(Kind.MESSAGE, item, kept_topic(topic))

    def release(self, aside_id: int) -> SetAside | None:
        """Lets it be handled again; None for a number that is none."""
        return self.poison.release(aside_id)

    def release_message(self, topic: str, item: str) -> None:
        """The same by what it is: somebody replays that message."""
        group = kept_topic(topic)
        for aside in self.poison.all():
            if aside.kind is Kind.MESSAGE and aside.group == group and aside.item in {"", item}:
                self.poison.release(aside.id)

    def _judged(self, batch: int, group: str) -> None:
        self.poison.completed(Kind.RULE, str(batch), group)

    def close(self) -> None:
        """Leaves what is still being handled for the next start to see."""
        self.handling.close()


def _suspects(left: Left, handling: Handling, campus: Campus) -> Iterator[Suspect]:
    if left.slot == message_guard.SLOT:
        yield Suspect(Kind.MESSAGE, message_guard.item_of(left.item), handling.topics.text(left.item))
    elif left.slot == _RULE_SLOT:
        group = _pair(left.item, campus)
        if group:
            yield Suspect(Kind.RULE, str(left.place), group)
    elif not left.rebooted:  # sending takes long: when the power fails, something is often on its way
        channel, key = send_guard.apart(left.text)
        yield Suspect(Kind.CHANNEL, key, channel)


def _pair(mark: int, campus: Campus) -> str:
    """The ``rule/subject`` of a mark; "" for one that is gone."""
    names = tuple(catalogue())
    pairs = ((rule, device) for device in campus.devices for rule in names)
    return next((f"{rule}/{device}" for rule, device in pairs if mark_of(rule, device) == mark), "")
