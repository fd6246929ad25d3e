"""paho's client, reading all that the socket holds at once.

paho takes one packet a call, with a select, several recv and a send for each: 10,000 to 15,000 messages/s. This one
takes 256 KiB at a time, parses every PUBLISH in it in one loop and hands them on together; their PUBACKs leave as one
write. Connecting, keepalive, TLS, reconnecting and all other packets stay paho's own.

It leans on four internals of paho 2.2 (``_packet_read``, ``_packet_handle``, ``_in_packet``, ``_packet_queue``).
:func:`supported` says whether they are as expected; where not, :mod:`ingest.mqtt.connection` uses paho as it is.
"""

from __future__ import annotations

import abc
import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import paho.mqtt
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

_READ_BYTES = 256 * 1024
_PUBLISH = 0x30
_PUBACK = 0x40
#: QoS 0 and 1 as they stand in a PUBLISH's first byte
_QOS = frozenset({0x00, 0x02})
_DUP = 0x08
_IN_PACKET = frozenset(
    {
        "command",
        "have_remaining",
        "remaining_count",
        "remaining_mult",
        "remaining_length",
        "packet",
        "to_process",
        "pos",
    }
)


class PublishFrame(NamedTuple):
    """One PUBLISH as it came; *topic* are its bytes."""

    topic: bytes
    payload: bytes
    qos: int
    mid: int
    dup: bool
    retained: bool


OnBurst = Callable[[list[PublishFrame]], None]
OnReconnect = Callable[[], None]


def _nothing() -> None:
    return None


def supported() -> bool:
    """Whether this paho has the internals that :class:`BurstClient` replaces, in the form it expects."""
    needed = ("_packet_read", "_packet_handle", "_packet_queue", "_sock_recv", "_msgtime_mutex")
    probe = mqtt.Client(CallbackAPIVersion.VERSION2)
    if not all(hasattr(probe, name) for name in (*needed, "_in_packet", "_last_bytes_received")):
        return False
    queue = list(inspect.signature(probe._packet_queue).parameters)  # noqa: SLF001 - what this is about
    return set(probe._in_packet) == _IN_PACKET and queue[:4] == ["command", "packet", "mid", "qos"]  # noqa: SLF001


class Client(mqtt.Client, abc.ABC):
    """What both kinds share: paho's client that hands bursts on, and tells of a reconnect before it is one."""

    def __init__(self, on_burst: OnBurst, *, on_reconnect: OnReconnect = _nothing, **options: Any) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, **options)
        self._on_burst = on_burst
        self._on_reconnect = on_reconnect

    def reconnect(self) -> MQTTErrorCode:
        """As paho's, which also empties the queue of what was to be sent."""
        self._on_reconnect()
        return super().reconnect()

    @abc.abstractmethod
    def acknowledge(self, mids: Sequence[int]) -> None:
        """Confirms the messages with the packet identifiers *mids* to the broker, in their order."""


class PlainClient(Client):
    """paho as it is, with the same interface: bursts of one."""

    def __init__(self, on_burst: OnBurst, **options: Any) -> None:
        super().__init__(on_burst, **options)
        self.on_message = self._on_one

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Confirms the messages with the packet identifiers *mids* to the broker, in their order."""
        for mid in mids:
            self.ack(mid, 1)

    def _on_one(self, _client: mqtt.Client, _userdata: Any, one: mqtt.MQTTMessage) -> None:
        topic = one._topic  # noqa: SLF001 - its property raises for what is not UTF-8
        self._on_burst([PublishFrame(topic, bytes(one.payload), one.qos, one.mid, one.dup, one.retain)])


class BurstClient(Client):
    """A client whose messages of QoS 0 and 1 come in bursts. QoS 2 and everything else go paho's way."""

    def __init__(self, on_burst: OnBurst, **options: Any) -> None:
        super().__init__(on_burst, **options)
        self._rest = bytearray()

    def reconnect(self) -> MQTTErrorCode:
        """As paho's; what is left of the old connection's bytes means nothing on the new one."""
        self._rest = bytearray()
        return super().reconnect()

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Queues one PUBACK for each of *mids* as a single write."""
        packet = b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids)
        if packet:
            self._packet_queue(_PUBACK, packet, 0, 1)

    def _packet_read(self) -> MQTTErrorCode:
        """All packets the socket holds now; paho calls it when there is something to read."""
        try:
            data = self._sock_recv(_READ_BYTES)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except (OSError, AttributeError):  # the socket was closed meanwhile
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not data:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        if self._rest:
            self._rest += data
            if not _first_is_whole(self._rest):
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            data = bytes(self._rest)
        used, result = self._take(data)
        self._rest = bytearray(data[used:])
        return result

    def _take(self, data: bytes) -> tuple[int, MQTTErrorCode]:
        """Handles the whole packets of *data*, in their order; how many bytes they were."""
        frames: list[PublishFrame] = []
        at, five = 0, self._protocol == MQTTProtocolVersion.MQTTv5
        result = MQTTErrorCode.MQTT_ERR_SUCCESS
        while result == MQTTErrorCode.MQTT_ERR_SUCCESS and (bounds := _bounds(data, at)) is not None:
            start, stop = bounds
            command = data[at]
            if command & 0xF0 == _PUBLISH and command & 0x06 in _QOS:
                frame = _publish(data, command, start, stop, five=five)
                if frame is None:
                    result = MQTTErrorCode.MQTT_ERR_PROTOCOL
                else:
                    frames.append(frame)
            else:
                self._hand_over(frames)
                frames = []
                result = self._paho_packet(command, data[start:stop])
            at = stop
        self._hand_over(frames)
        if result == MQTTErrorCode.MQTT_ERR_SUCCESS and _is_endless(data, at):
            result = MQTTErrorCode.MQTT_ERR_PROTOCOL
        return at, result

    def _hand_over(self, frames: list[PublishFrame]) -> None:
        if frames:
            self._on_burst(frames)

    def _paho_packet(self, command: int, body: bytes) -> MQTTErrorCode:
        """Lets paho handle a packet as if it had read it itself."""
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        try:
            return self._packet_handle()
        except (
            paho.mqtt.MQTTException,
            ValueError,
            IndexError,
        ):  # paho's MalformedPacket is one of the first
            return MQTTErrorCode.MQTT_ERR_PROTOCOL


def _bounds(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at *at* begins and ends; None where it is not all there."""
    length, shift = 0, 0
    start = at + 1
    for byte in data[start : start + 4]:
        start += 1
        length |= (byte & 127) << shift
        if byte < 128:
            stop = start + length
            return (start, stop) if stop <= len(data) else None
        shift += 7
    return None


def _is_endless(data: bytes | bytearray, at: int) -> bool:
    """A remaining length of more than four bytes (MQTT 2.2.3) never ends."""
    length = data[at + 1 : at + 5]
    return len(length) == 4 and all(byte > 127 for byte in length)


def _first_is_whole(data: bytearray) -> bool:
    return _bounds(data, 0) is not None or _is_endless(data, 0)


def _publish(data: bytes, command: int, start: int, stop: int, *, five: bool) -> PublishFrame | None:
    """The PUBLISH between *start* and *stop*; None where its parts do not fit in."""
    at = start + 2
    topic_end = at + int.from_bytes(data[start:at], "big")
    topic = data[at:topic_end]
    at = topic_end
    qos, mid = (command >> 1) & 3, 0
    if qos:
        mid = int.from_bytes(data[at : at + 2], "big")
        at += 2
    if five:
        properties = _bounds_of_properties(data, at, stop)
        if properties is None:
            return None
        at = properties
    if at > stop:
        return None
    return PublishFrame(topic, data[at:stop], qos, mid, bool(command & _DUP), bool(command & 1))


def _bounds_of_properties(data: bytes, at: int, stop: int) -> int | None:
    """Where the payload begins behind the properties of MQTT 5, none of which we asked for."""
    if at < stop and data[at] == 0:
        return at + 1
    bounds = _bounds(data, at - 1)
    return None if bounds is None else bounds[1]
