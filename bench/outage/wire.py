"""As much MQTT 3.1.1 as a publisher at QoS 1 needs, on a plain socket, so that each PUBLISH that leaves is counted."""

from __future__ import annotations

import select
import socket
import struct

_CONNACK = b"\x20\x02\x00\x00"
_MOST_IDENTIFIERS = 65_535


class Wire:
    """A connection whose messages are known by a number of ours until the broker has acknowledged them."""

    def __init__(self, port: int, client_id: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        name = client_id.encode()
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack("!H", len(name)) + name
        self._socket.sendall(b"\x10" + _length(len(body)) + body)
        answer = self._socket.recv(4)
        if answer != _CONNACK:
            raise ConnectionError(f"the broker answered CONNECT with {answer!r}; expected {_CONNACK!r}")
        self._rest = b""
        self._identifier = 0
        self.under_way: dict[int, tuple[str, bytes]] = {}
        self.sent = 0
        self.acknowledged = 0

    def publish(self, topic: str, payload: bytes) -> None:
        """Sends one message; the caller keeps :attr:`under_way` below the identifiers there are."""
        self._identifier = self._identifier % _MOST_IDENTIFIERS + 1
        assert self._identifier not in self.under_way
        name = topic.encode()
        body = struct.pack("!H", len(name)) + name + struct.pack("!H", self._identifier) + payload
        self._socket.sendall(b"\x32" + _length(len(body)) + body)
        self.under_way[self._identifier] = (topic, payload)
        self.sent += 1

    def take_acknowledgements(self, timeout_s: float) -> None:
        """Reads what the broker has acknowledged, waiting so long for the first."""
        while select.select([self._socket], [], [], timeout_s)[0]:
            data = self._socket.recv(65_536)
            if not data:
                raise ConnectionError("the broker closed the publisher's connection")
            self._rest += data
            whole = len(self._rest) // 4 * 4
            for at in range(0, whole, 4):
                packet = self._rest[at : at + 4]
                assert packet[:2] == b"\x40\x02", packet
                del self.under_way[int.from_bytes(packet[2:], "big")]
                self.acknowledged += 1
            self._rest = self._rest[whole:]
            timeout_s = 0.0

    def close(self) -> None:
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()


def _length(count: int) -> bytes:
    """MQTT's remaining length: seven bits a byte."""
    coded = b""
    while True:
        count, low = divmod(count, 128)
        coded += bytes([low | 128 if count else low])
        if not count:
            return coded
