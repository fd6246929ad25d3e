"""What exercises need of the running service; the runtime hands it over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from alerts.book import AlertBook
from campus.campus import Campus
from service.broker.brokers import Brokers
from store.journal.journal import Journal


class Subscriptions(Protocol):
    """What the service listens to."""

    def topics(self, broker: str = "") -> Sequence[str]:
        """The topic filters at the broker of that name."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class DrillPorts:
    """*campus* is the register's, without drill devices; *scenarios* a school's own, where it has any.

    *send* is called when there are new messages to people, *show* when pages show something that has changed.
    """

    book: AlertBook
    brokers: Brokers
    campus: Callable[[], Campus]
    database: sa.Engine
    journal: Journal
    subscriptions: Subscriptions
    scenarios: Path | None
    send: Callable[[], None]
    show: Callable[[], None]
    now_ms: Callable[[], int]
