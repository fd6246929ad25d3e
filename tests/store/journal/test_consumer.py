"""The store's consumer: nothing is skipped, an outage is waited out, and one bad reading stops nobody."""

import math

import pytest
from structlog.testing import capture_logs
from tests_support import wait_until

from campus import selftest
from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.errors import StoreMissing, StoreUnavailable
from store.journal.consumer import NAME, ConsumerStatus, StoreConsumer
from store.journal.journal import Journal
from store.timeseries.contract import Point
from store.timeseries.embedded import EmbeddedStore

SERIES = Series("d", Quantity.TEMPERATURE)


class FakeStore:
    """Remembers writes; raises the errors it is told to, first."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.writes = []

    def write(self, readings):
        if self.errors:
            raise self.errors.pop(0)
        self.writes.append([one.time_ms for one in readings])


def away():
    return StoreUnavailable("http://influx", "HTTP 503")


def batch(start_ms, count=1):
    return [Reading(SERIES, float(n), start_ms + n, start_ms + n) for n in range(count)]


@pytest.fixture
def embedded(tmp_path):
    opened = EmbeddedStore(tmp_path / "timeseries.db")
    yield opened
    opened.close()


def test_batches_are_written_together(journal):
    """Several batches are one write, in order, and the offset is that of the last."""
    for number in range(5):
        journal.append(batch(number * 10, 2), committed_ms=number)
    store = FakeStore()
    consumer = StoreConsumer(journal, store)
    assert consumer.step()
    assert store.writes == [[0, 1, 10, 11, 20, 21, 30, 31, 40, 41]]
    assert journal.offset(NAME) == consumer.seq == journal.last_seq()
    assert not consumer.step()


@pytest.mark.parametrize(
    ("sizes", "writes"),
    [
        ([2000, 2000, 2000], [4000, 2000]),
        ([2500, 2500, 1], [5000, 1]),
        ([9000, 1], [9000, 1]),  # a batch is never divided
        ([1, 9000], [1, 9000]),
        ([0, 3, 0], [3]),
        ([0, 0], []),  # heartbeats only
    ],
)
def test_the_size_of_a_write(journal, sizes, writes):
    """A write holds up to 5,000 readings, at least one batch, and nothing for heartbeats."""
    for number, size in enumerate(sizes):
        journal.append(batch(number * 10_000, size), committed_ms=number)
    store = FakeStore()
    consumer = StoreConsumer(journal, store)
    while consumer.step():
        pass
    assert [len(one) for one in store.writes] == writes
    assert journal.offset(NAME) == len(sizes)


def test_a_failed_write_keeps_the_offset(journal):
    """Nothing is skipped when the store is away: the same readings are written by the next step."""
    journal.append(batch(1), committed_ms=1)
    store = FakeStore(away())
    consumer = StoreConsumer(journal, store)
    with pytest.raises(StoreUnavailable):
        consumer.step()
    assert journal.offset(NAME) == 0
    assert consumer.step()
    assert store.writes == [[1]]


def test_an_outage_is_waited_out_with_growing_pauses(journal):
    """Pauses grow from a second to a minute, with one line when it begins and one when it ends."""
    journal.append(batch(1), committed_ms=1)
    consumer = StoreConsumer(journal, FakeStore(*[away() for _ in range(8)]))
    with capture_logs() as logs:
        assert [consumer.worker.work() for _ in range(8)] == [1, 2, 5, 15, 30, 60, 60, 60]
        assert consumer.unavailable == consumer.status().error == "HTTP 503"
        assert consumer.worker.work() == 0
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("worker.failed", "warning"),
        ("worker.recovered", "info"),
    ]
    assert "HTTP 503" in logs[0]["reason"]
    assert logs[1]["failures"] == 8
    assert consumer.unavailable == consumer.status().error == ""


def test_a_fault_is_logged_once_and_tried_again(journal):
    """An error nobody foresaw is written down with its trace once, and loses nothing."""
    journal.append(batch(1), committed_ms=1)
    store = FakeStore(RuntimeError("odd"), RuntimeError("odd"), RuntimeError("odd"))
    consumer = StoreConsumer(journal, store)
    with capture_logs() as logs:
        for _ in range(4):
            consumer.worker.work()
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["worker.failed"]
    assert store.writes == [[1]]


def test_stopping_ends_a_pause_at_once(journal):
    """A consumer that waits for its store stops without waiting the pause out, and leaves no thread."""
    journal.append(batch(1), committed_ms=1)
    consumer = StoreConsumer(journal, FakeStore(*[away()] * 100))
    consumer.worker.failures_in_a_row = 5  # the next pause is a minute
    consumer.start()
    wait_until(lambda: consumer.worker.failures_in_a_row == 6)
    assert consumer.status().error == "HTTP 503"
    consumer.stop()
    assert not consumer.worker.alive


def test_refused_readings_are_counted_and_told(journal, embedded):
    """Each reading the store will never take is counted, logged with its series, and told; the others are stored."""
    bad = [Reading(SERIES, math.nan, 5, 5), Reading(SERIES, math.inf, 6, 6)]
    journal.append([*batch(1), bad[0], *batch(2), bad[1]], committed_ms=1)
    told = []
    consumer = StoreConsumer(
        journal, embedded, on_refused=lambda reading, reason: told.append((reading, reason))
    )
    with capture_logs() as logs:
        assert consumer.step()
    assert [(math.isnan(one.value), one.time_ms) for one, _ in told] == [(True, 5), (False, 6)]
    assert consumer.refused == consumer.status().refused == 2
    assert {line["event"] for line in logs} == {"store.point_refused"}
    assert [point.time_ms for point in embedded.query(SERIES, 0, 100)] == [1, 2]
    assert journal.offset(NAME) == 1


def test_a_crash_between_write_and_offset_changes_nothing(journal, embedded):
    """Batches written twice are in the store once."""
    for number in range(10):
        journal.append(batch(number * 10, 3), committed_ms=number)
    StoreConsumer(journal, embedded).step()
    before = embedded.query(SERIES, 0, 1000)
    journal.save_offset(NAME, 4)  # as if the later offset had been lost
    StoreConsumer(journal, embedded).step()
    assert embedded.query(SERIES, 0, 1000) == before
    assert len(before) == 30


def test_status_tells_how_far_behind(journal):
    """The lag is counted in batches, and in the age of the oldest that waits against the newest."""
    store = FakeStore(away())
    consumer = StoreConsumer(journal, store)
    assert consumer.status() == ConsumerStatus(0, 0, 0, "")
    for committed_ms in (1_000, 5_000, 12_000):
        journal.append(batch(committed_ms), committed_ms=committed_ms)
    assert consumer.status() == ConsumerStatus(3, 11_000, 0, "")
    journal.save_offset(NAME, 1)
    assert StoreConsumer(journal, store).status() == ConsumerStatus(2, 7_000, 0, "")


def test_a_damaged_batch_is_passed(journal, embedded, tmp_path):
    """A batch that cannot be read after a restart is said aloud and passed; those before and after it are stored."""
    for number in range(3):
        journal.append(batch(number), committed_ms=number)
    with journal._connections.writing() as connection:
        connection.execute("UPDATE batches SET readings = x'c1' WHERE seq = 2")
    reopened = Journal(tmp_path / "journal.db", quota_bytes=10**9)
    consumer = StoreConsumer(reopened, embedded)
    with capture_logs() as logs:
        while consumer.step():
            pass
    assert [line["event"] for line in logs] == ["journal.batch_damaged"]
    assert [point.time_ms for point in embedded.query(SERIES, 0, 10)] == [0, 2]
    assert consumer.status().lag_batches == 0
    reopened.close()


class Forgetful(FakeStore):
    """Confirms writes, and loses the newest when it is killed."""

    def __init__(self):
        super().__init__()
        self.points = {}

    def write(self, readings):
        super().write(readings)
        self.points |= {one.time_ms: one.value for one in readings}

    def latest(self, _series):
        newest = max(self.points, default=None)
        return {} if newest is None else {SERIES: Point(newest, self.points[newest])}

    def lose_after(self, time_ms):
        self.points = {at: value for at, value in self.points.items() if at <= time_ms}


def test_what_a_server_confirmed_in_memory_only_is_written_again(journal):
    """After an outage the last minutes are repeated, as often as it fails; nothing is missing, and no more is read."""
    store = Forgetful()
    consumer = StoreConsumer(journal, store, rewrite_ms=120_000)
    for number in range(600):
        journal.append(batch(number * 1000), committed_ms=number * 1000)
    while consumer.step():
        pass
    assert consumer.kept_from_seq == 480 - 1
    store.lose_after(590_000)
    for _ in range(3):  # killed, and away for a while
        store.errors = [away()]
        journal.append(batch(journal.last_seq() * 1000), committed_ms=journal.last_seq() * 1000)
        consumer.worker.work()
    assert consumer.unavailable
    assert journal.trim(consumer.kept_from_seq) > 0
    while consumer.step():
        pass
    assert sorted(store.points) == [number * 1000 for number in range(603)]
    assert consumer.seq == journal.last_seq()


def test_a_start_repeats_the_last_minutes_too(journal):
    """A power cut takes the server's memory and ours together."""
    store, behind = Forgetful(), []
    for number in range(600):
        journal.append(batch(number * 1000), committed_ms=number * 1000)
    first = StoreConsumer(journal, store, rewrite_ms=120_000)
    while first.step():
        pass
    store.lose_after(590_000)
    again = StoreConsumer(journal, store, rewrite_ms=120_000, on_behind=behind.append)
    assert again.seq == 600
    while again.step():
        pass
    assert len(store.points) == 600
    assert behind == []


def test_a_store_that_lacks_but_the_self_tests_lacks_nothing(journal):
    """The self-test's readings are never stored: after a quiet time they are the newest, and no sign of a loss."""
    store, behind = Forgetful(), []
    for number in range(10):
        journal.append(batch(number * 1000), committed_ms=number * 1000)
    for number in range(10, 13):
        test = [Reading(selftest.SERIES, float(number), number * 1000, number * 1000)]
        journal.append(test, committed_ms=number * 1000)
    first = StoreConsumer(journal, store)
    while first.step():
        pass
    again = StoreConsumer(journal, store, on_behind=behind.append)
    while again.step():
        pass
    assert behind == []


@pytest.mark.parametrize("lost_from", [0, 300_000])
def test_a_store_that_lacks_what_it_took_is_given_all_there_is(journal, lost_from):
    """A new store, or an older copy of it: everything the journal holds is written again, and said."""
    store, behind = Forgetful(), []
    for number in range(600):
        journal.append(batch(number * 1000), committed_ms=number * 1000)
    first = StoreConsumer(journal, store)
    while first.step():
        pass
    journal.trim(101)
    store.lose_after(lost_from - 1)
    again = StoreConsumer(journal, store, on_behind=behind.append)
    while again.step():
        pass
    assert behind == [500]
    assert min(store.points) == (0 if lost_from else 100_000)
    assert {number * 1000 for number in range(100, 600)} <= set(store.points)


@pytest.mark.parametrize("kept_until_ms", [-1, 300_000])
def test_a_server_put_back_while_we_run_is_given_all_there_is(journal, kept_until_ms):
    """A server that comes back from an outage empty, or as an older copy, is given everything the journal holds, and it is said."""
    store, behind = Forgetful(), []
    consumer = StoreConsumer(journal, store, rewrite_ms=120_000, on_behind=behind.append)
    for number in range(600):
        journal.append(batch(number * 1000), committed_ms=number * 1000)
    while consumer.step():
        pass
    store.lose_after(kept_until_ms)
    store.errors = [away()]
    journal.append(batch(600_000), committed_ms=600_000)
    consumer.worker.work()
    while consumer.step():
        pass
    assert behind == [600]
    assert sorted(store.points) == [number * 1000 for number in range(601)]


def test_a_store_that_is_gone_is_written_anew(journal):
    """Where the server answers that there is no such store any more, everything is written again: only a write makes it."""

    class Gone(Forgetful):
        def latest(self, series):
            if not self.points:
                raise StoreMissing("http://influx", "the bucket does not exist")
            return super().latest(series)

    store, behind = Gone(), []
    for number in range(10):
        journal.append(batch(number * 1000), committed_ms=number * 1000)
    journal.save_offset(NAME, 10)
    consumer = StoreConsumer(journal, store, rewrite_ms=120_000, on_behind=behind.append)
    while consumer.step():
        pass
    assert (len(store.points), behind) == (10, [10])
