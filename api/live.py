"""The live feed: from the service's threads to every open page."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable

import msgspec

from campus.reading import Reading

#: events a slow page may be behind before it is told to load anew
_BACKLOG = 256


class Event(msgspec.Struct, frozen=True):
    """*kind* is ``readings`` (ids of devices with news), ``alert`` (an alert's id), ``resync``, or ``quiet``: nothing yet."""

    kind: str
    ids: tuple[str, ...] = ()


class LiveFeed:
    """Thread-safe publishing; every subscriber has its own bounded queue, so a slow page holds up nobody.

    Devices with news are collected and told at most every *pace_s*; alerts are told at once.
    """

    def __init__(self, *, pace_s: float = 0.25) -> None:
        self._pace_s = pace_s
        self._lock = threading.Lock()
        self._subscribers: dict[asyncio.Queue[Event], asyncio.AbstractEventLoop] = {}
        self._changed: dict[str, None] = {}
        self._timer: threading.Timer | None = None
        self._closed = False

    def publish_readings(self, readings: Iterable[Reading]) -> None:
        """Notes the devices that have news; pages hear of them within *pace_s*."""
        with self._lock:
            self._changed.update(dict.fromkeys(reading.series.device for reading in readings))
            if self._changed and self._timer is None and not self._closed:
                self._timer = threading.Timer(self._pace_s, self._flush)
                self._timer.daemon = True
                self._timer.start()

    def publish_alert(self, alert_id: str) -> None:
        """Tells every page of an alert that changed."""
        self._publish(Event("alert", (alert_id,)))

    async def subscribe(self, *, quiet_s: float | None = None) -> AsyncIterator[Event]:
        """Events from now on, with *quiet_s* also one whenever nothing has happened for so long; ends when the feed is closed."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_BACKLOG)
        with self._lock:
            if self._closed:
                return
            self._subscribers[queue] = asyncio.get_running_loop()
        try:
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), quiet_s)
                except TimeoutError:
                    event = Event("quiet")
                if event.kind == "closed":
                    return
                yield event
        finally:
            with self._lock:
                self._subscribers.pop(queue, None)

    @property
    def subscribers(self) -> int:
        """How many pages are listening."""
        with self._lock:
            return len(self._subscribers)

    def close(self) -> None:
        """Ends every subscription."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
        self._publish(Event("closed"))

    def _flush(self) -> None:
        with self._lock:
            ids, self._changed, self._timer = tuple(self._changed), {}, None
        self._publish(Event("readings", ids))

    def _publish(self, event: Event) -> None:
        with self._lock:
            targets = list(self._subscribers.items())
        for queue, loop in targets:
            try:
                loop.call_soon_threadsafe(_offer, queue, event)
            except RuntimeError:  # the page's event loop has ended; its subscription goes with it
                continue


def _offer(queue: asyncio.Queue[Event], event: Event) -> None:
    """Puts *event*; a full queue is emptied and replaced by the word that everything must be loaded anew."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        event = event if event.kind == "closed" else Event("resync")
    queue.put_nowait(event)
