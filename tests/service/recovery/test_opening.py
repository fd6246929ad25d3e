"""A data folder in any state: the service starts, alerts, and tells what it found; or refuses in one sentence."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import pytest

from alerts.book import AlertBook
from alerts.own import data as own_data
from campus.campus import Campus
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from rules.level import Level, State
from rules.verdict import Evidence, Transition
from service.errors import DatabaseAway, DataUnusable
from service.lock import DataLock
from service.recovery.copies import Copies
from service.recovery.event import EventLog
from service.recovery.opening import Opener
from store.errors import DatabaseTooNew, FileTooNew
from store.journal.journal import Journal
from store.operations.database import open_database
from store.quarantine import QuarantineEntry
from store.sqlite.aside import all_set_aside
from store.timeseries.embedded import EmbeddedStore
from store.timeseries.embedded.salvage import salvage_history

#: 2026-11-21T04:00:00Z
NOW_MS = 1_795_233_600_000
SERIES = Series("freezer", Quantity.TEMPERATURE)
QUOTAS = {"quota_bytes": 10**9, "quarantine_bytes": 10**7}


def zeroed(path):
    """The first page is gone."""
    with path.open("r+b") as file:
        file.write(b"\0" * 4096)


def truncated(path):
    """The second half is gone."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def overwritten(path):
    """Something else was written into the middle."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 8192)


def replaced(path):
    """It is no database at all."""
    path.write_bytes(b"<html>not a database</html>" * 100)


DAMAGES = [zeroed, truncated, overwritten, replaced]


def readings(number):
    return [Reading(SERIES, -18.0 + n / 1000, number * 10_000 + n, number * 10_000 + n) for n in range(200)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A stopped service's data folder, with something in every file, and a copy of the operations database."""
    folder = tmp_path_factory.mktemp("whole")
    with contextlib.closing(Journal(folder / "journal.db", **QUOTAS)) as journal:
        for number in range(100):
            journal.append(readings(number), committed_ms=number * 10_000)
        junk = [QuarantineEntry(5, f"t/{n}", b"x" * 5_000, "not_utf8", "") for n in range(50)]
        journal.append((), committed_ms=10**7, quarantined=junk)
        journal.save_offset("store", 90)
    with contextlib.closing(EmbeddedStore(folder / "timeseries.db")) as store:
        store.write([one for number in range(100) for one in readings(number)])
        store.pack()
    with contextlib.closing(sqlite3.connect(folder / "timeseries.db")) as history:
        history.execute("VACUUM")
    database = open_database(f"sqlite:///{folder / 'operations.db'}")
    site = Campus(site=Site(id="school", name="school"), devices=[])
    book = AlertBook(database, lambda: site)
    fired = [
        Transition(
            number, "cold.above_limit", f"d{number}", State.INACTIVE, State.FIRING, Level.WARNING,
            Evidence(facts={"value": 1.0}),
        )
        for number in range(300)
    ]  # fmt: skip
    book.take_own(fired, 300)
    database.dispose()
    assert Copies(folder, folder / "operations.db").make(NOW_MS) is not None
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    """One to damage."""
    return shutil.copytree(whole, tmp_path / "data")


def opener(folder):
    events = EventLog(folder)
    return Opener(folder, events, now_ms=NOW_MS), events


def rules_of(events):
    return [one.rule for one in events.all()]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_a_damaged_journal_is_set_aside_and_what_can_be_read_kept(folder, damage):
    """It goes on under its numbers where they can be read; readings and heartbeats are taken at once."""
    damage(folder / "journal.db")
    open_, events = opener(folder)
    with contextlib.closing(open_.journal(folder / "journal.db", **QUOTAS)) as journal:
        assert rules_of(events) == [own_data.JOURNAL_REBUILT]
        kept = {batch.seq for batch in journal.read(0, max_batches=1_000)}
        assert len(kept) == events.all()[0].facts["batches"]
        if damage is overwritten:
            assert 90 <= len(kept) < 101
            assert journal.offset("store") == 90
        journal.append(readings(7), committed_ms=10**8)
        assert journal.read(journal.last_seq() - 1)[0].readings == tuple(readings(7))
        assert len(journal.quarantined()) == 50
    assert [one.name for one in all_set_aside(folder)] == ["journal.db.damaged-20261121T040000"]


def test_a_crash_while_it_is_rebuilt_loses_nothing_more(folder, monkeypatch):
    """Broken off before the renaming it begins anew; broken off within it, the next start ends it."""
    path = folder / "journal.db"
    overwritten(path)
    open_, events = opener(folder)
    for breaks in ("store.journal.salvage.set_aside", "pathlib.Path.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(breaks, lambda *_: (_ for _ in ()).throw(OSError("power cut")))
            with pytest.raises(DataUnusable, match="power cut"):
                open_.journal(path, **QUOTAS)
    assert not path.exists()
    with contextlib.closing(open_.journal(path, **QUOTAS)) as journal:
        assert len(journal.read(0, max_batches=1_000)) >= 90
    assert rules_of(events) == [own_data.JOURNAL_REBUILT]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_a_damaged_operations_database_comes_back_from_its_copy(folder, damage, campus):
    """The newest copy that can be read takes its place; when there is none, an empty one does."""
    damage(folder / "operations.db")
    newest = Copies(folder, folder / "operations.db").all()[0]
    shutil.copy(newest, newest.with_name("operations-20991231T000000Z.db"))
    overwritten(newest.with_name("operations-20991231T000000Z.db"))
    open_, events = opener(folder)
    database = open_.operations(url(folder), Copies(folder, folder / "operations.db"))
    assert len(AlertBook(database, lambda: campus).open_alerts()) == 300
    database.dispose()
    (event,) = events.all()
    assert (event.rule, event.facts["copy_time"]) == (own_data.OPERATIONS_RESTORED, "20261121T040000Z")
    assert event.facts["aside"].startswith("operations.db.damaged-")


def test_a_missing_operations_database_comes_back_from_its_copy(folder, campus):
    """Without a copy it is the first start, or said to be new where it was damaged."""
    (folder / "operations.db").unlink()
    open_, events = opener(folder)
    database = open_.operations(url(folder), Copies(folder, folder / "operations.db"))
    assert len(AlertBook(database, lambda: campus).open_alerts()) == 300
    database.dispose()
    shutil.rmtree(folder / "copies")
    replaced(folder / "operations.db")
    open_.operations(url(folder), Copies(folder, folder / "operations.db")).dispose()
    assert rules_of(events) == [own_data.OPERATIONS_RESTORED, own_data.OPERATIONS_NEW]


@pytest.mark.parametrize("damage", [*DAMAGES, "a folder"], ids=lambda one: getattr(one, "__name__", one))
def test_a_damaged_history_stops_nothing(folder, damage):
    """An empty one takes its place; what can be read of the old one is brought back by and by."""
    path = folder / "timeseries.db"
    if damage == "a folder":
        path.unlink()
        path.mkdir()
    else:
        damage(path)
    open_, events = opener(folder)
    with contextlib.closing(open_.store("embedded")) as store:
        store.write(readings(500))
        if damage is overwritten:  # found when it is read, as a file of gigabytes is not read at a start
            events.all() or store.rebuild(NOW_MS)
            (aside,) = all_set_aside(folder)
            assert 5_000 < salvage_history(aside, store) <= 20_200
        else:
            assert rules_of(events) == [own_data.HISTORY_REBUILT]
        assert store.latest()[SERIES].time_ms == 500 * 10_000 + 199


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_a_damaged_quarantine_is_set_aside(folder, damage):
    """Only messages nobody could read are in it."""
    damage(folder / "quarantine.db")
    open_, events = opener(folder)
    with contextlib.closing(open_.journal(folder / "journal.db", **QUOTAS)) as journal:
        assert rules_of(events) == [own_data.FILE_REBUILT]
        assert journal.last_seq() == 101


def test_damaged_births_are_set_aside(folder):
    """They are learned again; what is well is left alone."""
    path = folder / "births.msgpack"
    path.write_bytes(b"\xc1\xff")
    open_, events = opener(folder)

    def read(body):
        if body != b"well":
            raise ValueError(body)

    open_.minor(path, read)
    assert rules_of(events) == [own_data.FILE_REBUILT]
    assert not path.exists()
    path.write_bytes(b"well")
    open_.minor(path, read)
    open_.minor(folder / "none", read)
    assert len(events.all()) == 1


def test_files_of_a_later_version_are_refused(folder):
    """Each by name, with what to do; nothing is touched."""
    for name in ("journal.db", "timeseries.db", "quarantine.db"):
        with contextlib.closing(sqlite3.connect(folder / name)) as later:
            before = later.execute("PRAGMA user_version").fetchone()[0]
            later.execute("PRAGMA user_version = 99")
        open_, events = opener(folder)
        with pytest.raises(FileTooNew, match=rf"{name} has version 99.*update shouyuan"):
            open_.store("embedded") if name == "timeseries.db" else open_.journal(
                folder / "journal.db", **QUOTAS
            )
        with contextlib.closing(sqlite3.connect(folder / name)) as later:
            later.execute(f"PRAGMA user_version = {before}")
    with contextlib.closing(sqlite3.connect(folder / "operations.db")) as later, later:
        later.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew, match="update shouyuan or restore a backup"):
        open_.operations(url(folder), Copies(folder, folder / "operations.db"))
    assert events.all() == []
    assert all_set_aside(folder) == []


@pytest.mark.parametrize("name", ["journal.db", "operations.db", "quarantine.db"])
def test_a_folder_in_a_files_place_is_said_in_one_sentence(folder, name):
    """What can be neither read nor mended ends the start with the file's name and a remedy."""
    (folder / name).unlink()
    (folder / name).mkdir()
    open_, _ = opener(folder)
    with pytest.raises(DataUnusable, match=r"cannot be used.*shouyuan doctor --data"):
        if name == "operations.db":
            open_.operations(url(folder), Copies(folder, folder / name))
        else:
            open_.journal(folder / "journal.db", **QUOTAS)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(whole):
    """Somebody else's folder, or a file system that is read-only: refused by name, and nothing of it is changed."""
    outside = Path(tempfile.mkdtemp())
    outside.chmod(0o755)
    folder = shutil.copytree(whole, outside / "data")
    for one in (folder, *folder.rglob("*")):
        one.chmod(0o555 if one.is_dir() else 0o444)
    before = {one.name: one.stat().st_mtime_ns for one in folder.iterdir()}
    os.seteuid(65_534)
    try:
        with pytest.raises(
            DataUnusable, match=r"lock cannot be used: Permission denied; .*owns and may write"
        ):
            DataLock(folder)
        open_, _ = opener(folder)
        with pytest.raises(DataUnusable, match=r"journal\.db cannot be used"):
            open_.journal(folder / "journal.db", **QUOTAS)
    finally:
        os.seteuid(0)
    assert {one.name: one.stat().st_mtime_ns for one in folder.iterdir()} == before
    shutil.rmtree(outside)


def test_a_server_that_is_away_at_the_start_is_said_in_one_sentence(folder):
    """Without its password; systemd tries again."""
    pytest.importorskip("psycopg")
    open_, _ = opener(folder)
    with pytest.raises(
        DatabaseAway, match=r"postgresql\+psycopg://u:\*\*\*@127\.0\.0\.1:9/x cannot be reached"
    ):
        open_.operations("postgresql+psycopg://u:secret@127.0.0.1:9/x", Copies(folder, None))


def test_three_good_copies_are_kept(folder):
    """A damaged database replaces no good copy of it, and that is said."""
    copies = Copies(folder, folder / "operations.db")
    for hour in range(1, 6):
        assert copies.make(NOW_MS + hour * 3_600_000) is not None
    kept = copies.all()
    assert [one.name for one in kept] == [
        f"operations-20261121T{hour}0000Z.db" for hour in ("09", "08", "07")
    ]
    overwritten(folder / "operations.db")
    assert copies.make(NOW_MS + 7 * 3_600_000) is None
    assert copies.failure
    assert copies.all() == kept
    assert copies.newest_good() == kept[0]


def url(folder):
    return f"sqlite:///{folder / 'operations.db'}"
