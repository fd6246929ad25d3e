"""What rested because the service died of it is tried again, and what was released is taken up, by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import structlog

from campus.clock import SECOND_MS
from service.health.watch import Trouble
from store.poison.record import Kind

if TYPE_CHECKING:
    from service.runtime.runtime import Runtime

log = structlog.get_logger()

#: a topic on trial of which nothing came is shown another held message so often
_AGAIN_MS = 30 * SECOND_MS


class Trials:
    """Looked at every second: messages of a channel come due by themselves, rules and topics need somebody to begin."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        #: when each topic on trial was last shown a message
        self._shown_ms: dict[str, int] = {}

    def look(self, now_ms: int) -> Iterator[Trouble]:
        """Begins what is due; finds no trouble of its own."""
        runtime = self._runtime
        poison = runtime.guard.poison
        if runtime.guard.rules_at_rest() != runtime.rules_off:
            runtime.judge_anew()
        for (
            one
        ) in poison.all():  # written down as sent, it is never handled again: nobody else would release it
            if one.kind is Kind.CHANNEL and one.item and runtime.outbox.is_settled(one.item):
                poison.completed(one.kind, one.item, one.group)
        for one in poison.take_released():
            log.warning("poison.released", kind=one.kind.value, group=one.group, item=one.item)
            if one.kind is Kind.CHANNEL and runtime.outbox.send_again(one.group, one.item, now_ms):
                runtime.dispatcher.wake()
        trials = {one.group for one in runtime.guard.topic_trials()}
        self._shown_ms = {topic: at_ms for topic, at_ms in self._shown_ms.items() if topic in trials}
        for topic in trials:
            last_ms = self._shown_ms.get(topic)
            if last_ms is not None and 0 <= now_ms - last_ms < _AGAIN_MS:
                continue
            if runtime.quarantine.replay_first_of(topic):
                self._shown_ms[topic] = now_ms
        if poison.replay_due and runtime.quarantine.replay_released():
            poison.replayed()
        yield from ()
