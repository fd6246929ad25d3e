"""Whether a broker answers: a connection that is accepted proves little, as the kernel accepts for a frozen process."""

from __future__ import annotations

import contextlib
import socket
import struct

_CONNECT, _CONNACK, _DISCONNECT = 0x10, 0x20, b"\xe0\x00"
_LONGEST_ACCOUNT_BYTES = 100


def answers(host: str, port: int, *, user: str = "", password: str = "", timeout_s: float = 5.0) -> bool:
    """Whether the broker there answers a CONNECT of MQTT 3.1.1, be it with a refusal."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(_connect(user, password))
            answer = connection.recv(4)
            with contextlib.suppress(OSError):
                connection.sendall(_DISCONNECT)
    except OSError:
        return False
    return answer[:1] == bytes((_CONNACK,))


def _connect(user: str, password: str) -> bytes:
    """A CONNECT packet with a clean session and no client id, so that nobody's session is touched."""
    named = bool(user) and len(user.encode()) + len(password.encode()) <= _LONGEST_ACCOUNT_BYTES
    flags = 0x02 | (0xC0 if named else 0)
    body = _text("MQTT") + bytes((4, flags)) + struct.pack(">H", 10) + _text("")
    if named:
        body += _text(user) + _text(password)
    # short enough for one byte of length (MQTT 3.1.1, 2.2.3)
    return bytes((_CONNECT, len(body))) + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded
