"""A connection of the page's server that may neither wait for ever nor push others out.

Uvicorn waits without limit for a request that is sent in part, and takes any number of connections. Here each has a
time to say its request in; where there are as many as there may be, the one longest at saying it makes room, so that
whoever sends a whole request is answered, however many do not.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_TOO_MANY = b"too many connections; try again in 2 s"
_NOT_THE_PROXY = b"this page is reached through its proxy, with https"
_TOO_SLOW = b"the request was not sent in time"


class BoundedConnection(H11Protocol):
    """One connection; the limits are for all of a server."""

    #: who may connect besides this machine; anybody, where nobody is named
    peers: ClassVar[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]] = ()
    most_connections = 256
    #: time for a request's head, for all of its body, and for a client to take what it was sent
    head_s = 10.0
    body_s = 30.0
    write_s = 30.0
    #: what is still sent after its answer is read and thrown away for so long
    drain_s = 5.0

    _waits_for = ""
    _since_s = 0.0
    _deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Takes the connection, where there is or can be made room."""
        if not self._may_connect(transport):
            self.transport = transport
            _say(transport, 403, "Forbidden", _NOT_THE_PROXY)
            return
        if len(self.connections) >= self.most_connections and not self._make_room():
            self.transport = transport
            _say(transport, 503, "Service Unavailable", _TOO_MANY)
            return
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Part of a request, or several."""
        if self._idle:  # a new request begins, with its whole time before it
            self._waits_for = ""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the deadlines with it."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Goes on to the next request; the rest of a body that nobody wants is not waited for long."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._wait("drain", self.drain_s)
        else:
            self._watch()

    def pause_writing(self) -> None:
        """The client does not take what it is sent."""
        super().pause_writing()
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(self.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None
        if self.flow is not None:
            super().resume_writing()

    def _may_connect(self, transport: asyncio.Transport) -> bool:
        if not self.peers:
            return True
        host, *_ = transport.get_extra_info("peername")
        peer = ipaddress.ip_address(host.partition("%")[0])
        return peer.is_loopback or any(peer in one for one in self.peers)

    @property
    def _idle(self) -> bool:
        return self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]

    def _watch(self) -> None:
        """Starts the time of what is waited for now."""
        state = self.conn.their_state
        if state is h11.IDLE:
            self._wait("head", self.head_s)
        elif state is h11.SEND_BODY:
            if self._waits_for != "drain":
                self._wait("body", self.body_s)
        else:
            self._stop_waiting()

    def _wait(self, what: str, limit_s: float) -> None:
        if self._waits_for == what:
            return
        self._stop_waiting()
        self._waits_for, self._since_s = what, self.loop.time()
        self._deadline = self.loop.call_later(limit_s, self._too_slow)

    def _stop_waiting(self) -> None:
        self._waits_for = ""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        answered = cycle is not None and cycle.response_started
        if self._waits_for == "drain" or self._idle or (self._waits_for == "body" and answered):
            self.transport.abort()
        else:
            _say(self.transport, 408, "Request Timeout", _TOO_SLOW)

    def _make_room(self) -> bool:
        """Ends the connection that has been longest at saying its request; False where all are being answered."""
        others = cast("set[BoundedConnection]", self.connections)
        waiting = [one for one in others if one._waits_for]  # noqa: SLF001 - of the same class
        if not waiting:
            return False
        # One that has said part of a request goes before one that was just accepted and not yet heard.
        longest = min(waiting, key=lambda one: (one._idle, one._since_s))  # noqa: SLF001 - of the same class
        self.connections.discard(longest)
        longest.transport.abort()
        return True


def _say(transport: asyncio.Transport, status: int, phrase: str, text: bytes) -> None:
    """A last answer, before the connection is closed."""
    head = (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\n"
        "cache-control: no-store\r\nretry-after: 2\r\nconnection: close\r\n\r\n"
    )
    transport.write(head.encode() + text)
    transport.close()
