"""Just enough MQTT 3.1.1 to publish at QoS 1 as fast as a broker takes it: frames in big writes, acknowledgements in bulk.

paho makes objects and takes locks for every message, which is right for a service and too slow for a load generator.
The frames are those of the OASIS standard MQTT 3.1.1, sections 3.1 to 3.4.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
from types import TracebackType
from typing import Self

from simulators.errors import BrokerLost
from simulators.output.broker_url import BrokerUrl

_CONNACK, _PUBACK = b"\x20\x02", 0x40
_PUBLISH_QOS1, _DISCONNECT = 0x32, b"\xe0\x00"
_ACK_BYTES = 4
_CONNECT_S = 5.0
_REASONS = {
    1: "protocol refused",
    2: "client id refused",
    3: "unavailable",
    4: "bad account",
    5: "not authorised",
}


def publish_frame(topic: str, payload: bytes) -> bytes:
    """A PUBLISH at QoS 1 with packet identifier 1; :func:`identifier_at` says where to put another."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + b"\x00\x01" + payload
    return bytes([_PUBLISH_QOS1]) + _length(len(body)) + body


def identifier_at(frame: bytes) -> int:
    """Where a PUBLISH frame keeps its packet identifier."""
    start = 1
    while frame[start] & 0x80:
        start += 1
    start += 1
    return start + 2 + int.from_bytes(frame[start : start + 2], "big")


def connect_frame(client_id: str, username: str, password: str) -> bytes:
    """A CONNECT with a clean session and no keep-alive."""
    flags = 0x02 | (0x80 if username else 0) | (0x40 if username else 0)
    body = _text("MQTT") + bytes([4, flags]) + b"\x00\x00" + _text(client_id)
    if username:
        body += _text(username) + _text(password)
    return b"\x10" + _length(len(body)) + body


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _length(number: int) -> bytes:
    """The remaining length in seven-bit groups (2.2.3)."""
    raw = bytearray()
    while True:
        number, group = divmod(number, 128)
        raw.append(group | (0x80 if number else 0))
        if not number:
            return bytes(raw)


class Wire:
    """A connection that only publishes. Use it in a ``with`` block."""

    def __init__(self, url: BrokerUrl, client_id: str) -> None:
        self._url = url
        self._client_id = client_id
        self._socket = self._connect()
        self._unsent = memoryview(b"")
        self._rest = b""
        #: PUBACKs that came
        self.acknowledged = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.setblocking(True)  # noqa: FBT003 - the socket's own word
            self._socket.settimeout(1.0)
            self._socket.sendall(_DISCONNECT)
        self._socket.close()

    @property
    def idle(self) -> bool:
        """Whether everything given has been written."""
        return not self._unsent

    def send(self, frames: bytes | bytearray) -> None:
        """Takes frames to be written by :meth:`turn`; only while :attr:`idle`."""
        self._unsent = memoryview(frames)

    def turn(self, wait_s: float) -> None:
        """Writes what the socket takes and counts what came back; waits at most *wait_s* for either."""
        readable, writable, _ = select.select(
            [self._socket], [self._socket] if self._unsent else [], [], wait_s
        )
        try:
            if writable:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
            if readable:
                self._count(self._socket.recv(262_144))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise BrokerLost(str(self._url), str(error)) from error

    def _count(self, arrived: bytes) -> None:
        """Each PUBACK has four bytes; anything else is not for a client that only publishes."""
        if not arrived:
            raise BrokerLost(str(self._url), f"closed the connection after {self.acknowledged:,} messages")
        raw = self._rest + arrived
        count = len(raw) // _ACK_BYTES
        if raw[: count * _ACK_BYTES : _ACK_BYTES].count(_PUBACK) != count:
            raise BrokerLost(str(self._url), "sent something other than PUBACK")
        self._rest = raw[count * _ACK_BYTES :]
        self.acknowledged += count

    def _connect(self) -> socket.socket:
        url = self._url
        try:
            raw = socket.create_connection((url.host, url.port), timeout=_CONNECT_S)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_048_576)
            link = ssl.create_default_context().wrap_socket(raw, server_hostname=url.host) if url.tls else raw
            link.sendall(connect_frame(self._client_id, url.username, url.password))
            answer = link.recv(4)
        except OSError as error:
            raise BrokerLost(str(url), str(error)) from error
        if answer[:2] != _CONNACK or len(answer) < _ACK_BYTES or answer[3]:
            link.close()
            why = _REASONS.get(answer[3], f"code {answer[3]}") if len(answer) == _ACK_BYTES else "no CONNACK"
            raise BrokerLost(str(url), f"refused the connection: {why}")
        link.setblocking(False)  # noqa: FBT003 - the socket's own word
        return link
