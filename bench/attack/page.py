"""Attacks on the page, most of them without signing in."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode

from bench.attack.service import Service

_FORM = {"content-type": "application/x-www-form-urlencoded"}
_BODY_MB = 200
_HALF_SENT, _HALF_SENT_S = 1_500, 12.0
_NAMES, _NAME_BYTES = 400, 15_000
_WRONG_AT_ONCE, _WRONG_ROUNDS = 60, 3
_STREAMS, _STREAMS_S = 300, 5.0


def body(service: Service) -> str:
    """A body of 200 MB to a route that reads JSON, and to the sign-in."""
    return _words(_large_body(service, "/api/replay"), _large_body(service, "/sign-in"))


def half_sent(service: Service) -> str:
    """1,500 requests of which the end never comes."""
    sockets = []
    for _ in range(_HALF_SENT):
        with contextlib.suppress(OSError):
            one = socket.create_connection(("127.0.0.1", service.port), timeout=5)
            one.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ")
            sockets.append(one)
    time.sleep(_HALF_SENT_S)
    for one in sockets:
        one.close()
    return f"{len(sockets)} opened"


def names(service: Service) -> str:
    """400 sign-ins with a name of 15 KB each."""
    return _words(*(_sign_in(service, f"{number:06}" + "n" * _NAME_BYTES) for number in range(_NAMES)))


def passwords(service: Service) -> str:
    """Three times 60 wrong passwords at once."""
    answers: list[str] = []
    for _ in range(_WRONG_ROUNDS):
        _at_once(_WRONG_AT_ONCE, lambda: answers.append(_sign_in(service, "admin")))
    return _words(*answers)


def streams(service: Service) -> str:
    """300 event streams of one account."""
    cookie = _cookie(service)
    opened: list[http.client.HTTPConnection] = []
    answers = []
    for _ in range(_STREAMS):
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
        opened.append(connection)
        try:
            connection.request("GET", "/api/live", headers={"cookie": cookie})
            answers.append(str(connection.getresponse().status))
        except OSError as error:
            answers.append(type(error).__name__)
    time.sleep(_STREAMS_S)
    for connection in opened:
        connection.close()
    return _words(*answers)


def _large_body(service: Service, path: str) -> str:
    size = _BODY_MB * 1024 * 1024
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as one:
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{service.port}\r\norigin: http://127.0.0.1:{service.port}\r\n"
        one.sendall(f"{head}content-type: application/json\r\ncontent-length: {size}\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            for _ in range(_BODY_MB):
                one.sendall(b"x" * 1024 * 1024)
        with contextlib.suppress(OSError):
            return one.recv(64).split(b" ")[1].decode()
    return "closed"


def _sign_in(service: Service, name: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        form = urlencode({"name": name, "password": "wrong-password"})
        connection.request("POST", "/sign-in", form, _FORM | {"origin": f"http://127.0.0.1:{service.port}"})
        return str(connection.getresponse().status)
    except OSError as error:
        return type(error).__name__
    finally:
        connection.close()


def _cookie(service: Service) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    form = urlencode({"token": service.token})
    connection.request("POST", "/sign-in/link", form, _FORM | {"origin": f"http://127.0.0.1:{service.port}"})
    return (connection.getresponse().getheader("set-cookie") or "").partition(";")[0]


def _at_once(count: int, call: Callable[[], object]) -> None:
    threads = [threading.Thread(target=call) for _ in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def _words(*answers: str) -> str:
    return ", ".join(f"{count} × {answer}" for answer, count in Counter(answers).most_common())
