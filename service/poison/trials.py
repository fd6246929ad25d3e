"""What rested because the service died of it is tried again, and what was released is taken up, by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import structlog

from alerts.outbox import Outbox
from campus.clock import SECOND_MS
from service.poison.poison_guard import PoisonGuard
from service.trouble import Trouble
from store.poison.record import Kind

log = structlog.get_logger()

#: a topic on trial of which nothing came is shown another held message so often
_AGAIN_MS = 30 * SECOND_MS


class JudgingRules(Protocol):
    """The rules that judge, some of which may be at rest."""

    @property
    def resting(self) -> frozenset[str]:
        """Each ``rule/subject`` that they leave out."""
        ...

    def judge_anew(self) -> None:
        """Has those judge whose rest is over, and no others."""
        ...


class HeldMessages(Protocol):
    """The messages of the quarantine."""

    def replay_first_of(self, topic: str) -> bool:
        """Replays the oldest one of a topic on trial; False where it must wait."""
        ...

    def replay_released(self) -> bool:
        """Replays those set aside no longer, some at a time; whether there are no more."""
        ...


class Trials:
    """Looked at every second: messages of a channel come due by themselves, rules and topics need somebody to begin.

    *send* is called when a message became due.
    """

    def __init__(
        self,
        guard: PoisonGuard,
        rules: JudgingRules,
        outbox: Outbox,
        held: HeldMessages,
        *,
        send: Callable[[], None],
    ) -> None:
        self._guard = guard
        self._rules = rules
        self._outbox = outbox
        self._held = held
        self._send = send
        #: when each topic on trial was last shown a message
        self._shown_ms: dict[str, int] = {}

    def look(self, now_ms: int) -> Iterator[Trouble]:
        """Begins what is due; finds no trouble of its own."""
        poison = self._guard.poison
        if self._guard.rules_at_rest() != self._rules.resting:
            self._rules.judge_anew()
        self._release_sent()
        for released in poison.take_released():
            log.warning("poison.released", kind=released.kind.value, group=released.group, item=released.item)
            is_channel = released.kind is Kind.CHANNEL
            if is_channel and self._outbox.send_again(released.group, released.item, now_ms):
                self._send()
        self._try_topics(now_ms)
        if poison.replay_due and self._held.replay_released():
            poison.replayed()
        yield from ()

    def _release_sent(self) -> None:
        """A message written down as sent is never handled again: nobody else would release it."""
        poison = self._guard.poison
        for aside in poison.all():
            if aside.kind is Kind.CHANNEL and aside.item and self._outbox.is_settled(aside.item):
                poison.completed(aside.kind, aside.item, aside.group)

    def _try_topics(self, now_ms: int) -> None:
        trials = {aside.group for aside in self._guard.topic_trials()}
        self._shown_ms = {topic: at_ms for topic, at_ms in self._shown_ms.items() if topic in trials}
        for topic in trials:
            last_ms = self._shown_ms.get(topic)
            if last_ms is not None and 0 <= now_ms - last_ms < _AGAIN_MS:
                continue
            if self._held.replay_first_of(topic):
                self._shown_ms[topic] = now_ms
