"""What becomes of our session at a broker is noticed: taken by another of our name, or forgotten by the broker."""

from __future__ import annotations

from tests_support import wait_until

from ingest.mqtt.connection import BrokerAddress, Connection
from ingest.mqtt.session import SessionWatch
from ingest.topic_texts import TopicTexts
from service.broker.embedded import EmbeddedBroker

MINUTE_MS = 60_000


def test_two_of_one_name_are_noticed(broker):
    """Two services with one client id push each other out, and both know it soon, whatever MQTT they speak."""
    address = BrokerAddress("127.0.0.1", broker.port, "same", protocol=broker.protocol)
    now_ms = [0]
    pair = [Connection(address, ["#"], print, now_ms=lambda: now_ms[0]) for _ in range(2)]
    for one in pair:
        one.start()
    wait_until(lambda: all(one.session.contested(now_ms[0]) for one in pair))
    pair[0].stop()
    wait_until(lambda: pair[1].listening)
    now_ms[0] += 3 * MINUTE_MS
    assert not pair[1].session.contested(now_ms[0])
    pair[1].stop()


def test_a_broker_that_forgot_us_is_noticed(broker_program, tmp_path):
    """A broker that comes back without the session it had is noticed; one that never had it is not."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    address = BrokerAddress("127.0.0.1", broker.port, "ours", protocol=broker.protocol)
    one = Connection(address, ["a/#"], print, now_ms=lambda: 5)
    one.start()
    wait_until(lambda: one.listening)
    assert not one.session.forgotten_ms
    broker.stop()
    wait_until(lambda: not one.connected)
    empty = EmbeddedBroker(tmp_path / "another", program=broker_program, port=broker.port)
    empty.start()
    wait_until(lambda: one.session.forgotten_ms == 5)
    one.stop()
    empty.stop()


def test_a_session_known_from_before_is_missed():
    """What the last run knew counts: a session that is gone at the first connection is one that was lost."""
    known, new = SessionWatch(known=True), SessionWatch()
    for one in (known, new):
        one.connected(7, session_present=False)
    assert (known.forgotten_ms, new.forgotten_ms) == (7, 0)


def test_lost_connections_alone_accuse_nobody():
    """A broker that is not there between the losses, and losses far apart, are no second service."""
    away, rare = SessionWatch(), SessionWatch()
    for number in range(10):
        now_ms = number * 1000
        away.connected(now_ms, session_present=True)
        away.disconnected(now_ms + 500, 128)
        away.unreachable()
        rare.connected(number * MINUTE_MS, session_present=True)
        rare.disconnected(number * MINUTE_MS + 500, 128)
        assert not away.contested(now_ms + 500)
        assert not rare.contested(number * MINUTE_MS + 500)


def test_a_new_session_is_told_each_time():
    """Whoever must save a new session hears of it: at first, and after it was lost."""
    kept = []
    watch = SessionWatch(on_kept=lambda: kept.append(1))
    for present in (False, True, False):
        watch.connected(1, session_present=present)
        watch.kept()
    assert len(kept) == 2


def test_texts_of_topics_are_bounded_by_bytes():
    """However many and however long topics are, what is remembered of them stays small; each is one object."""
    texts = TopicTexts(most_bytes=100_000)
    assert texts(b"a/b") is texts(b"a/b")
    for number in range(4_000):
        assert texts(b"%d" % number + b"x" * 60_000).endswith("x")
        texts(b"%d/" % number + b"y" * 400)
    assert texts.size_bytes <= 100_000
    assert len(texts._texts) <= 100
