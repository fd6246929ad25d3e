"""The operations database goes away and comes back: the rules lose nothing, and what was due meanwhile is told after."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from alerts.alert import AlertState
from alerts.book import AlertBook
from alerts.outbox import Outbox
from campus.clock import SECOND_MS
from campus.quantity import Quantity
from campus.reading import Reading, Series
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from service.runtime.rule_consumer import RuleConsumer

FREEZER = Series("freezer", Quantity.TEMPERATURE)
RULES = {"defaults": {"cold.above_limit": {"for_s": 300, "critical_for_s": 300, "keep_firing_for_s": 300}}}
OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)


class Outage:
    """Every statement fails while *away*, as at a server that is gone."""

    def __init__(self, database):
        self.away = False
        sa.event.listen(database, "before_cursor_execute", self._check)

    def _check(self, *_):
        if self.away:
            raise sa.exc.OperationalError("away", {}, ConnectionRefusedError("connection refused"))


class Rig:
    def __init__(self, campus, database, journal, clock):
        self.journal, self.clock = journal, clock
        self.book = AlertBook(database, lambda: campus)
        self.outbox = Outbox(database)
        self.outage = Outage(database)
        self._campus = campus
        self.consumer = self.made()
        self.consumer.recover()

    def made(self):
        return RuleConsumer(self.journal, Engine(self._campus, RuleSettings(RULES)), self.book)

    def minutes(self, count, value_c):
        """A reading a minute, with a round of the rules after each."""
        for _ in range(count):
            self.clock.forward(60)
            reading = Reading(FREEZER, value_c, self.clock.now_ms, self.clock.now_ms)
            self.journal.append([reading], committed_ms=self.clock.now_ms)
            self.consumer.worker.work()

    def alerts(self):
        return [one.rule for one in self.book.find(states=OPEN, subject="freezer")]


@pytest.fixture
def rig(campus, database, journal, clock):
    return Rig(campus, database, journal, clock)


def test_an_open_alert_resolves_after_the_outage(rig):
    """What went well while the database was away is seen when it is back, by the state from before."""
    rig.minutes(8, -4.0)
    assert rig.alerts() == ["cold.above_limit"]
    rig.outage.away = True
    rig.minutes(8, -18.0)
    rig.outage.away = False
    rig.minutes(1, -18.0)
    assert rig.alerts() == []


def test_what_was_due_meanwhile_is_told_after(rig):
    """A delay that ran out during the outage is told at its end, once, and with its own time."""
    rig.minutes(3, -18.0)
    rig.minutes(2, -4.0)
    rig.outage.away = True
    rig.minutes(6, -4.0)
    rig.outage.away = False
    rig.minutes(1, -4.0)
    (alert,) = rig.book.find(subject="freezer", states=OPEN)
    assert rig.clock.now_ms - alert.opened_ms == pytest.approx(3 * 60 * SECOND_MS, abs=61 * SECOND_MS)
    assert rig.outbox.waiting() == 1


def test_a_stop_during_the_outage_keeps_what_was_good(rig):
    """An engine that could not recover is never kept over the good snapshot, whatever the next start finds."""
    rig.minutes(8, -4.0)
    good = rig.book.position()[2]
    rig.outage.away = True
    rig.minutes(2, -4.0)
    rig.consumer.stop()
    rig.outage.away = False
    assert rig.book.position()[2] == good
    rig.consumer = rig.made()
    rig.consumer.recover()
    rig.minutes(8, -18.0)
    assert rig.alerts() == []


def test_a_step_recovers_by_itself(rig):
    """One that was never told to recover does so before it judges anything."""
    rig.minutes(8, -4.0)
    rig.consumer.stop()
    rig.consumer = rig.made()
    rig.minutes(8, -18.0)
    assert rig.alerts() == []
