"""The outermost layer of the application: refuses what is too long or too much, answers when all else has failed, and
puts the security headers on every answer, that one too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

#: requests worked on at once: more of them only take the interpreter from each other, and from what answers strangers
MOST_REQUESTS = 24
#: others wait for so long: an alert makes every open page ask for its parts in the same moment
PATIENCE_S = 5.0
#: a year of history asked for by every parameter takes 300 bytes
MOST_PATH_BYTES = 2048
MOST_QUERY_BYTES = 8192
MOST_HEADER_BYTES = 16 * 1024
_TRY_AGAIN_S = 2
#: answered whatever else is under way, so that whoever watches can tell a busy service from a dead one
_ALWAYS = "/health/live"


class Limits:
    """Pure ASGI, as it must see requests that are never read."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        headers: Mapping[str, str],
        most_requests: int = MOST_REQUESTS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._app = app
        self._headers = headers
        self._patience_s = patience_s
        self._free = asyncio.Semaphore(most_requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = self._Sending(send, self._headers, scope["path"])
        refusal = _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, sending)
        elif scope["path"] == _ALWAYS:
            await self._answer(scope, receive, sending)
        else:
            await self._in_turn(scope, receive, sending)

    async def _in_turn(self, scope: Scope, receive: Receive, sending: _Sending) -> None:
        turn = _Turn(self._free, receive)
        try:
            async with asyncio.timeout(self._patience_s):
                await turn.take()
        except TimeoutError:
            text = f"too many requests at once; try again in {_TRY_AGAIN_S} s"
            refusal = JSONResponse({"error": text}, 503, headers={"retry-after": str(_TRY_AGAIN_S)})
            await refusal(scope, receive, sending)
            return
        try:
            await self._answer(scope, turn.receive, sending)
        finally:
            turn.give_back()

    async def _answer(self, scope: Scope, receive: Receive, sending: _Sending) -> None:
        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - whatever it was, its client gets an answer
            await run_in_threadpool(_log_failure, scope, error)  # a traceback takes its time
            if not sending.started:
                failure = JSONResponse({"error": "internal error; the service's log says more"}, 500)
                await failure(scope, receive, sending)

    class _Sending:
        """Sends with the headers of every answer."""

        def __init__(self, send: Send, headers: Mapping[str, str], path: str) -> None:
            self.started = False
            self._send = send
            self._headers = headers
            self._static = path.startswith("/static/")

        async def __call__(self, message: Message) -> None:
            if message["type"] == "http.response.start":
                self.started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                # What stands on a page or in an answer is of this moment and for whoever asked.
                headers.setdefault("Cache-Control", "no-cache" if self._static else "no-store")
            await self._send(message)


class _Turn:
    """A request's place among those worked on. What waits for its client, be it a body that drips or a feed that stays open,
    has none meanwhile and keeps nobody else out.
    """

    def __init__(self, free: asyncio.Semaphore, receive: Receive) -> None:
        self._free = free
        self._receive = receive
        self._held = False

    async def take(self) -> None:
        await self._free.acquire()
        self._held = True

    def give_back(self) -> None:
        if self._held:
            self._held = False
            self._free.release()

    async def receive(self) -> Message:
        self.give_back()
        message = await self._receive()
        if message["type"] == "http.request":
            await self.take()
        return message


def _log_failure(scope: Scope, error: Exception) -> None:
    log.error("request.failed", method=scope["method"], path=scope["path"], exc_info=error)


def _refusal(scope: Scope) -> JSONResponse | None:
    """The answer to a request whose head is too long; None where it is not."""
    head_bytes = sum(len(name) + len(value) for name, value in scope["headers"])
    for what, length, most, status in (
        ("path", len(scope.get("raw_path") or scope["path"].encode()), MOST_PATH_BYTES, 414),
        ("query", len(scope["query_string"]), MOST_QUERY_BYTES, 414),
        ("header", head_bytes, MOST_HEADER_BYTES, 431),
    ):
        if length > most:
            text = f"the {what} is {length} bytes long; expected at most {most}"
            return JSONResponse({"error": text}, status_code=status)
    return None
