"""The collaborators of the API, handed over by the service."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from alerts.book import AlertBook
from api.accounts import Accounts
from api.live import LiveFeed
from api.ports import DrillDesk, Health, QuarantineDesk, RegisterDesk
from campus.campus import Campus
from campus.text import Translate
from store.timeseries.board import Board
from store.timeseries.contract import TimeSeriesStore


@dataclasses.dataclass(frozen=True, slots=True)
class Services:
    """*campus* is asked at each request, so that a reload shows at once."""

    campus: Callable[[], Campus]
    store: TimeSeriesStore
    board: Board
    book: AlertBook
    database: sa.Engine
    accounts: Accounts
    feed: LiveFeed
    quarantine: QuarantineDesk
    register: RegisterDesk
    drills: DrillDesk
    #: in the words of a language; never waits
    health: Callable[[Translate], Health]
    metrics: CollectorRegistry
    now_ms: Callable[[], int]
    version: str
    demo: bool = False
