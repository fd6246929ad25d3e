"""What stands before the journal: brokers, pipeline, the quarantine's desk, and the replay of adopted devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from campus import selftest
from campus.campus import Campus
from ingest.births_file import BirthsFile
from ingest.message import Message
from ingest.message_reader import MessageReader
from ingest.mqtt.burst import Burst
from ingest.pipeline import Pipeline
from service.broker.accounts import DeviceAccounts
from service.broker.brokers import Brokers
from service.desks.quarantine_desk import QuarantineDesk
from service.poison.poison_guard import PoisonGuard
from service.runtime.adoption import Adoption
from store.journal.journal import Journal


class Receiving:
    """*campus* is that of the moment with drill devices, *registered* the one without, which accounts follow."""

    def __init__(
        self,
        journal: Journal,
        data: Path,
        campus: Callable[[], Campus],
        registered: Callable[[], Campus],
        *,
        guard: PoisonGuard,
        trace: selftest.Trace,
        now_ms: Callable[[], int],
    ) -> None:
        self._now_ms = now_ms
        self.trace = trace
        self.reader = MessageReader(campus, BirthsFile(data / "births.msgpack"))
        self.pipeline = Pipeline(journal, self.reader, now_ms=now_ms, guard=guard.messages, trace=trace)
        self.quarantine = QuarantineDesk(journal, self.pipeline, guard)
        self.adoption = Adoption(journal, self.pipeline)
        self.brokers = Brokers(
            registered().site,
            data,
            self.reader.topics,
            self.pipeline.put,
            now_ms=now_ms,
            devices=DeviceAccounts(data, registered),
        )

    def follow(self, campus: Campus) -> None:
        """Listens to other topics where site.yaml names others, and takes up devices that were unregistered."""
        self.brokers.resubscribe()
        self.adoption.follow(campus)

    def send_selftest(self, payloads: Sequence[bytes], patient: bool) -> bool:
        """Over our own broker where there is one, else as if it had been received from another's."""
        published = self.brokers.publish_to_ourselves(selftest.TOPIC, payloads)
        if published or (published is False and patient) or self.pipeline.is_full:
            return bool(published)
        now_ms = self._now_ms()
        self.pipeline.put(Burst([Message(selftest.TOPIC, payload, now_ms) for payload in payloads]))
        return True
