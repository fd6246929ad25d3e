"""The quarantine as the API sees it."""

from __future__ import annotations

from collections.abc import Sequence

from api.ports import HeldMessage, Stranger
from ingest.pipeline import Pipeline
from store.journal import Journal
from store.quarantine import QuarantineEntry


class Desk:
    """Looks into the journal's quarantine and hands messages back to the pipeline."""

    def __init__(self, journal: Journal, pipeline: Pipeline) -> None:
        self._journal = journal
        self._pipeline = pipeline

    def held(self, *, limit: int, before_id: int | None = None, code: str = "") -> Sequence[HeldMessage]:
        return [_held(one) for one in self._journal.quarantined(limit=limit, before_id=before_id, code=code)]

    def one(self, entry_id: int) -> HeldMessage | None:
        found = self._journal.quarantine_entry(entry_id)
        return None if found is None else _held(found)

    def strangers(self) -> Sequence[Stranger]:
        return [
            Stranger(one.address, one.decoder, one.topic, one.count, one.last_ms, one.quantities)
            for one in self._journal.unregistered()
        ]

    def replay(self, entry_ids: Sequence[int]) -> int:
        found = [self._journal.quarantine_entry(one) for one in entry_ids]
        return self._pipeline.replay([one for one in found if one is not None])


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
