"""What keeps the service from its work becomes an alert, is told, and ends by itself."""

from __future__ import annotations

import pytest

from alerts.book import AlertBook
from alerts.outbox import Outbox
from alerts.own import service as own
from campus.text import translator
from rules.level import Level
from service.health.looks import catalogue
from service.health.looks.clock_watch import Drift
from service.health.watch import Watch
from service.runtime.heartbeat import Heartbeat
from service.trouble import Trouble
from store.errors import JournalFull
from store.journal.journal import Journal
from store.operations.database import open_database

MINUTE_MS = 60_000


@pytest.fixture
def book(database, campus):
    return AlertBook(database, lambda: campus)


def rounds(watch, clock, seconds, every_s=2):
    """Looks again and again for *seconds*; the states it went to."""
    found = []
    for _ in range(int(seconds / every_s)):
        found += [(one.rule, one.to_state.value) for one in watch.look(clock.now_ms)]
        clock.forward(every_s)
    return found


def test_a_trouble_that_lasts(book, clock, database):
    """It is told after its time, told once, and ends a minute after it is gone."""
    wrong = [Trouble(own.BROKER_AWAY, "broker", Level.CRITICAL, {"reason": "gone"}, 2 * MINUTE_MS)]
    notified = []
    watch = Watch(book, [lambda _: list(wrong)], notify=lambda: notified.append(1))
    assert rounds(watch, clock, 118) == []
    assert rounds(watch, clock, 600) == [(own.BROKER_AWAY, "firing")]
    (alert,) = book.open_alerts()
    assert (alert.severity, alert.evidence["facts"]) == (Level.CRITICAL, {"reason": "gone"})
    assert Outbox(database).waiting() == 1
    wrong.clear()
    assert rounds(watch, clock, 56) == []
    assert rounds(watch, clock, 60) == [(own.BROKER_AWAY, "resolved")]
    assert book.open_alerts() == []
    assert len(notified) == 2


def test_a_short_trouble_is_none(book, clock):
    """What is gone before its time was never an alert, and does not add up over days."""
    on = [True]
    watch = Watch(
        book, [lambda _: [Trouble("service.x", "x", Level.WARNING, {}, MINUTE_MS)] if on[0] else []]
    )
    for _ in range(20):
        on[0] = True
        assert rounds(watch, clock, 50) == []
        on[0] = False
        assert rounds(watch, clock, 10) == []


def test_a_flickering_trouble_stays_one(book, clock):
    """While it comes and goes within a minute, it is one alert."""
    on = [True]
    watch = Watch(book, [lambda _: [Trouble("service.x", "x", Level.WARNING, {})] if on[0] else []])
    found = []
    for number in range(30):
        on[0] = number % 2 == 0
        found += rounds(watch, clock, 20)
    assert found == [("service.x", "firing")]


def test_a_restart_takes_up_what_was_open(book, clock):
    """An alert that was open when the service ended is neither told again nor left open for ever."""
    wrong = [Trouble(own.STORE_AWAY, "store", Level.WARNING, {})]
    rounds(Watch(book, [lambda _: wrong]), clock, 4)
    again = Watch(book, [lambda _: wrong])
    again.recover(catalogue.rules(), clock.now_ms)
    assert rounds(again, clock, 100) == []
    wrong.clear()
    assert rounds(again, clock, 100) == [(own.STORE_AWAY, "resolved")]


def test_a_book_that_cannot_be_written_is_tried_again(campus, tmp_path, clock):
    """Where the alert itself cannot be kept now, the next round does it."""
    database = open_database(f"sqlite:///{tmp_path / 'o.db'}")
    book = AlertBook(database, lambda: campus)
    watch = Watch(book, [lambda _: [Trouble(own.DISK_LOW, "disk", Level.CRITICAL, {"free_gb": 0.1})]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(book, "take_own", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            watch.look(clock.now_ms)
    assert rounds(watch, clock, 4) == [(own.DISK_LOW, "firing")]
    database.dispose()


@pytest.mark.parametrize("jump_min", [60, -60, 3, -3])
def test_a_clock_that_jumps(jump_min):
    """A jump of minutes is noticed at once, by how much, and told for ten minutes; a slow drift is not one."""
    drift = Drift()
    wall_ms = steady_ms = 10**12
    for _ in range(100):
        wall_ms, steady_ms = wall_ms + 2_010, steady_ms + 2_000
        assert drift.jumped_ms(wall_ms, steady_ms) == 0
    wall_ms += jump_min * MINUTE_MS
    told = []
    for _ in range(400):
        wall_ms, steady_ms = wall_ms + 2_000, steady_ms + 2_000
        told.append(drift.jumped_ms(wall_ms, steady_ms))
    assert [round(one / MINUTE_MS) for one in told] == [jump_min] * 300 + [0] * 100


@pytest.mark.parametrize("rule", catalogue.rules())
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_each_is_said_in_words(campus, rule, language):
    """Every one of them has a title without holes, its facts a line each, and advice."""
    facts = {
        "reason": "why",
        "broker": "lora",
        "topic": "a/b",
        "messages": 5,
        "free_gb": 0.5,
        "minutes": 61.0,
        "clock": "1970-01-01 08:00",
    }
    words = own.texts_for(rule, "x", {"facts": facts}, campus, translator(language))
    assert "{" not in words.title
    assert len(words.lines) == len(facts)
    assert words.advice


class _Consumer:
    """A consumer that has seen everything up to *seq*."""

    def __init__(self):
        self.seq = self.snapshot_seq = self.kept_from_seq = 0


def test_a_full_journal_is_trimmed_and_told(tmp_path, clock):
    """A journal that nobody can trim is full and said so; once its readers have gone on, it empties by itself."""
    from campus.quantity import Quantity
    from campus.reading import Reading, Series

    journal = Journal(tmp_path / "j.db", quota_bytes=400_000)
    reader = _Consumer()
    heartbeat = Heartbeat(journal, reader, reader, clock)
    series = Series("d", Quantity.TEMPERATURE)

    def fill():
        while True:
            rows = [Reading(series, float(n), clock.now_ms + n, clock.now_ms) for n in range(500)]
            journal.append(rows, committed_ms=clock.now_ms)
            clock.forward(1)

    with pytest.raises(JournalFull):
        fill()
    heartbeat.beat()
    with pytest.raises(JournalFull):
        fill()
    reader.seq = reader.snapshot_seq = reader.kept_from_seq = journal.last_seq()
    heartbeat.beat()
    assert not journal.nearly_full()
    journal.append([Reading(series, 1.0, clock.now_ms, clock.now_ms)], committed_ms=clock.now_ms)
    journal.close()
