"""The outermost layer of the application: refuses what is too long or too much, answers when all else has failed, and
puts the security headers on every answer, that one too.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

#: requests worked on at once; forty have a thread, the others wait for one
MOST_REQUESTS = 64
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
        self, app: ASGIApp, *, headers: Mapping[str, str], most_requests: int = MOST_REQUESTS
    ) -> None:
        self._app = app
        self._headers = headers
        self._most_requests = most_requests
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = self._Sending(send, self._headers, scope["path"])
        refusal = _refusal(scope)
        if refusal is None and self._under_way >= self._most_requests and scope["path"] != _ALWAYS:
            refusal = JSONResponse(
                {"error": f"too many requests at once; try again in {_TRY_AGAIN_S} s"},
                status_code=503,
                headers={"retry-after": str(_TRY_AGAIN_S)},
            )
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        await self._answer(scope, receive, sending)

    async def _answer(self, scope: Scope, receive: Receive, sending: _Sending) -> None:
        self._under_way += 1
        try:
            await self._app(scope, self._patient(receive), sending)
        except Exception:
            log.exception("request.failed", method=scope["method"], path=scope["path"])
            if not sending.started:
                failure = JSONResponse({"error": "internal error; the service's log says more"}, 500)
                await failure(scope, receive, sending)
        finally:
            self._under_way -= 1

    def _patient(self, receive: Receive) -> Receive:
        """What waits for its client, be it a body that drips or a feed that stays open, keeps nobody else out."""

        async def waiting() -> Message:
            self._under_way -= 1
            try:
                return await receive()
            finally:
                self._under_way += 1

        return waiting

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
