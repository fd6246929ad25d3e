"""What a client may do with a connection before others are served in its place."""

from __future__ import annotations

import contextlib
import socket
import threading

import httpx2
import pytest
import uvicorn
from tests_support import wait_until

from api.transport.connection import BoundedConnection
from api.transport.server import server_config

HALF = b"GET / HTTP/1.1\r\nhost: x\r\nx-more: "
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n"


class Few(BoundedConnection):
    """As in service, with little patience."""

    most_connections = 8
    head_s = body_s = write_s = drain_s = 0.2


class Patient(BoundedConnection):
    """As in service, with room for few."""

    most_connections = 8


async def application(scope, receive, send):
    """Says OK to a GET, waits for the whole body of a POST, ends never at /never, and sends what nobody can hold at /much."""
    if scope["path"] == "/never":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
    much = scope["path"] == "/much"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(200 if much else 0):
        await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})
    await send({"type": "http.response.body", "body": b"OK"})


@pytest.fixture
def serve():
    """Serves the application with a kind of connection; gives host and port."""
    servers = []

    def start(kind):
        server = uvicorn.Server(server_config(application, http=kind, port=0, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append((server, thread))
        wait_until(lambda: server.started, 30)
        return server.servers[0].sockets[0].getsockname()[:2], server

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)


def opened(stack, address, sent=b""):
    """A connection that has sent that much."""
    client = stack.enter_context(socket.create_connection(address, timeout=30))
    client.sendall(sent)
    return client


def all_of(client):
    """What comes until the other side closes."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65536):
            said += part
    return said


@pytest.mark.parametrize(("sent", "said"), [(HALF, b"408"), (POST, b"408"), (b"", b"")])
def test_a_request_in_part_is_not_waited_for(serve, sent, said):
    """A head or a body that does not come is answered and its connection closed; one that says nothing is only closed."""
    address, _server = serve(Few)
    with contextlib.ExitStack() as stack:
        answer = all_of(opened(stack, address, sent))
    assert said in answer.partition(b"\r\n")[0]
    assert not answer or b"not sent in time" in answer


def test_dripping_buys_no_time(serve):
    """A byte now and then does not begin the time anew."""
    address, _server = serve(Few)
    with contextlib.ExitStack() as stack:
        client = opened(stack, address, HALF)
        client.settimeout(0.02)
        answer = b""

        def closed():
            nonlocal answer
            with contextlib.suppress(TimeoutError):
                client.send(b"x")
                answer += client.recv(4096)
            return b"408" in answer

        with contextlib.suppress(ConnectionError):  # closed between a look and the next byte
            wait_until(closed, 30)


def test_half_sent_requests_keep_nobody_out(serve):
    """With many times as many as there may be, a whole request is answered at once."""
    address, server = serve(Patient)
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            opened(stack, address, HALF)
        for _ in range(3):
            assert httpx2.get("http://{}:{}/".format(*address), timeout=30).text == "OK"
        assert len(server.server_state.connections) <= Patient.most_connections


def test_connections_that_are_all_answered_leave_no_room(serve):
    """Where none can make room, one more is told so in words; there is room again when one ends."""
    address, server = serve(Patient)
    with contextlib.ExitStack() as stack:
        held = [
            opened(stack, address, b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n")
            for _ in range(Patient.most_connections)
        ]
        for one in held:
            assert b"200" in one.recv(100)
        answer = all_of(opened(stack, address))
        assert b"503" in answer
        assert b"try again" in answer
        held[0].close()
        wait_until(lambda: len(server.server_state.connections) < Patient.most_connections, 30)
        assert httpx2.get("http://{}:{}/".format(*address), timeout=30).text == "OK"


def test_an_answer_that_is_not_taken_is_given_up(serve):
    """A client that reads nothing of a long answer does not hold it for ever."""
    address, server = serve(Few)
    with contextlib.ExitStack() as stack:
        client = opened(stack, address, b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"200" in client.recv(100)
        wait_until(lambda: not server.server_state.connections, 30)
