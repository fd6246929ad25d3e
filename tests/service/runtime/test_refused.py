"""A reading the store will never take is held where people see it, and stops nothing."""

from tests_support import wait_until

from campus.clock import DAY_MS, HOUR_MS
from campus.quantity import Quantity
from campus.reading import Reading, Series
from service.desks.quarantine_desk import held_reading
from store.quarantine import REFUSED


def test_a_refused_reading_is_in_quarantine(running):
    """It is listed with its reason, the rest of its batch is stored, the counts of messages stay, and replay passes it over."""
    runtime = running.runtime
    now_ms = runtime.now_ms()
    runtime.store.delete_before(now_ms - DAY_MS, keep_hours=True)
    series, before = Series("freezer", Quantity.TEMPERATURE), runtime.journal.counts()
    times = [now_ms - 3 * HOUR_MS, now_ms - 2 * DAY_MS, now_ms - 2 * HOUR_MS]
    runtime.journal.append([Reading(series, -18.0, at_ms, now_ms) for at_ms in times], committed_ms=now_ms)
    wait_until(lambda: runtime.storing.seq == runtime.journal.last_seq() and runtime.storing.refused == 1)
    (held,) = running.http.get("/api/quarantine", params={"code": REFUSED}).json()
    assert "closed" in held["detail"]
    assert "freezer" in held["topic"]
    assert len(runtime.store.query(series, now_ms - 9 * DAY_MS, now_ms)) == 2
    assert runtime.journal.counts() == before
    assert runtime.services().quarantine.replay([held["id"]]) == 0


def test_any_name_can_be_held():
    """A name that no database takes, for which it was refused, is shown escaped."""
    series = Series("d\ud800", Quantity.ENERGY, "a\nb")
    entry = held_reading(Reading(series, float("nan"), -5, 0), f"name {series.device!r}", 7)
    assert entry.topic.encode()
    assert entry.detail.encode()
    assert b'"nan"' in entry.payload
