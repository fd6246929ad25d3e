"""Reading in bursts gives what paho gives, whatever the packets and wherever the network cuts them."""

from __future__ import annotations

import itertools

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

from ingest.mqtt.burst_client import BurstClient, PlainClient, PublishFrame, supported

PING_RESPONSE = b"\xd0\x00"
UNKNOWN = b"\xf0\x00"


def length(number):
    coded = bytearray()
    while True:
        number, rest = divmod(number, 128)
        coded.append(rest | (128 if number else 0))
        if not number:
            return bytes(coded)


def publish(frame, properties=None):
    """The bytes of a PUBLISH; *properties* (without their length) make it one of MQTT 5."""
    body = len(frame.topic).to_bytes(2, "big") + frame.topic
    if frame.qos:
        body += frame.mid.to_bytes(2, "big")
    if properties is not None:
        body += length(len(properties)) + properties
    body += frame.payload
    command = 0x30 | frame.dup << 3 | frame.qos << 1 | frame.retained
    return bytes([command]) + length(len(body)) + body


class Network:
    """Gives what was received in the pieces it came in, never more than asked for."""

    def __init__(self, pieces):
        self.pieces = [bytes(piece) for piece in pieces if piece]

    def recv(self, size):
        if not self.pieces:
            raise BlockingIOError
        piece = self.pieces.pop(0)
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
        return piece[:size]


def read(kind, pieces, protocol=MQTTProtocolVersion.MQTTv311):
    """What a client of *kind* hands on, and the result of the read that ended it."""
    frames = []
    network = Network(pieces)
    client = kind(frames.extend, protocol=protocol, manual_ack=True)
    client._sock = object()  # never used: reading goes to the network above
    client._sock_recv = network.recv
    client._do_on_disconnect = lambda **_: None
    client._sock_close = lambda: None
    while True:
        result = client._packet_read()
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return frames, result


FRAMES = st.builds(
    PublishFrame,
    topic=st.text(min_size=1, max_size=12).map(str.encode).filter(lambda topic: b"\0" not in topic),
    payload=st.binary(max_size=300),
    qos=st.integers(0, 1),
    mid=st.integers(1, 65_535),
    dup=st.booleans(),
    retained=st.booleans(),
).map(lambda frame: frame._replace(mid=frame.mid if frame.qos else 0))
USER_PROPERTY = st.sampled_from(
    [b"", b"\x01\x00", b"\x26\x00\x01a\x00\x01b", b"\x26\x00\x01a\x00\xc8" + b"b" * 200]
)


def cut(stream, places):
    bounds = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:stop] for start, stop in itertools.pairwise(bounds)]


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
@given(
    packets=st.lists(st.one_of(FRAMES, st.just(PING_RESPONSE)), max_size=12),
    properties=USER_PROPERTY,
    places=st.lists(st.integers(0, 5_000), max_size=12),
)
def test_bursts_hold_what_paho_reads(protocol, packets, properties, places):
    """The same messages in the same order, with or without properties, from any pieces."""
    five = protocol == MQTTProtocolVersion.MQTTv5
    coded = [one if isinstance(one, bytes) else publish(one, properties if five else None) for one in packets]
    pieces = cut(b"".join(coded), places)
    frames, result = read(BurstClient, pieces, protocol)
    plain, plain_result = read(PlainClient, pieces, protocol)
    assert frames == plain == [one for one in packets if isinstance(one, PublishFrame)]
    assert result == plain_result == MQTTErrorCode.MQTT_ERR_AGAIN


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_garbage_ends_in_an_error_or_in_waiting(stream, places):
    """Bytes that are no MQTT never raise, and never loop."""
    _, result = read(BurstClient, cut(stream, places))
    assert result != MQTTErrorCode.MQTT_ERR_SUCCESS


@pytest.mark.parametrize("broken", [UNKNOWN, b"\x30\xff\xff\xff\xff", b"\x32\x01a", b"\x32\x03\x00\x09a"])
def test_what_came_before_a_broken_packet_is_kept(broken):
    """The messages before it are handed on, and the connection is given up as paho would."""
    good = PublishFrame(b"t", b"1", 1, 7, dup=False, retained=False)
    frames, result = read(BurstClient, [publish(good) + broken])
    assert frames == [good]
    assert result == MQTTErrorCode.MQTT_ERR_PROTOCOL


def test_a_large_message_in_small_pieces():
    """Ten megabytes in pieces of a kilobyte are one message."""
    big = PublishFrame(b"t", bytes(10_000_000), 1, 7, dup=False, retained=False)
    coded = publish(big)
    frames, _ = read(BurstClient, [coded[at : at + 1024] for at in range(0, len(coded), 1024)])
    assert frames == [big]


def test_acknowledgements_are_the_same_bytes():
    """One write of many PUBACKs says what paho says in many."""
    packets = {}
    for kind in (BurstClient, PlainClient):
        client = kind(print, manual_ack=True)
        client._sock = object()  # paho queues for a socket only
        client._thread = object()  # and does not write itself while a thread does
        client.acknowledge([1, 256, 65_535])
        packets[kind] = b"".join(bytes(one["packet"]) for one in client._out_packet)
        client._thread = client._sock = None
        client.acknowledge([])
    assert packets[BurstClient] == packets[PlainClient] == b"\x40\x02\x00\x01\x40\x02\x01\x00\x40\x02\xff\xff"


def test_other_internals_are_noticed(monkeypatch):
    """Where paho has changed inside, the plain client is used."""
    assert supported()
    monkeypatch.setattr(mqtt.Client, "_packet_read", None)
    monkeypatch.delattr(mqtt.Client, "_packet_read")
    assert not supported()


def test_a_reconnect_forgets_half_a_packet():
    """What the old connection left unfinished is not put before the new one's first packet."""
    frames = []
    client = BurstClient(frames.extend, manual_ack=True)
    network = Network([publish(PublishFrame(b"t", b"12345", 0, 0, dup=False, retained=False))[:-2]])
    client._sock_recv = network.recv
    assert client._packet_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert client._rest
    client._host = "127.0.0.1"
    with pytest.raises(OSError, match="refused"):
        client.reconnect()
    assert not client._rest
