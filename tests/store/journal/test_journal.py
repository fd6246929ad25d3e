"""The journal: nothing committed is lost, nothing is counted twice."""

import sqlite3
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import PATIENCE_S

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import DiskFull, FileTooNew, JournalDamaged, JournalFull
from store.journal import codec
from store.journal.counts import Counts
from store.journal.journal import Journal
from store.quarantine import UNREGISTERED, QuarantineEntry


def readings(count, start_ms=1_000_000, device="d"):
    series = Series(device, Quantity.TEMPERATURE)
    return [
        Reading(series, float(number), start_ms + number, start_ms + number + 5) for number in range(count)
    ]


READING = st.builds(
    Reading,
    st.builds(Series, st.text(min_size=1, max_size=12), st.sampled_from(list(Quantity)), st.text(max_size=6)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 2**45),
    st.integers(0, 2**45),
    st.sampled_from(list(Quality)),
)


@given(st.lists(READING, max_size=30))
def test_readings_survive_the_codec(batch):
    """Whatever names, values and times: what goes in comes out."""
    assert list(codec.decode(codec.encode(batch))) == batch


def test_batches_come_back_in_order(journal):
    """Each consumer reads on from where it is, and its offset is kept."""
    for number in range(5):
        journal.append(readings(3, number * 100 + 1), committed_ms=1000 + number)
    batches = journal.read(2)
    assert [batch.seq for batch in batches] == [3, 4, 5]
    assert len(batches[0].readings) == 3
    journal.save_offset("store", 4)
    assert journal.offset("store") == 4
    assert journal.offset("new") == 0


def test_everything_survives_reopening(tmp_path):
    """Batches, counts, offsets and time are there after the file is opened again."""
    first = Journal(tmp_path / "j.db", quota_bytes=10**9)
    first.append(
        readings(2), committed_ms=5000, fingerprints=[7, 7, 8], counts=Counts(journaled=2, ignored=1)
    )
    first.save_offset("store", 1)
    first.close()
    second = Journal(tmp_path / "j.db", quota_bytes=10**9)
    assert (second.last_seq(), second.last_time_ms(), second.offset("store")) == (1, 5000, 1)
    assert second.counts() == Counts(journaled=2, ignored=1)
    assert second.recent_fingerprints(10) == [(5000, [7, 7, 8])]
    second.close()


def test_time_never_goes_back(journal):
    """A clock that jumps back leaves the journal's time where it was."""
    journal.append((), committed_ms=10_000)
    journal.append((), committed_ms=4_000)
    assert [batch.committed_ms for batch in journal.read(0)] == [10_000, 10_000]


def test_a_full_journal_says_so_and_keeps_time(tmp_path):
    """At the quota readings are refused, heartbeats are not, and trimming makes room."""
    small = Journal(tmp_path / "j.db", quota_bytes=120_000)
    with pytest.raises(JournalFull, match="quota is 120000"):
        for number in range(1000):
            small.append(readings(200, number * 1000 + 1), committed_ms=number)
    filled = small.last_seq()
    assert small.append((), committed_ms=99_999) == filled + 1
    assert small.trim(filled) == filled - 1
    small.append(readings(200), committed_ms=100_000)
    small.close()


def test_a_damaged_batch_is_named_and_passed(tmp_path, journal):
    """What cannot be read is named by its number; what stands before it is delivered first."""
    for _ in range(3):
        journal.append(readings(2), committed_ms=1)
    with sqlite3.connect(tmp_path / "journal.db") as other:
        other.execute("UPDATE batches SET readings = x'c1ff' WHERE seq = 2")
    reopened = Journal(tmp_path / "journal.db", quota_bytes=10**9)
    assert [batch.seq for batch in reopened.read(0)] == [1]
    with pytest.raises(JournalDamaged) as caught:
        reopened.read(1)
    assert caught.value.seq == 2
    assert [batch.seq for batch in reopened.read(2)] == [3]
    reopened.close()


def test_quarantine_is_bounded_listed_and_released(journal):
    """Held messages are kept with their reason, grouped by unregistered device, and leave with their batch."""
    entry = QuarantineEntry(5, "t/1", b"\xff\x00", "not_utf8", "byte 0")
    stranger = QuarantineEntry(6, "t/2", b"{}", UNREGISTERED, "", "dev9", "tasmota", ("temperature",))
    journal.append((), committed_ms=1, quarantined=[entry, stranger, stranger], counts=Counts(quarantined=3))
    newest = journal.quarantined(limit=10)
    assert [one.code for one in newest] == [UNREGISTERED, UNREGISTERED, "not_utf8"]
    assert newest[-1].payload == b"\xff\x00"
    assert [(one.address, one.count) for one in journal.unregistered()] == [("dev9", 2)]
    journal.append(
        readings(1), committed_ms=2, released=[newest[0].id], counts=Counts(journaled=1, quarantined=-1)
    )
    assert journal.counts() == Counts(journaled=1, quarantined=2)
    assert journal.quarantine_entry(newest[0].id) is None


def test_readers_follow_a_writer(journal):
    """A consumer in another thread sees every batch once, in order, while it is written."""
    seen = []

    def follow():
        seq = 0
        while seq < 50:
            if journal.wait(seq, 5):
                for batch in journal.read(seq):
                    seen.append(batch.seq)
                    seq = batch.seq

    follower = threading.Thread(target=follow)
    follower.start()
    for number in range(50):
        journal.append(readings(1), committed_ms=number)
    follower.join(PATIENCE_S)
    assert seen == list(range(1, 51))


def test_what_is_in_memory_is_what_is_on_disk(tmp_path, clock):
    """A close follower, a late one and one after a restart read the same batches."""
    path = tmp_path / "j.db"
    journal = Journal(path, quota_bytes=10**9)
    for number in range(300):
        rows = readings(number % 5 * 200, clock.now_ms + number * 1000)
        journal.append(rows, committed_ms=clock.now_ms + number)
        if number % 50 == 49:
            assert journal.read(number)[0].seq == number + 1
    again = Journal(path, quota_bytes=10**9)
    for after in (0, 1, 100, 250, 298, 299, 300):
        assert journal.read(after, max_batches=7) == again.read(after, max_batches=7)
    assert journal._recent.after(0, 1) is None  # the oldest are not kept in memory
    assert len(journal.read(299)) == 1
    journal.close()
    again.close()


def test_a_journal_of_an_older_version_is_brought_up_to_date(tmp_path):
    """Its counts go on where they were."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.execute(
            "CREATE TABLE counts (one INTEGER PRIMARY KEY CHECK (one = 1), journaled INTEGER,"
            " quarantined INTEGER, duplicates INTEGER, ignored INTEGER)"
        )
        old.execute("INSERT INTO counts VALUES (1, 5, 4, 3, 2)")
    journal = Journal(path, quota_bytes=10**9)
    journal.append(readings(1), committed_ms=1, counts=Counts(journaled=1, limited=7))
    assert journal.counts() == Counts(6, 4, 3, 2, 7)
    journal.close()


def test_short_threads_leave_no_connection(journal):
    """Two hundred threads that each read once need one connection, not two hundred."""
    journal.append(readings(1), committed_ms=1)
    for _ in range(200):
        reader = threading.Thread(target=journal.counts)
        reader.start()
        reader.join()
    assert len(journal._connections._idle) == 1


def test_a_full_disk_is_said_so(journal):
    """Nothing is written, the error names file and remedy, and with room again it goes on."""
    writer = journal._connections._writer
    writer.execute(f"PRAGMA max_page_count={writer.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(DiskFull, match=r"journal journal\.db is not available: the disk is full"):
        journal.append(readings(5_000), committed_ms=1)
    assert journal.read(0) == []
    writer.execute("PRAGMA max_page_count=1000000")
    assert journal.append(readings(5_000), committed_ms=1) == 1


def test_a_later_versions_journal_is_refused(tmp_path):
    """Reading it anyway could spoil it."""
    with sqlite3.connect(tmp_path / "journal.db") as later:
        later.execute("PRAGMA user_version = 99")
    with pytest.raises(FileTooNew, match=r"journal\.db has version 99"):
        Journal(tmp_path / "journal.db", quota_bytes=10**9)
