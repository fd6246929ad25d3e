"""Devices that were just registered: what they said before, and was held back, becomes readings."""

from __future__ import annotations

import structlog

from campus.campus import Campus
from campus.clock import HOUR_MS, SECOND_MS
from campus.worker import Worker
from ingest.pipeline import Pipeline
from store.journal.journal import Journal

log = structlog.get_logger()

_HOUR_S = HOUR_MS / SECOND_MS


class Adoption:
    """Replays in a thread of its own, as there may be thousands of messages."""

    def __init__(self, journal: Journal, pipeline: Pipeline) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._campus: Campus | None = None
        self.worker = Worker("replay", self.step, pace_s=_HOUR_S, limit_s=_HOUR_S)

    def follow(self, campus: Campus) -> None:
        """Looks soon whether *campus* has a device that was unregistered before."""
        self._campus = campus
        self.worker.wake()

    def step(self) -> None:
        """One round over all unregistered devices."""
        campus = self._campus
        if campus is None:
            return
        for sender in self._journal.unregistered():
            if campus.device_at(sender.address) is None:
                continue
            after_id = 0
            while held := self._journal.quarantined_of(sender.address, after_id=after_id):
                self._pipeline.replay(held)
                after_id = held[-1].id
            log.info("device.adopted", address=sender.address, messages=sender.count)
        if self._campus is campus:
            self._campus = None
