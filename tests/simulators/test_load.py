"""The load generator: frames as the standard has them, real brokers, and answers that are none."""

from __future__ import annotations

import socket
import struct
import threading
import time

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import PATIENCE_S, wait_until

from ingest.message import Message
from ingest.message_reader import MessageReader
from simulators.campus.generated import generated_campus
from simulators.campus.world import World
from simulators.errors import BrokerLost
from simulators.formats.contract import Publication
from simulators.output.broker_url import BrokerUrl
from simulators.output.load import Load, _Block, template, templates
from simulators.output.wire import Wire, connect_frame, identifier_at, publish_frame

NOW_MS = 1_795_233_600_123


@pytest.fixture(scope="module")
def campus():
    return generated_campus(58, year=2026)


def parsed(frames):
    """Topic, identifier and payload of each PUBLISH in *frames*, read as the standard says (3.3)."""
    while frames:
        assert frames[0] == 0x32
        length, shift, at = 0, 0, 1
        while True:
            length |= (frames[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not frames[at - 1] & 0x80:
                break
        body, frames = frames[at : at + length], frames[at + length :]
        size = struct.unpack(">H", body[:2])[0]
        name, identifier = body[2 : 2 + size].decode(), struct.unpack(">H", body[2 + size : 4 + size])[0]
        yield name, identifier, bytes(body[4 + size :])


@given(topic=st.text(min_size=1, max_size=300), payload=st.binary(max_size=20_000))
def test_a_frame_is_read_back(topic, payload):
    """Any topic and payload, and the identifier where it is said to be."""
    frame = bytearray(publish_frame(topic, payload))
    place = identifier_at(frame)
    frame[place : place + 2] = b"\xab\xcd"
    assert list(parsed(bytes(frame))) == [(topic, 0xABCD, payload)]


def test_connect_carries_the_account():
    """Flags, client id, name and password, in the order of 3.1.3."""
    plain, named = connect_frame("me", "", ""), connect_frame("me", "li", "secret")
    assert plain == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02me"
    assert named.endswith(b"\x00\x02me\x00\x02li\x00\x06secret")
    assert named[9] == 0xC2


def test_every_message_of_a_load_is_understood_and_new(campus):
    """Turn by turn each device's message is read by ingest, with a time of its own and identifiers that count on."""
    made = templates(World(campus, seed=1), NOW_MS)
    block, judge, seen = _Block(made), MessageReader(lambda: campus), {}
    following = 65_530
    for turn in (1, 2, 57):
        now_ms = NOW_MS + turn * 1_000
        for topic, identifier, payload in parsed(bytes(block.fill(65_530, turn, now_ms))):
            assert identifier == following or following > 65_530
            judgement = judge(Message(topic, payload, now_ms))
            assert judgement.held == (), (topic, payload)
            assert judgement.readings
            for reading in judgement.readings:
                assert abs(reading.time_ms - now_ms) < 1_000, (topic, payload)
            assert payload not in seen.setdefault(topic, set()) or b"/status/" in topic.encode()
            seen[topic].add(payload)
            following = identifier % 65_535 + 1
        following = 65_530
    assert len(seen) == len(made)


def test_counters_grow_and_gauges_stay():
    """The digits behind a counter's point move, of a temperature only the last."""
    one = template(
        Publication("t", b'{"ENERGY":{"Total":1234.567},"DS18B20":{"Temperature":-19.3}}'), NOW_MS, None
    )
    block = _Block([one])
    shown = [next(parsed(bytes(block.fill(1, turn, NOW_MS))))[2] for turn in (1, 42, 999)]
    assert shown == [
        b'{"ENERGY":{"Total":1234.001},"DS18B20":{"Temperature":-19.1}}',
        b'{"ENERGY":{"Total":1234.042},"DS18B20":{"Temperature":-19.2}}',
        b'{"ENERGY":{"Total":1234.999},"DS18B20":{"Temperature":-19.9}}',
    ]


def test_a_real_broker_has_all_of_it(broker, campus):
    """What is sent is acknowledged, and arrives at a subscriber, whole."""
    arrived = []
    subscriber = mqtt.Client(CallbackAPIVersion.VERSION2)
    subscriber.on_message = lambda _client, _user, message: arrived.append((message.topic, message.payload))
    ready = threading.Event()
    subscriber.on_subscribe = lambda *_: ready.set()
    subscriber.on_connect = lambda client, *_: client.subscribe("tele/#", qos=1)
    subscriber.connect("127.0.0.1", broker.port)
    subscriber.loop_start()
    assert ready.wait(PATIENCE_S)
    made = [one for one in templates(World(campus, seed=1), NOW_MS) if b"tele/" in one.frame[:12]]
    told = []
    result = Load(BrokerUrl("127.0.0.1", broker.port), made, window=500).run(
        rate=2_000, seconds=0.6, tell=told.append
    )
    assert result.sent == result.acknowledged
    assert (
        len(made) <= result.sent <= 1_300
    )  # a slow disk behind the broker may keep it below the rate, never above
    assert told
    assert told[-1].sent <= result.sent
    wait_until(lambda: len(arrived) == result.sent)
    assert {topic for topic, _ in arrived} == {topic for one in made for topic, _, _ in parsed(one.frame)}
    subscriber.disconnect()
    subscriber.loop_stop()


def answering(*answers):
    """A server on loopback that says *answers*, one to each thing it is told, then closes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        link, _ = server.accept()
        with link, server:
            for answer in answers:
                link.recv(65_536)
                link.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return BrokerUrl("127.0.0.1", server.getsockname()[1])


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([b"\x20\x02\x00\x05"], "not authorised"),
        ([b"\x20\x02\x00\x63"], "code 99"),
        ([b"HTTP"], "refused the connection"),
        ([b"\x20\x02\x00\x00", b"\x30\x02\x00\x00"], "other than PUBACK"),
        ([b"\x20\x02\x00\x00", b"\x40\x02\x00\x01\x40"], "closed the connection after 1 messages"),
    ],
)
def test_a_broker_that_does_not_want_it(answers, words):
    """Refusals, other answers and closed connections are told with the address."""
    url = answering(*answers)
    with pytest.raises(BrokerLost, match=words) as caught, Wire(url, "me") as wire:
        wire.send(publish_frame("t", b"1"))
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            wire.turn(0.05)
    assert str(url) in str(caught.value)


def test_nobody_there():
    """A port without a broker is told at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(BrokerLost, match=str(port)):
        Load(BrokerUrl("127.0.0.1", port), [template(Publication("t", b"1"), 0, None)]).run(rate=0, seconds=1)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mqtt://broker:1884", BrokerUrl("broker", 1884)),
        ("broker", BrokerUrl("broker", 1883)),
        ("mqtts://u%40s:p%3Aw@broker", BrokerUrl("broker", 8883, "u@s", "p:w", tls=True)),
    ],
)
def test_broker_urls(text, meant):
    """Host, port, account and TLS; the password is never shown."""
    assert BrokerUrl.parse(text) == meant
    assert "p:w" not in str(BrokerUrl.parse(text))


@pytest.mark.parametrize("text", ["http://broker", "mqtt://", "mqtt://broker:port", "mqtt://broker/path", ""])
def test_what_is_no_broker_url(text):
    """Is refused with what was expected."""
    with pytest.raises(ValueError, match="expected mqtt://"):
        BrokerUrl.parse(text)
