"""What a broker delivers again is known, whatever it calls it; what is only equal is another reading."""

from __future__ import annotations

import json
import time

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import PATIENCE_S, wait_until

from ingest.message import Message
from ingest.message_reader import MessageReader
from ingest.mqtt.burst import Burst
from ingest.mqtt.connection import BrokerAddress, Connection
from ingest.pipeline import Pipeline
from ingest.redeliveries import ANOTHER_IDENTIFIER_MS, REMEMBERED_MESSAGES, Redeliveries, fingerprint
from service.broker.embedded import EmbeddedBroker
from store.journal.counts import Counts

FREEZER = "zigbee2mqtt/Freezer"
MINUTE_S = ANOTHER_IDENTIFIER_MS / 1000


@pytest.fixture
def started(journal, campus, clock, steady):
    """Starts a pipeline on the journal."""
    return lambda: Pipeline(journal, MessageReader(lambda: campus), now_ms=clock, steady_ms=steady)


@pytest.fixture
def fates(journal, started, clock, steady):
    """Hands groups of messages to a pipeline, a restarted one each; returns the counts."""

    def take(*groups):
        for messages in groups:
            commit(started(), messages)
            clock.forward(15)
            steady.forward(15)
        return journal.counts()

    return take


def commit(pipeline, messages):
    pipeline.put(Burst(list(messages)))
    pipeline.step()


def cold(clock, mid, *, after_s=0.0, dup=False, renumbered=True):
    """A freezer without a time of its own: -18.0 °C, again and again."""
    received_ms = clock.now_ms + round(after_s * 1000)
    payload = b'{"temperature": -18.0}'
    return Message(FREEZER, payload, received_ms, 1, mid, dup, renumbered=renumbered, heard_ms=received_ms)


def test_a_redelivery_under_another_identifier_is_known(fates, clock):
    """nats-server's second copy has the dup flag and a fresh identifier: it counts once, over restarts and twice over."""
    again = [cold(clock, 900, after_s=15, dup=True)], [cold(clock, 901, after_s=30, dup=True)]
    assert fates([cold(clock, 7)], *again) == Counts(journaled=1, duplicates=2)


def test_its_first_copy_may_wait_in_the_same_group(fates, clock):
    """After a restart of the broker the old copy and the new may be judged together."""
    both = [cold(clock, 7), cold(clock, 1, after_s=1, dup=True)]
    assert fates(both) == Counts(journaled=1, duplicates=1)


def test_equal_readings_are_readings(fates, clock):
    """The same value again, and once more, without the dup flag: each is a reading, however soon."""
    groups = [cold(clock, 7)], [cold(clock, 8, after_s=1)], [cold(clock, 9, after_s=61)]
    assert fates(*groups) == Counts(journaled=3)


def test_contents_alone_speak_for_a_minute(journal, started, steady):
    """An undelivered reading that equals one of long ago, like tonight's leak and yesterday's, is one of its own."""
    pipeline = started()
    commit(pipeline, [cold(steady, 7)])
    steady.forward(MINUTE_S + 1)
    commit(pipeline, [cold(steady, 8, dup=True)])
    assert journal.counts() == Counts(journaled=2)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_makes_no_minute(journal, started, clock, steady, hours):
    """The wall clock jumps by an hour between commit and redelivery: a few seconds have passed, and it is known."""
    pipeline = started()
    commit(pipeline, [cold(steady, 7)])
    clock.forward(hours * 3600)
    steady.forward(5)
    commit(pipeline, [cold(steady, 8, dup=True)])
    assert journal.counts() == Counts(journaled=1, duplicates=1)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_broker_counts_no_time_while_we_are_away(journal, started, clock, steady, hours):
    """What was committed within a minute before the end is known after a start, however long that took to come."""
    commit(started(), [cold(steady, 7)])
    clock.forward(hours * 3600)
    steady.forward(3600)
    pipeline = started()
    steady.forward(5)
    commit(pipeline, [cold(steady, 8, dup=True)])
    assert journal.counts() == Counts(journaled=1, duplicates=1)


def test_a_start_makes_nothing_younger(journal, started, clock, steady):
    """What was committed long before the last commit is no redelivery's first copy after a restart either."""
    pipeline = started()
    commit(pipeline, [cold(steady, 7)])
    clock.forward(MINUTE_S + 1)
    steady.forward(MINUTE_S + 1)
    commit(pipeline, [Message(FREEZER, b'{"temperature": -17.0}', clock(), 1, 9)])
    commit(started(), [cold(steady, 8, dup=True)])
    assert journal.counts() == Counts(journaled=3)


def test_a_broker_that_keeps_identifiers_is_taken_at_its_word(fates, clock):
    """With MQTT 5 another identifier is another message, dup flag or not."""
    groups = [cold(clock, 7, renumbered=False)], [cold(clock, 8, after_s=5, dup=True, renumbered=False)]
    assert fates(*groups) == Counts(journaled=2)


@pytest.mark.parametrize("renumbered", [True, False])
def test_fingerprints_tell_messages_apart(renumbered):
    """Identifier, topic, payload and broker each make another fingerprint, which the journal's numbers can hold."""

    def mark(topic="t", payload=b"a", mid=65_535, broker=""):
        return fingerprint(Message(topic, payload, 0, 1, mid, broker=broker, renumbered=renumbered))

    marks = {mark(), mark(topic="u"), mark(payload=b"b"), mark(mid=1), mark(broker="b")}
    assert len(marks) == 5
    assert max(marks) < 2**63


def test_what_is_remembered_is_bounded():
    """Marks and contents do not grow without end, and the newest are known."""
    redeliveries = Redeliveries()
    for number in range(100_000):
        redeliveries.committed([number], number)
    assert len(redeliveries._known) == len(redeliveries._contents) == REMEMBERED_MESSAGES
    assert not redeliveries.seen(Message("t", b"", 0, 1, 1, dup=True), 5)
    assert redeliveries.seen(Message("t", b"", 0, 1, 1, dup=True), 99_999)


@pytest.mark.usefixtures("impatient_nats")
def test_a_restarted_broker_doubles_nothing(tmp_path, journal, campus, broker_program):
    """Committed, not acknowledged, and the broker restarts: nats-server renumbers what it delivers again."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    publisher = mqtt.Client(CallbackAPIVersion.VERSION2)
    publisher.connect("127.0.0.1", broker.port)
    publisher.loop_start()
    pipeline = Pipeline(journal, MessageReader(lambda: campus), now_ms=lambda: time.time_ns() // 1_000_000)
    silent = []

    def put(burst):
        pipeline.put(Burst(burst.messages) if silent else burst)

    address = BrokerAddress("127.0.0.1", broker.port, "keeps", protocol=broker.protocol)
    connection = Connection(address, ["zigbee2mqtt/#"], put, now_ms=lambda: time.time_ns() // 1_000_000)
    connection.start()
    pipeline.start()
    try:
        wait_until(lambda: connection.listening)
        for count in range(1, 4):
            body = json.dumps({"temperature": -18 - count / 10})
            publisher.publish(FREEZER, body, qos=1).wait_for_publish(PATIENCE_S)
            wait_until(lambda count=count: journal.counts().journaled == count)
            silent.append(
                True
            )  # the first is acknowledged, so that the others' identifiers are not the first ones
        publisher.disconnect()
        broker.stop()
        wait_until(lambda: not connection.connected)
        silent.clear()
        broker = EmbeddedBroker(tmp_path / "broker", program=broker_program, port=broker.port)
        broker.start()
        wait_until(lambda: journal.counts().received >= 5)
    finally:
        publisher.loop_stop()
        connection.stop()
        pipeline.stop()
        broker.stop()
    assert journal.counts() == Counts(journaled=3, duplicates=2)
