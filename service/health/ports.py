"""What the looks and the metrics ask of rooms they do not know; the runtime hands over what fulfils these."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from alerts.book import AlertBook
from alerts.outbox import Outbox
from campus.campus import Campus
from campus.problem import Problem
from campus.worker import Worker
from ingest.device_clocks import DeviceClocks
from ingest.pipeline import Pipeline
from rules.engine.engine import Fault
from service.broker.brokers import Brokers
from service.recovery.event import EventLog
from service.trouble import Look
from store.journal.consumer import StoreConsumer
from store.journal.journal import Journal
from store.poison.record import Poison


class JudgedJournal(Protocol):
    """The rules on the journal."""

    @property
    def seq(self) -> int:
        """The newest batch that is judged."""
        ...

    def faults(self) -> Sequence[Fault]:
        """Rules that failed and began anew."""
        ...


class WatchedRegister(Protocol):
    """The register of the moment, and what keeps the newest files from being it."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Mistakes in the campus folder."""
        ...

    @property
    def restart_needed(self) -> tuple[str, ...]:
        """Changed settings that only a start applies."""
        ...

    def campus(self) -> Campus:
        """The campus of the moment."""
        ...


class RequestedReplays(Protocol):
    """Held messages that the command line asked to have replayed."""

    def replay_wanted(self) -> int:
        """Replays them; how many."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Watched:
    """The parts of a service that are looked at; all of them answer any thread without waiting for another part.

    *trials*, *healing*, *clock* and *selftest* are looks that live with their parts; *workers* are all of the service's.
    """

    book: AlertBook
    brokers: Brokers
    device_clocks: DeviceClocks
    events: EventLog
    journal: Journal
    outbox: Outbox
    pipeline: Pipeline
    poison: Poison
    quarantine: RequestedReplays
    register: WatchedRegister
    rules: JudgedJournal
    storing: StoreConsumer
    trials: Look
    healing: Look
    clock: Look
    selftest: Look
    data: Path
    live_pages: Callable[[], int]
    workers: Callable[[], Iterable[Worker]]
    now_ms: Callable[[], int]
