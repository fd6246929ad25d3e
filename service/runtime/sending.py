"""The outbox and who empties it, over the channels that site.yaml names at the moment."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from alerts.book import AlertBook
from alerts.channels.contract import Channel
from alerts.channels.opening import open_channels
from alerts.dispatcher import Dispatcher
from alerts.outbox import Outbox
from alerts.send_guard import SendGuard
from campus.campus import Campus


class Sending:
    """*write* prints what goes to the console channel, *on_page* hears of what goes to the page of the duty phone."""

    def __init__(
        self,
        database: sa.Engine,
        book: AlertBook,
        campus: Campus,
        *,
        guard: SendGuard,
        write: Callable[[str], None],
        on_page: Callable[[], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._write = write
        self._on_page = on_page
        self._now_ms = now_ms
        self._applied = campus.site.channels
        self.outbox = Outbox(database)
        self.dispatcher = Dispatcher(self.outbox, self._channels(campus), book, now_ms=now_ms, guard=guard)

    def follow(self, campus: Campus) -> None:
        """Opens other channels where site.yaml names others."""
        if campus.site.channels != self._applied:
            self._applied = campus.site.channels
            self.dispatcher.replace(self._channels(campus))

    def _channels(self, campus: Campus) -> dict[str, Channel]:
        return open_channels(
            campus.site, database=self._database, now_ms=self._now_ms, write=self._write, told=self._on_page
        )
