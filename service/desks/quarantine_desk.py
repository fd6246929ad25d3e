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
        return [_held(one) for one in self._quarantine.select(chosen, limit=limit, payload_bytes=shown_bytes)]

    def one(self, entry_id: int) -> HeldMessage | None:
        found = self._journal.quarantine_entry(entry_id)
        return None if found is None else _held(found)

    def unregistered_sources(self) -> Sequence[UnregisteredSource]:
        return [
            UnregisteredSource(one.address, one.decoder, one.topic, one.count, one.last_ms, one.quantities)
            for one in self._quarantine.unregistered()
        ]

    def replay(self, entry_ids: Sequence[int]) -> int:
        """Messages only: a reading the store refused would be refused again, and what was cut cannot be read."""
        found = [self._journal.quarantine_entry(one) for one in entry_ids]
        return self.replay_entries([one for one in found if one is not None])

    def replay_entries(self, entries: Sequence[QuarantineEntry]) -> int:
        """As :meth:`replay`, for entries at hand."""
        wanted = [one for one in entries if one.whole and one.code != REFUSED]
        if any(one.code != POISON for one in wanted):  # taken along with others is nobody's decision
            wanted = [one for one in wanted if one.code != POISON]
        for one in wanted:
            if one.code == POISON:
                self._replayed.add(one.id)
                self._guard.release_message(one.topic, item_of(checksum(one.topic, one.payload)))
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
        found = self._quarantine.usage()
        return HeldUsage(found.entries, found.bytes, found.budget_bytes)

    def set_aside(self) -> Sequence[SetAsideThing]:
        return [
            SetAsideThing(one.id, one.kind.value, one.group, one.item, one.deaths, one.since_ms, one.again_ms)
            for one in self._guard.poison.all()
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
        found: list[QuarantineEntry] = []
        size_bytes = 0
        for one in self._held_back():
            if one.id in self._replayed or self._guard.is_set_aside(one.topic, _item(one)):
                continue
            found.append(one)
            size_bytes += one.size
            if len(found) >= _REPLAYED or size_bytes >= _REPLAYED_BYTES:
                break
        self._replayed |= {one.id for one in found}
        self._pipeline.replay(found)
        return not found and not self._pipeline.waiting

    def replay_first_of(self, topic: str) -> bool:
        """Replays the oldest message held of a *topic* on trial that is not held for itself; True unless it must wait."""
        if self._is_busy:
            return False
        asides = {(one.group, one.item) for one in self._guard.poison.all() if one.item}
        found = (
            one
            for one in self._held_back()
            if kept_topic(one.topic) == topic and (topic, _item(one)) not in asides
        )
        first = next(found, None)
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
            yield from (one for one in page if one.whole)
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


def _held(one: QuarantineEntry) -> HeldMessage:
    return HeldMessage(
        id=one.id,
        time_ms=one.time_ms,
        topic=one.topic,
        code=one.code,
        detail=one.detail,
        address=one.address,
        decoder=one.decoder,
        size=one.size,
        payload=one.payload,
    )
