"""Quarantine: bounded on its own, fair to who sends little, in step with the journal."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.errors import DiskFull, FileTooNew
from store.journal.counts import Counts
from store.journal.journal import Journal
from store.quarantine import Quarantine, QuarantineEntry, Selection

MEBIBYTE = 1024 * 1024


def junk(topic="junk/1", size=4_000, **more):
    return QuarantineEntry(5, topic, b"\xff" * size, "not_utf8", "byte 0", **more)


def reading(number=0):
    return Reading(Series("d", Quantity.TEMPERATURE), 1.0, 1_000_000 + number, 1_000_000 + number)


@pytest.fixture
def held(tmp_path):
    opened = Quarantine(tmp_path / "quarantine.db", budget_bytes=MEBIBYTE)
    yield opened
    opened.close()


def test_junk_never_stops_readings(tmp_path):
    """Many times more junk than either quota: readings and heartbeats go on, over a restart too."""
    path, quotas = tmp_path / "journal.db", {"quota_bytes": MEBIBYTE, "quarantine_bytes": MEBIBYTE}
    with contextlib.closing(Journal(path, **quotas)) as journal:
        for number in range(60):
            journal.append([reading(number)], committed_ms=number, quarantined=[junk(size=64_000)] * 20)
        assert not journal.nearly_full()
    with contextlib.closing(Journal(path, **quotas)) as journal:
        journal.append([reading(100)], committed_ms=100)
        journal.append((), committed_ms=101)
        usage = journal.quarantine.usage()
        assert usage.bytes <= MEBIBYTE
        assert 10 <= usage.entries <= 17
    assert journal.quarantine.path.stat().st_size < 3 * MEBIBYTE


def test_one_flooding_device_pushes_out_its_own(held):
    """Whoever sends most loses its oldest; what others sent long before stays."""
    held.insert([junk(f"zigbee2mqtt/device-{n}") for n in range(20)], seq=1)
    for number in range(20):
        held.insert([junk("zigbee2mqtt/flood")] * 50, seq=2 + number)
    for number in range(20):  # a topic of its own with each message
        held.insert([junk(f"made-up/{number}-{n}") for n in range(50)], seq=50 + number)
    kept = {one.topic for one in held.select(Selection(), limit=10_000)}
    assert {f"zigbee2mqtt/device-{n}" for n in range(20)} <= kept
    assert {"zigbee2mqtt/flood"} <= kept
    assert held.usage().dropped > 1_500


def test_many_small_entries_are_bounded_too(tmp_path, monkeypatch):
    """However small they are, there are not more than so many."""
    monkeypatch.setattr("store.quarantine.file.MOST_ENTRIES", 100)
    with contextlib.closing(Quarantine(tmp_path / "q.db")) as held:
        held.insert([junk("a/1", size=1)] * 60, seq=1)
        held.insert([junk("b/1", size=1)] * 90, seq=2)
        topics = [one.topic for one in held.select(Selection(), limit=1_000)]
        assert (topics.count("a/1"), topics.count("b/1")) == (60, 35)


def test_every_text_is_bounded(held):
    """A topic of 60 KB, an endless address or reason: their beginnings are kept, and such an entry is not replayed."""
    held.insert([junk("t" * 60_000, address="a" * 60_000, decoder="d" * 60_000), junk("short")], seq=1)
    short, long = held.select(Selection(), limit=10, payload_bytes=None)
    assert (short.whole, long.whole) == (True, False)
    assert max(len(long.topic), len(long.address), len(long.decoder)) <= 1_000
    assert long.address.endswith("…")
    held.insert([QuarantineEntry(5, "t", b"{}", "x", "y" * 10**6, quantities=("q" * 1000,) * 1000)], seq=2)
    assert held.usage().bytes < 20_000
    assert held.want(Selection()) == 2


def test_what_was_never_committed_is_not_held(tmp_path):
    """A crash between the two files: the broker delivers again, and the message is held once."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path, quota_bytes=10**9)) as journal:
        journal.append((), committed_ms=1, quarantined=[junk("first")], counts=Counts(quarantined=1))
        journal.quarantine.insert([junk("second")], seq=2)  # and then it died
    with contextlib.closing(Journal(path, quota_bytes=10**9)) as journal:
        assert [one.topic for one in journal.quarantined()] == ["first"]
        journal.append((), committed_ms=2, quarantined=[junk("second")], counts=Counts(quarantined=1))
        assert [one.topic for one in journal.quarantined()] == ["second", "first"]


def test_a_commit_that_is_tried_again_holds_once(tmp_path):
    """While the journal's disk is full the same group is tried again and again; its junk is there once."""
    with contextlib.closing(Journal(tmp_path / "journal.db", quota_bytes=10**9)) as journal:
        writer = journal._connections._writer
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count={pages}")
        many = [reading(number) for number in range(2_000)]
        for _ in range(3):
            with pytest.raises(DiskFull, match="the disk is full"):
                journal.append(many, committed_ms=1, quarantined=[junk()])
        writer.execute("PRAGMA max_page_count=1000000")
        assert journal.append(many, committed_ms=1, quarantined=[junk()]) == 1
        assert len(journal.quarantined()) == 1


def test_what_became_readings_leaves_even_over_a_crash(tmp_path):
    """A replayed message whose batch was committed is not held any more, and no other journal's numbers are touched."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path, quota_bytes=10**9)) as journal:
        journal.append((), committed_ms=1, quarantined=[junk("a"), junk("b")])
        (_b, a) = journal.quarantined()
        journal.quarantine.remove = lambda _: None  # died before
        journal.append([reading()], committed_ms=2, released=[a.id])
    with contextlib.closing(Journal(path, quota_bytes=10**9)) as journal:
        assert [one.topic for one in journal.quarantined()] == ["b"]
    path.unlink()
    with contextlib.closing(Journal(path, quota_bytes=10**9)) as journal:
        journal.append((), committed_ms=3, quarantined=[junk("c")])
        assert [one.topic for one in journal.quarantined()] == ["c", "b"]


def test_a_quarantine_that_fails_costs_no_reading(tmp_path):
    """Where held messages cannot be written, readings are, and what was lost is counted."""
    with contextlib.closing(Journal(tmp_path / "journal.db", quota_bytes=10**9)) as journal:
        journal.quarantine._connections._writer.execute("PRAGMA max_page_count=1")
        assert journal.append([reading()], committed_ms=1, quarantined=[junk(size=60_000)]) == 1
        assert journal.quarantine.usage().lost == 1
        assert journal.read(0)[0].readings == (reading(),)


def test_what_an_older_version_held_is_brought_over(tmp_path):
    """Once, into the quarantine's own file; the journal's room is free for readings again."""
    path = tmp_path / "journal.db"
    with contextlib.closing(sqlite3.connect(path)) as old, old:
        old.execute(
            "CREATE TABLE quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER, topic TEXT, payload BLOB,"
            " size INTEGER, code TEXT, detail TEXT, address TEXT, decoder TEXT, quantities TEXT)"
        )
        old.executemany(
            "INSERT INTO quarantine VALUES (NULL, 1, ?, ?, 3, 'unregistered', '', 'dev9', 'tasmota', 'a,b')",
            [(f"t/{n}", b"x" * 50_000) for n in range(30)],
        )
    for _ in range(2):
        with contextlib.closing(Journal(path, quota_bytes=10**9)) as journal:
            (device,) = journal.unregistered()
            assert (device.count, device.quantities, device.topic) == (30, ("a", "b"), "t/29")
            assert journal.size_bytes() < 200_000


def test_purge_and_replay_by_choice(held):
    """By reason, by address, by number, or all; what is wanted again is given out once."""
    strangers = [junk(address="dev9"), junk(address="dev8")]
    held.insert([*strangers, QuarantineEntry(1, "t", b"1", "unregistered", "", "dev7"), junk()], seq=1)
    assert held.purge(Selection(address="dev9")) == 1
    assert held.purge(Selection(code="unregistered")) == 1
    assert [one.topic for one in held.select(Selection(unread=True), limit=5)] == ["junk/1"] * 2
    assert held.want(Selection(address="dev8")) == 1
    assert [one.address for one in held.take_wanted()] == ["dev8"]
    assert held.take_wanted() == []
    assert held.purge(Selection()) == 2
    assert held.usage().bytes == held.usage().entries == 0


def test_a_purge_gives_its_room_back(tmp_path, held):
    """The file is small again, so that clearing it helps a full disk."""
    held.insert([junk(size=60_000)] * 15, seq=1)
    held.purge(Selection())
    assert (tmp_path / "quarantine.db").stat().st_size < 100_000


def test_another_process_may_purge(tmp_path, held):
    """The command line empties it under the running service, whose sums find their way back."""
    held.insert([junk("a/1")] * 200, seq=1)
    with contextlib.closing(Quarantine(tmp_path / "quarantine.db")) as other:
        assert other.purge(Selection()) == 200
    for number in range(2, 10):
        held.insert([junk("b/1")] * 50, seq=number)
    assert held.usage().bytes <= MEBIBYTE
    assert 200 < held.usage().entries < 260


def test_a_later_versions_file_is_refused(tmp_path):
    """It is named, with both versions and what to do."""
    with contextlib.closing(sqlite3.connect(tmp_path / "q.db")) as later:
        later.execute("PRAGMA user_version = 99")
    with pytest.raises(FileTooNew, match=r"q\.db has version 99.*update shouyuan"):
        Quarantine(tmp_path / "q.db")
