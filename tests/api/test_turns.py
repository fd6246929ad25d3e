"""Requests worked on at once: bounded, in turn, and what waits for its client is not among them."""

from __future__ import annotations

import asyncio

from api.transport.limits import Limits


class Client:
    """Calls the application as a server would, and remembers the answer."""

    def __init__(self, limits, path="/", messages=()):
        self.status, self.body, self._limits, self._path = 0, b"", limits, path
        self.messages = asyncio.Queue()
        for one in messages:
            self.messages.put_nowait(one)

    async def ask(self):
        scope = {"type": "http", "method": "GET", "path": self._path, "query_string": b"", "headers": []}
        await self._limits(scope, self.messages.get, self._send)
        return self.status

    async def _send(self, message):
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


def limited(application, **options):
    return Limits(application, headers={}, **options)


async def answer(send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_more_than_there_may_be_wait_their_turn():
    """As many as may are under way; the others are answered after them, none is refused."""
    most = now = 0

    async def application(scope, receive, send):
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        await answer(send)

    async def main():
        limits = limited(application, most_requests=3)
        return await asyncio.gather(*(Client(limits).ask() for _ in range(20)))

    assert asyncio.run(main()) == [200] * 20
    assert most == 3


def test_whoever_would_wait_too_long_is_told_so():
    """Where none gets done, the next is refused in words; whoever asks whether we live is not."""

    async def application(scope, receive, send):
        if scope["path"] == "/slow":
            await asyncio.Event().wait()
        await answer(send)

    async def main():
        limits = limited(application, most_requests=1, patience_s=0.01)
        slow = asyncio.ensure_future(Client(limits, "/slow").ask())
        await asyncio.sleep(0)
        late = Client(limits)
        assert await late.ask() == 503
        assert b"try again in" in late.body
        assert await Client(limits, "/health/live").ask() == 200
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        assert await Client(limits).ask() == 200

    asyncio.run(main())


def test_what_waits_for_its_client_keeps_nobody_out():
    """Bodies that do not come, and feeds that stay open, have no turn; ended in any way they give none back twice."""

    async def application(scope, receive, send):
        while (await receive())["type"] == "http.request":
            pass
        await answer(send)

    async def main():
        limits = limited(application, most_requests=1, patience_s=0.01)
        part = {"type": "http.request", "body": b"x", "more_body": True}
        held = [asyncio.ensure_future(Client(limits, messages=[part]).ask()) for _ in range(5)]
        for _ in range(50):
            await asyncio.sleep(0)
        assert await Client(limits, messages=[{"type": "http.disconnect"}]).ask() == 200
        for one in held:
            one.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        assert limits._free._value == 1

    asyncio.run(main())
