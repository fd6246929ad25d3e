"""Journal and operations database know of each other; where they do not belong together, this says so and finds a
place from which both go on. The time-series store: see :mod:`store.journal.consumer`.

The rules' position counts batches of one journal. Beside another one it means nothing: judged from there, nothing would
be judged until the new journal's numbers had caught up.
"""

from __future__ import annotations

import msgspec

from alerts.book import AlertBook
from alerts.own import data as own_data
from service.recovery.event import Event
from store.journal.journal import Journal
from store.operations.facts import JOURNAL, SITE, Facts


class Aligner(msgspec.Struct, frozen=True):
    """Brings the parts into step before any of them starts; returns what had to be done.

    *consumer* is the name under which the journal keeps the rules' position.
    """

    journal: Journal
    book: AlertBook
    facts: Facts
    consumer: str

    def align(self, site_id: str, now_ms: int) -> list[Event]:
        events = [*self._site(site_id, now_ms), *self._positions(now_ms)]
        self.facts.put(JOURNAL, self.journal.id)
        self.facts.put(SITE, site_id)
        return events

    def _site(self, site_id: str, now_ms: int) -> list[Event]:
        known = self.facts.get(SITE)
        if known in (None, site_id):
            return []
        return [Event(now_ms, own_data.SITE_CHANGED, "operations.db", {"site": f"{known} → {site_id}"})]

    def _positions(self, now_ms: int) -> list[Event]:
        journal, known = self.journal, self.facts.get(JOURNAL)
        committed, snapshot_seq, _ = self.book.position()
        last_seq, judged = journal.last_seq(), journal.offset(self.consumer)
        if known not in (None, journal.id) or committed > last_seq:
            # another journal, or an older copy of this one: go on behind every number either has given
            journal.continue_after(max(committed, snapshot_seq, last_seq))
            self.book.move_position(journal.last_seq(), now_ms)
            journal.save_offset(self.consumer, journal.last_seq())
            return [Event(now_ms, own_data.JOURNAL_REPLACED, "journal.db", {"batches": committed})]
        if judged > committed:
            # the rules' consumer replays up to there without effects: people were notified of it already
            rule = own_data.OPERATIONS_OLDER if committed else own_data.OPERATIONS_NEW
            return [Event(now_ms, rule, "operations.db", {"batches": judged - committed})]
        return []
