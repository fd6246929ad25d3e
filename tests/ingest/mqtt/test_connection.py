"""The connection on real brokers: sessions outlive us, refusals are told in words."""

from __future__ import annotations

import time

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from tests_support import PATIENCE_S, wait_until

from ingest.mqtt.burst_client import PublishFrame
from ingest.mqtt.connection import BrokerAddress, Connection
from service.broker.embedded import EmbeddedBroker
from service.errors import BrokerUnavailable

DROPPED = "$SYS/broker/publish/messages/dropped"


@pytest.fixture
def publish(broker):
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    def send(topic, payload):
        client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)

    yield send
    client.disconnect()
    client.loop_stop()


@pytest.fixture(params=["burst", "plain"])
def connect(request, broker):
    """Connects with our way of reading, or with paho as it is: both must do the same."""
    return lambda into, **more: open_connection(broker, into, plain=request.param == "plain", **more)


def open_connection(broker, into, topics=("test/#",), *, plain=False):
    """A connection that puts each message, and what acknowledges it, into a list."""

    def put(burst):
        into.extend((one, lambda one=one: burst.acknowledge([one])) for one in burst.messages)

    address = BrokerAddress("127.0.0.1", broker.port, "shouyuan-test")
    connection = Connection(address, topics, put, now_ms=lambda: time.time_ns() // 1_000_000, plain=plain)
    connection.start()
    wait_until(lambda: connection.listening)
    return connection


@pytest.mark.usefixtures("impatient_nats")
def test_unacknowledged_messages_come_again(connect, publish):
    """What was received and not acknowledged when we died is delivered again with dup set, and new ones with it."""
    first = []
    one = connect(first)
    wait_until(lambda: one.connected)
    publish("test/a", b"0")
    wait_until(lambda: any(message.payload == b"0" for message, _ in first))
    publish("test/a", b"1")
    wait_until(lambda: len(first) >= 2)
    first[0][1]()
    wait_until(lambda: one._client._out_packet == type(one._client._out_packet)())
    one.stop()
    publish("test/a", b"2")
    again = []
    two = connect(again)
    wait_until(lambda: {message.payload for message, _ in again} >= {b"1", b"2"})
    redelivered = next(message for message, _ in again if message.payload == b"1")
    assert redelivered.dup
    assert redelivered.mid == first[1][0].mid
    two.stop()


def test_unicode_topics_arrive(connect, publish):
    """Chinese names are topics like others."""
    got = []
    one = connect(got, topics=("zigbee2mqtt/#",))
    publish("zigbee2mqtt/冷冻柜1", b"{}")
    wait_until(lambda: got)
    assert got[0][0].topic == "zigbee2mqtt/冷冻柜1"
    one.stop()


def test_a_restarted_broker_is_found_again(broker_program, tmp_path):
    """A broker that goes and comes back is reconnected to, with the session it kept."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    got = []
    one = open_connection(broker, got)
    broker.stop()
    wait_until(lambda: not one.connected)
    again = EmbeddedBroker(tmp_path / "broker", program=broker_program, port=broker.port)
    again.start()
    wait_until(lambda: one.connected)
    one.stop()
    again.stop()


def test_a_broker_that_is_not_there_is_said():
    """Nobody listening is told in words, and stopping is at once."""
    one = Connection(BrokerAddress("127.0.0.1", 9, "x"), ["#"], print, now_ms=lambda: 0)
    one.start()
    wait_until(lambda: one.reason == "the broker cannot be reached")
    one.stop()
    assert not one.connected


@pytest.mark.mosquitto
def test_a_wrong_password_is_said(broker_program, tmp_path):
    """A refused account is told in words a person can act on; the right one connects."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program, credentials=("school", "right"))
    broker.start()
    wrong = Connection(
        BrokerAddress("127.0.0.1", broker.port, "x", "school", "wrong"), ["#"], print, now_ms=lambda: 0
    )
    wrong.start()
    wait_until(lambda: wrong.reason in {"user name or password is wrong", "the account may not connect"})
    wrong.stop()
    got = []
    right = Connection(
        BrokerAddress("127.0.0.1", broker.port, "y", "school", "right"),
        ["test/#"],
        got.append,
        now_ms=lambda: 0,
    )
    right.start()
    wait_until(lambda: right.connected)
    right.stop()
    broker.stop()


def test_no_open_door_without_accounts(tmp_path):
    """Listening beyond loopback needs credentials."""
    with pytest.raises(BrokerUnavailable, match="username"):
        EmbeddedBroker(tmp_path, host="0.0.0.0")  # noqa: S104 - it is refused


def test_a_broker_that_ends_at_once_is_said(tmp_path):
    """A program that is no broker is told of at once."""
    with pytest.raises(BrokerUnavailable, match="ended at once"):
        EmbeddedBroker(tmp_path / "b", program="/bin/false").start()


def test_what_the_broker_drops_is_known():
    """mosquitto's own count of dropped messages is followed, and is no message of a device."""
    got = []
    one = Connection(BrokerAddress("127.0.0.1", 9, "x"), ["#"], got.append, now_ms=lambda: 0)
    one._on_burst(
        [PublishFrame(b"$SYS/broker/publish/messages/dropped", b"17", 0, 0, dup=False, retained=True)]
    )
    one._on_burst(
        [PublishFrame(b"$SYS/broker/publish/messages/dropped", b"x", 0, 0, dup=False, retained=True)]
    )
    assert (one.broker_dropped, got, one.received) == (17, [], 0)


@pytest.mark.only_mosquitto
def test_what_the_broker_says_of_itself_is_acknowledged(connect, publish, broker):
    """Its own count, which an earlier session had at QoS 1, does not stay under way and keep its packet identifier."""
    old, under_way = same_session(broker)
    old.subscribe(DROPPED, qos=1)
    wait_until(lambda: under_way)
    old.disconnect()
    old.loop_stop()
    got = []
    one = connect(got)
    publish("test/a", b"0")
    wait_until(lambda: got)
    got[0][1]()
    wait_until(lambda: one._client._out_packet == type(one._client._out_packet)())
    one.stop()
    new, left = same_session(broker)
    publish("test/a", b"1")
    wait_until(lambda: b"1" in [message.payload for message in left])
    new.disconnect()
    new.loop_stop()
    assert [message.topic for message in left if message.qos] == ["test/a"]


def same_session(broker):
    """A client in the session of :func:`open_connection` that acknowledges nothing, and what it receives."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "shouyuan-test", protocol=mqtt.MQTTv5, manual_ack=True)
    received = []
    client.on_message = lambda _client, _userdata, message: received.append(message)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 600
    client.connect("127.0.0.1", broker.port, clean_start=False, properties=properties)
    client.loop_start()
    wait_until(client.is_connected)
    return client, received


def test_the_brokers_own_count_is_asked_for_without_acknowledgement(monkeypatch):
    """It comes again by itself, so it needs none of the messages the broker may have under way to us."""
    asked = []
    one = Connection(BrokerAddress("127.0.0.1", 9, "x"), ["#"], print, now_ms=lambda: 0)
    monkeypatch.setattr(one._client, "subscribe", lambda topics: asked.extend(topics) or (0, 1))
    one._subscribe(one._client)
    assert asked == [("#", 1), (DROPPED, 0)]


def test_refused_topics_are_known():
    """A topic that the broker does not let us hear is named; the others are heard."""
    one = Connection(BrokerAddress("127.0.0.1", 9, "x"), ["good/#", "bad/#/x"], print, now_ms=lambda: 0)
    codes = [ReasonCode(PacketTypes.SUBACK, identifier=code) for code in (1, 0x87, 0)]
    one._asked[7] = ["good/#", "bad/#/x", "$SYS/broker/publish/messages/dropped"]
    one._on_subscribe(one._client, None, 7, codes, None)
    assert one.refused_topics == ("bad/#/x",)
