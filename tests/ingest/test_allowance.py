"""A topic that floods is limited only while there is more than can be taken; a backlog is not."""

from __future__ import annotations

import json
import threading

from tests_support import PATIENCE_S

from ingest.allowance import Allowances
from ingest.message import Message
from ingest.message_reader import MessageReader
from ingest.mqtt.burst import Burst
from ingest.pipeline import MOST_WAITING, Pipeline


def test_an_allowance_refills(clock):
    """What was used up comes back with time, never more than at first."""
    allowances = Allowances(refill_per_s=2, at_once=10)
    assert [allowances.take("a", clock.now_ms) for _ in range(12)] == [True] * 10 + [False] * 2
    assert allowances.take("b", clock.now_ms)
    clock.forward(1)
    assert [allowances.take("a", clock.now_ms) for _ in range(3)] == [True, True, False]
    clock.forward(1000)
    assert [allowances.take("a", clock.now_ms) for _ in range(11)] == [True] * 10 + [False]


def test_a_clock_that_goes_back_does_no_harm(clock):
    """The allowance stays as it is until time goes on again."""
    allowances = Allowances(refill_per_s=1, at_once=1)
    assert allowances.take("a", clock.now_ms)
    assert not allowances.take("a", clock.now_ms - 3_600_000)
    assert allowances.take("a", clock.now_ms + 1_000)


def test_a_days_backlog_is_within_it(clock):
    """A device of one message a second that was cut off for two days may say it all at once."""
    allowances = Allowances()
    assert all(allowances.take("a", clock.now_ms) for _ in range(2 * 86_400))


def test_allowances_are_bounded(clock):
    """Topics without end do not fill the memory."""
    allowances = Allowances()
    for number in range(120_000):
        allowances.take(f"t{number}", clock.now_ms)
    assert len(allowances._left) <= 50_000


def messages(topic, count, clock, start=0):
    return [
        Message(topic, json.dumps({"temperature": -18 - number / 1000}).encode(), clock.now_ms + number)
        for number in range(start, start + count)
    ]


def test_a_flood_leaves_room_for_the_others(journal, campus, clock):
    """While messages wait, the flooding topic's surplus is counted and left out; all others are read, all are counted."""
    pipeline = Pipeline(
        journal,
        MessageReader(lambda: campus),
        now_ms=clock,
        allowances=Allowances(refill_per_s=0, at_once=500),
    )
    done = threading.Event()
    flood = messages("zigbee2mqtt/Freezer", MOST_WAITING // 2, clock)
    others = messages("zigbee2mqtt/Stranger", 100, clock)
    pipeline.put(Burst(flood[: len(flood) // 2]))
    pipeline.put(Burst(others))
    pipeline.put(Burst(flood[len(flood) // 2 :], lambda _: done.set()))
    pipeline.start()
    assert done.wait(PATIENCE_S)
    pipeline.stop()
    counts = journal.counts()
    assert counts.received == len(flood) + len(others)
    assert counts.limited == pipeline.take_flooding()["zigbee2mqtt/Freezer"] > 0
    assert counts.quarantined == len(others)
    assert counts.journaled >= 500
    assert pipeline.take_flooding() == {}


def test_what_can_be_taken_is_taken(journal, campus, clock):
    """Beyond its allowance a topic is still read as long as nothing waits."""
    pipeline = Pipeline(
        journal, MessageReader(lambda: campus), now_ms=clock, allowances=Allowances(refill_per_s=0, at_once=5)
    )
    done = threading.Event()
    pipeline.put(Burst(messages("zigbee2mqtt/Freezer", 50, clock), lambda _: done.set()))
    pipeline.start()
    assert done.wait(PATIENCE_S)
    pipeline.stop()
    assert journal.counts().journaled == 50
