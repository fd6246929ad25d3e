"""Journal and operations database that do not belong together: said so, and judged on at once, each alert told once."""

from __future__ import annotations

import shutil

import pytest

from alerts.book import AlertBook
from alerts.outbox import Outbox
from alerts.own import data as own_data
from campus.campus import Campus
from campus.quantity import Quantity
from campus.reading import Reading, Series
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from service.recovery.alignment import Aligner
from service.runtime.rule_consumer import NAME, RuleConsumer
from store.journal.journal import Journal
from store.operations.database import open_database
from store.operations.facts import Facts

SERIES = Series("freezer", Quantity.TEMPERATURE)
QUICK = {"defaults": {"cold.above_limit": {"for_s": 0, "critical_for_s": 0, "keep_firing_for_s": 0}}}
MINUTE_S = 60


class Site:
    """Journal, operations database and rules of one data folder, stopped and started at will."""

    def __init__(self, folder, campus, clock):
        self.folder, self.clock = folder, clock
        self.campus = Campus(site=campus.site, devices=campus.devices.values(), rules=QUICK)
        self.journal = None

    def start(self, site_id="school"):
        """Opens and aligns; the rules of the events."""
        self.journal = Journal(self.folder / "journal.db", quota_bytes=10**9)
        self.database = open_database(f"sqlite:///{self.folder / 'operations.db'}")
        self.book = AlertBook(self.database, lambda: self.campus)
        aligner = Aligner(self.journal, self.book, Facts(self.database), NAME)
        events = aligner.align(site_id, self.clock.now_ms)
        self.rules = RuleConsumer(
            self.journal, Engine(self.campus, RuleSettings(self.campus.rules)), self.book
        )
        self.rules.recover()
        return [one.rule for one in events]

    def stop(self):
        self.rules.stop()
        self.kill()

    def kill(self):
        """Ends without a last snapshot."""
        self.journal.close()
        self.database.dispose()

    def measure(self, *values):
        for value in values:
            self.clock.forward(MINUTE_S)
            now_ms = self.clock.now_ms
            self.journal.append([Reading(SERIES, value, now_ms, now_ms)], committed_ms=now_ms)
        while self.rules.step():
            pass

    def remove(self, name):
        for ending in ("", "-wal", "-shm"):
            (self.folder / f"{name}{ending}").unlink(missing_ok=True)

    def save(self, name):
        """A copy as somebody takes it of a stopped service."""
        shutil.copy(self.folder / name, self.folder / f"{name}.saved")

    def put_back(self, name):
        self.remove(name)
        shutil.copy(self.folder / f"{name}.saved", self.folder / name)

    def open_alerts(self):
        return [one.rule for one in self.book.open_alerts()]

    def messages(self):
        return Outbox(self.database).waiting()


@pytest.fixture
def files(tmp_path, campus, clock):
    made = Site(tmp_path, campus, clock)
    assert made.start() == []
    yield made
    made.kill()


def test_nothing_is_said_of_files_that_belong_together(files):
    """Over an end, a kill and a new start."""
    files.measure(-18, -5)
    files.stop()
    assert files.start() == []
    files.measure(-5)
    files.kill()
    assert files.start() == []
    assert files.open_alerts() == ["cold.above_limit"]
    assert files.messages() == 1


def test_a_lost_journal_is_judged_from_its_first_batch(files):
    """The numbers go on behind the old ones; a freezer that warms up is told at once, not when they have caught up."""
    files.measure(*[-18.0] * 50)
    files.stop()
    files.remove("journal.db")
    assert files.start() == [own_data.JOURNAL_REPLACED]
    assert files.journal.last_seq() == 50
    files.measure(-5)
    assert files.open_alerts() == ["cold.above_limit"]
    files.measure(-18)
    assert files.open_alerts() == []
    files.stop()
    assert files.start() == []


def test_an_older_journal_put_back_is_judged_at_once(files):
    """Its numbers, given once before, are not given again."""
    files.measure(-18, -18)
    files.stop()
    files.save("journal.db")
    files.start()
    files.measure(*[-18.0] * 50)
    files.stop()
    files.put_back("journal.db")
    assert files.start() == [own_data.JOURNAL_REPLACED]
    files.measure(-5)
    assert files.open_alerts() == ["cold.above_limit"]
    assert files.journal.last_seq() == 53


def test_another_sites_longer_journal_is_not_told_as_news(files, tmp_path, clock):
    """What a journal from elsewhere holds was never this site's: judged is what comes from now on."""
    other = Journal(tmp_path / "other.db", quota_bytes=10**9)
    for number in range(200):
        other.append([Reading(SERIES, 5.0, clock.now_ms - 10**6 + number, 0)], committed_ms=clock.now_ms)
    other.close()
    files.measure(-18)
    files.stop()
    files.remove("journal.db")
    shutil.copy(tmp_path / "other.db", tmp_path / "journal.db")
    assert files.start("other-school") == [own_data.SITE_CHANGED, own_data.JOURNAL_REPLACED]
    files.measure(-18)
    assert files.open_alerts() == []
    files.measure(-5)
    assert files.open_alerts() == ["cold.above_limit"]


def test_an_older_operations_database_tells_nothing_twice(files):
    """What began and ended since that copy is history; what is still wrong is told once more, and ends."""
    files.measure(-18)
    files.stop()
    files.save("operations.db")
    files.start()
    files.measure(-5, -18, -18, -5)  # one told and over, one still open
    files.stop()
    files.put_back("operations.db")
    assert files.start() == [own_data.OPERATIONS_OLDER]
    assert files.messages() == 0
    files.measure(-5, -5)
    assert files.open_alerts() == ["cold.above_limit"]
    assert files.messages() == 1
    files.measure(-18)
    assert files.open_alerts() == []
    files.stop()
    assert files.start() == []


def test_a_lost_operations_database_is_said_and_judged(files):
    """With nothing but the journal left, what is wrong now is told, and nothing of the past."""
    files.measure(-5, -18, -5)
    files.stop()
    files.remove("operations.db")
    assert files.start() == [own_data.OPERATIONS_NEW]
    assert files.messages() == 0
    files.measure(-5)
    assert files.open_alerts() == ["cold.above_limit"]
    assert files.messages() == 1
