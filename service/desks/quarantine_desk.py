"""The quarantine as the API sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import structlog

from api.ports import HeldMessage, HeldUsage, SetAsideThing, UnregisteredSource
from campus.reading import Reading
from ingest.message_guard import checksum, item_of
from ingest.pipeline import Pipeline
from service.poison.poison_guard import PoisonGuard
from store.journal.journal import Journal
from store.poison.handling import kept_topic
from store.quarantine import POISON, REFUSED, QuarantineEntry, Selection

log = structlog.get_logger()

#: held messages that are replayed at once, at most, and read at once
_REPLAYED, _REPLAYED_BYTES, _PAGE = 1_000, 16 * 1024 * 1024, 50
#: messages that wait beyond which there is no time for it
_BUSY = 1_000


class QuarantineDesk:
    """Looks into the quarantine and hands messages back to the pipeline."""

    def __init__(self, journal: Journal, pipeline: Pipeline, guard: PoisonGuard) -> None:
        self._journal = journal
        self._quarantine = journal.quarantine
        self._pipeline = pipeline
        self._guard = guard
        #: held messages that have been replayed in this run, so that one that stays is not replayed for ever
        self._replayed: set[int] = set()

    def held(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        code: str = "",
        unread: bool = False,
        shown_bytes: int = 0,
    ) -> Sequence[HeldMessage]:
        chosen = Selection(before_id=before_id, code=code, unread=unread)
        return [
            _held(entry) for entry in self._quarantine.select(chosen, limit=limit, payload_bytes=shown_bytes)
        ]

    def one(self, entry_id: int) -> HeldMessage | None:
        entry = self._journal.quarantine_entry(entry_id)
        return None if entry is None else _held(entry)

    def unregistered_sources(self) -> Sequence[UnregisteredSource]:
        return [
            UnregisteredSource(
                source.address, source.decoder, source.topic, source.count, source.last_ms, source.quantities
            )
            for source in self._quarantine.unregistered()
        ]

    def replay(self, entry_ids: Sequence[int]) -> int:
        """Messages only: a reading the store refused would be refused again, and what was cut cannot be read."""
        entries = [self._journal.quarantine_entry(entry_id) for entry_id in entry_ids]
        return self.replay_entries([entry for entry in entries if entry is not None])

    def replay_entries(self, entries: Sequence[QuarantineEntry]) -> int:
        """As :meth:`replay`, for entries at hand."""
        wanted = [entry for entry in entries if entry.whole and entry.code != REFUSED]
        if any(entry.code != POISON for entry in wanted):  # taken along with others is nobody's decision
            wanted = [entry for entry in wanted if entry.code != POISON]
        for entry in wanted:
            if entry.code == POISON:
                self._replayed.add(entry.id)
                self._guard.release_message(entry.topic, item_of(checksum(entry.topic, entry.payload)))
        return self._pipeline.replay(wanted)

    def replay_wanted(self) -> int:
        """Replays what the command line asked for, while there is nothing else to do: it must not wait for room."""
        if self._pipeline.stalled or self._pipeline.waiting:
            return 0
        wanted = self._quarantine.take_wanted()
        return self.replay_entries(wanted) if wanted else 0

    def purge(
        self, *, ids: Sequence[int] = (), code: str = "", address: str = "", unread: bool = False
    ) -> int:
        chosen = Selection(ids=tuple(ids), code=code, address=address, unread=unread)
        return self._quarantine.purge(chosen)

    def usage(self) -> HeldUsage:
        usage = self._quarantine.usage()
        return HeldUsage(usage.entries, usage.bytes, usage.budget_bytes)

    def set_aside(self) -> Sequence[SetAsideThing]:
        return [
            SetAsideThing(
                aside.id,
                aside.kind.value,
                aside.group,
                aside.item,
                aside.deaths,
                aside.since_ms,
                aside.again_ms,
            )
            for aside in self._guard.poison.all()
        ]

    def try_again(self, aside_id: int) -> bool:
        """What waits for it is taken up by the next look: messages are replayed, a rule judges, a channel sends."""
        released = self._guard.release(aside_id)
        if released is None:
            return False
        log.warning("poison.released", kind=released.kind.value, group=released.group, item=released.item)
        return True

    def replay_released(self) -> bool:
        """Replays held messages that are set aside no longer, some at a time; True when there are no more of them."""
        if self._is_busy:
            return False
        batch: list[QuarantineEntry] = []
        size_bytes = 0
        for entry in self._held_back():
            if entry.id in self._replayed or self._guard.is_set_aside(entry.topic, _item(entry)):
                continue
            batch.append(entry)
            size_bytes += entry.size
            if len(batch) >= _REPLAYED or size_bytes >= _REPLAYED_BYTES:
                break
        self._replayed |= {entry.id for entry in batch}
        self._pipeline.replay(batch)
        return not batch and not self._pipeline.waiting

    def replay_first_of(self, topic: str) -> bool:
        """Replays the oldest message held of a *topic* on trial that is not held for itself; True unless it must wait."""
        if self._is_busy:
            return False
        asides = {(aside.group, aside.item) for aside in self._guard.poison.all() if aside.item}
        waiting = (
            entry
            for entry in self._held_back()
            if kept_topic(entry.topic) == topic and (topic, _item(entry)) not in asides
        )
        first = next(waiting, None)
        if first is not None:
            self._replayed.add(first.id)
            self._pipeline.replay([first])
        return True

    @property
    def _is_busy(self) -> bool:
        """Whether a replay would have to wait for room, which who looks must not."""
        return bool(self._pipeline.stalled) or self._pipeline.waiting > _BUSY

    def _held_back(self) -> Iterator[QuarantineEntry]:
        """Whole messages held because the service died of them or of their topic, the oldest first."""
        after_id = 0
        while page := self._quarantine.select(
            Selection(code=POISON), after_id=after_id, limit=_PAGE, payload_bytes=None, oldest_first=True
        ):
            yield from (entry for entry in page if entry.whole)
            after_id = page[-1].id


def _item(entry: QuarantineEntry) -> str:
    return item_of(checksum(entry.topic, entry.payload))


def held_reading(reading: Reading, reason: str, now_ms: int) -> QuarantineEntry:
    """A reading that the store refused, as the quarantine shows it."""
    series = reading.series
    payload = {
        "device": series.device, "quantity": series.quantity.value, "channel": series.channel,
        "value": repr(reading.value), "time_ms": reading.time_ms, "quality": int(reading.quality),
    }  # fmt: skip
    return QuarantineEntry(
        time_ms=now_ms,
        topic=f"store/{_shown(str(series))}",
        payload=json.dumps(payload).encode(),
        code=REFUSED,
        detail=_shown(reason),
        quantities=(series.quantity.value,),
    )


def _shown(text: str) -> str:
    """*text* as a database takes it: a lone surrogate, for which a reading may have been refused, is none."""
    return text.encode(errors="backslashreplace").decode()


def _held(entry: QuarantineEntry) -> HeldMessage:
    return HeldMessage(
        id=entry.id,
        time_ms=entry.time_ms,
        topic=entry.topic,
        code=entry.code,
        detail=entry.detail,
        address=entry.address,
        decoder=entry.decoder,
        size=entry.size,
        payload=entry.payload,
    )
