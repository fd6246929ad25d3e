"""Damage that shows while the service runs is mended under it, and told."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
import sqlalchemy as sa

from alerts.book import AlertBook
from alerts.own import data as own_data
from campus.campus import Campus
from campus.quantity import Quantity
from campus.reading import Reading, Series
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from rules.level import Level, State
from rules.verdict import Evidence, Transition
from service.recovery.copies import Copies
from service.recovery.event import EventLog
from service.recovery.healing import Healer
from service.runtime.rule_consumer import RuleConsumer
from store.errors import FileDamaged, StoreUnavailable
from store.journal.consumer import StoreConsumer
from store.journal.journal import Journal
from store.operations.database import open_database
from store.quarantine import QuarantineEntry
from store.sqlite.aside import all_set_aside
from store.timeseries.embedded import EmbeddedStore

SERIES = Series("freezer", Quantity.TEMPERATURE)
QUICK = {"defaults": {"cold.above_limit": {"for_s": 0, "critical_for_s": 0, "keep_firing_for_s": 0}}}


class Parts:
    """What a running service has open, without its threads."""

    def __init__(self, folder, campus, clock):
        self.folder, self.clock = folder, clock
        self.campus = Campus(site=campus.site, devices=campus.devices.values(), rules=QUICK)
        self.journal = Journal(folder / "journal.db", quota_bytes=10**9)
        self.database = open_database(f"sqlite:///{folder / 'operations.db'}")
        self.book = AlertBook(self.database, lambda: self.campus)
        self.store = EmbeddedStore(folder / "timeseries.db")
        self.storing = StoreConsumer(self.journal, self.store)
        self.rules = RuleConsumer(
            self.journal, Engine(self.campus, RuleSettings(self.campus.rules)), self.book
        )
        self.copies = Copies(folder, folder / "operations.db")
        self.events = EventLog(folder)
        self.healer = Healer(
            journal=self.journal, store=self.store, storing=self.storing, database=self.database,
            operations=folder / "operations.db", copies=self.copies, events=self.events,
            on_restored=self.rules.recover_again,
        )  # fmt: skip

    def measure(self, value=-18.0, count=1):
        for _ in range(count):
            self.clock.forward(60)
            now_ms = self.clock.now_ms
            many = [Reading(SERIES, value + n / 1e6, now_ms + n, now_ms) for n in range(300)]
            self.journal.append(many, committed_ms=now_ms)
        while self.rules.step():
            pass
        while self.storing.step():
            pass

    def look(self):
        return [one.rule for one in self.healer.look(self.clock.now_ms)]

    def spoil(self, name):
        """The disk gives back something else from the middle of a file on."""
        path = self.folder / name
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with path.open("r+b") as file:
            file.seek(8192)
            file.write(b"\xa5" * (path.stat().st_size - 8192))

    def told(self):
        return [one.rule for one in self.events.all()]

    def close(self):
        self.journal.close()
        self.store.close()
        self.database.dispose()


@pytest.fixture
def parts(tmp_path, campus, clock):
    made = Parts(tmp_path, campus, clock)
    yield made
    made.close()


def test_a_journal_that_breaks_goes_on_in_a_new_file(parts):
    """Under its numbers and identity, with what was in memory; the rules judge on without a gap."""
    parts.measure(count=60)
    before = parts.journal.id
    parts.spoil("journal.db")
    assert parts.look() == []
    with pytest.raises(FileDamaged, match="shouyuan doctor"):
        parts.journal.recent_fingerprints(10**9)
    assert parts.look() == []
    assert parts.told() == [own_data.JOURNAL_REBUILT]
    assert len(all_set_aside(parts.folder)) == 1
    assert [one.seq for one in parts.journal.read(0, max_batches=100)] == list(range(1, 61))
    parts.measure(-5.0)
    assert "cold.above_limit" in [one.rule for one in parts.book.open_alerts()]
    assert (parts.journal.id, parts.journal.last_seq()) == (before, 61)
    parts.journal.close()
    again = Journal(parts.folder / "journal.db", quota_bytes=10**9)
    assert (again.id, again.last_seq(), len(again.read(0, max_batches=100))) == (before, 61, 61)
    again.close()


def test_a_history_that_breaks_is_begun_anew(parts):
    """What the journal holds is in the new file; alerts never noticed."""
    parts.measure(count=40)
    parts.store.pack()
    parts.spoil("timeseries.db")
    with pytest.raises(StoreUnavailable):
        parts.store.query(SERIES, 0, 2**50)
    assert parts.look() == []
    assert parts.told() == [own_data.HISTORY_REBUILT]
    parts.measure()
    assert len(parts.store.query(SERIES, 0, 2**50)) == 41 * 300


def test_an_operations_database_that_breaks_comes_back_from_its_copy(parts):
    """What is open in the copy and well by now ends; what is wrong now is told."""
    parts.measure(-5.0)
    assert parts.copies.make(parts.clock.now_ms) is not None
    parts.measure(-18.0)
    assert parts.book.open_alerts() == []
    fired = [
        Transition(1, "x", f"d{n}", State.INACTIVE, State.FIRING, Level.NOTICE, Evidence(facts={}))
        for n in range(300)
    ]
    parts.book.take_own(fired, 1)
    parts.database.dispose()
    parts.spoil("operations.db")
    with pytest.raises(sa.exc.DatabaseError):
        parts.book.open_alerts()
    assert parts.look() == []
    assert parts.told() == [own_data.OPERATIONS_RESTORED]
    assert [one.rule for one in parts.book.open_alerts()] == ["cold.above_limit"]
    parts.measure(-18.0, count=10)
    assert parts.book.open_alerts() == []
    parts.measure(-5.0)
    assert [one.rule for one in parts.book.open_alerts()] == ["cold.above_limit"]


def test_a_quarantine_that_breaks_is_begun_anew(parts):
    """Readings go on meanwhile; what was held is in the file set aside."""
    junk = [QuarantineEntry(5, f"t/{n}", b"x" * 3_000, "not_utf8", "") for n in range(100)]
    parts.journal.append((), committed_ms=1, quarantined=junk)
    parts.spoil("quarantine.db")
    with pytest.raises(FileDamaged):
        parts.journal.quarantined(limit=1_000)
    parts.measure()
    assert parts.look() == []
    assert parts.told() == [own_data.FILE_REBUILT]
    parts.journal.append((), committed_ms=1, quarantined=junk[:1])
    assert len(parts.journal.quarantined()) == 1


def test_what_cannot_be_mended_is_told_and_tried_again(parts, monkeypatch):
    """While the disk refuses everything the damage stays an alert; with the disk back it is mended."""
    parts.measure(count=60)
    parts.spoil("journal.db")
    with pytest.raises(FileDamaged):
        parts.journal.recent_fingerprints(10**9)
    with monkeypatch.context() as patch:
        patch.setattr(
            "store.journal.salvage.set_aside", lambda *_: (_ for _ in ()).throw(OSError("read-only"))
        )
        assert parts.look() == [own_data.DATA_DAMAGED]
    parts.copies.failure = "no space"
    assert parts.look() == [own_data.COPY_FAILED]
    assert parts.told() == [own_data.JOURNAL_REBUILT]


def test_a_disk_without_room_changes_nothing(parts, monkeypatch):
    """Where the copy cannot be put in place now, the damaged database stays, and the next round does it."""
    parts.measure(-5.0)
    parts.copies.make(parts.clock.now_ms)
    parts.database.dispose()
    (parts.folder / "operations.db").write_bytes(b"no database" * 1_000)
    with pytest.raises(sa.exc.DatabaseError):
        parts.book.open_alerts()
    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfile", lambda *_: (_ for _ in ()).throw(OSError("no space")))
        assert parts.look() == [own_data.DATA_DAMAGED]
    assert all_set_aside(parts.folder) == []
    assert parts.look() == []
    assert parts.told() == [own_data.OPERATIONS_RESTORED]
    assert [one.rule for one in parts.book.open_alerts()] == ["cold.above_limit"]
