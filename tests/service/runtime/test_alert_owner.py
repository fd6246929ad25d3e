"""Every open alert has somebody who sees its end: over rules switched off, devices removed, reloads and restarts."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.alert import AlertState
from alerts.book import AlertBook
from campus.campus import Campus
from campus.quantity import Quantity
from campus.reading import Reading, Series
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from service.runtime.rule_consumer import RuleConsumer
from store.operations.tables import OutboxRow

FREEZER = Series("freezer", Quantity.TEMPERATURE)
OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)


def rules(*, enabled=True):
    return {
        "defaults": {
            "cold.above_limit": {"for_s": 0, "critical_for_s": 0, "keep_firing_for_s": 0, "enabled": enabled}
        }
    }


class Rig:
    """Rules on a journal, whose campus and settings change."""

    def __init__(self, campus, database, journal, clock):
        self.campus, self.journal, self.clock, self.database = campus, journal, clock, database
        self.settings, self.resting = rules(), frozenset()
        self.book = AlertBook(database, lambda: self.campus)
        self.restart()

    def engine(self):
        return Engine(self.campus, RuleSettings(self.settings), set_aside=self.resting)

    def restart(self):
        self.consumer = RuleConsumer(self.journal, self.engine(), self.book)
        self.consumer.recover()

    def reload(self, *, enabled=True, without=""):
        self.settings = rules(enabled=enabled)
        devices = [one for one in self.whole.devices.values() if one.id != without]
        self.campus = Campus(site=self.whole.site, devices=devices)
        self.consumer.swap_engine(self.engine())
        self.minutes(1, None)

    def minutes(self, count, value_c):
        for _ in range(count):
            self.clock.forward(60)
            readings = (
                [] if value_c is None else [Reading(FREEZER, value_c, self.clock.now_ms, self.clock.now_ms)]
            )
            self.journal.append(readings, committed_ms=self.clock.now_ms)
            self.consumer.step()

    def open(self):
        return [one.subject for one in self.book.find(states=OPEN, rule="cold.above_limit")]

    def titles(self):
        with Session(self.database) as session:
            return [
                row.message["title"][:5]
                for row in session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id))
            ]

    def last_text(self):
        with Session(self.database) as session:
            message = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id.desc())).first().message
            return "\n".join([message["title"], *message["lines"]])


@pytest.fixture
def rig(campus, database, journal, clock):
    made = Rig(campus, database, journal, clock)
    made.whole = campus
    made.minutes(2, -4.0)
    assert made.open() == ["freezer"]
    return made


@pytest.mark.parametrize("how", ["reload", "restart"])
def test_an_alert_of_a_rule_at_rest_stays_open(rig, how):
    """Nobody is told that all is well because the rule rests; once it judges again, it sees the end."""
    rig.resting = frozenset({"cold.above_limit/freezer"})
    rig.reload()
    if how == "restart":
        rig.restart()
    rig.minutes(3, -4.0)
    assert rig.open() == ["freezer"]
    told = len(rig.titles())
    rig.resting = frozenset()
    rig.reload()
    rig.minutes(2, -4.0)
    assert rig.open() == ["freezer"]
    assert len(rig.titles()) == told, "nothing new is to be told"
    rig.minutes(2, -20.0)
    assert rig.open() == []


@pytest.mark.parametrize("gone", [{"enabled": False}, {"without": "freezer"}], ids=["rule", "device"])
@pytest.mark.parametrize("how", ["reload", "restart"])
def test_an_alert_that_nobody_judges_ends(rig, gone, how):
    """Rule off or device removed: the alert ends and says why; with both back the same trouble is told again."""
    if how == "restart":
        rig.consumer.swap_engine = lambda _: rig.restart_with_settings()
        rig.restart_with_settings = rig.restart
    rig.reload(**gone)
    assert rig.open() == []
    (alert,) = rig.book.find(rule="cold.above_limit")
    assert "ended: " in rig.book.events(alert.id)[-1].detail["reason"]
    assert "不表示已经恢复正常" in rig.last_text()
    rig.minutes(2, -18.0)
    rig.reload()
    rig.minutes(2, -4.0)
    assert rig.open() == ["freezer"]
    assert [title[1:3] for title in rig.titles()] == ["紧急", "已结", "紧急"]


def test_an_alert_ends_that_was_open_while_its_rule_was_away(rig):
    """Switched off and on while the service was not running, the alert is taken up again and resolves."""
    rig.settings = rules()
    rig.consumer._engine.reset()
    rig.book.apply(
        [], seq=rig.consumer.seq, time_ms=rig.clock.now_ms, snapshot=rig.consumer._engine.snapshot()
    )
    rig.restart()
    assert rig.open() == ["freezer"]
    rig.minutes(3, -18.0)
    assert rig.open() == []


def test_a_recovery_says_what_is_well_and_how_bad_it_was(rig):
    """It shows the reading that is well again, how long it lasted and the worst value, and no bad value as the present."""
    rig.minutes(3, -2.0)
    rig.minutes(85, -6.1)
    rig.minutes(2, -18.25)
    text = rig.last_text()
    assert text.startswith("【已恢复】")
    assert "现在 -18.25 °C" in text
    assert "最高 -2.0 °C" in text
    assert "持续 1 小时 30 分" in text
    assert "现在 -6.1" not in text
    assert "限值" in text


def test_an_exercise_leaves_nothing_open(running):
    """What an exercise left open as the service died at its end is ended at the next start, and nothing real with it."""
    book, now_ms = running.runtime.book, running.runtime.now_ms()
    book.raise_own("cold.above_limit", "drill-freezer", {"facts": {}}, now_ms, drill=True)
    book.raise_own("cold.above_limit", "freezer", {"facts": {}}, now_ms)
    running.runtime.drills.recover()
    assert [one.subject for one in book.open_alerts() if one.rule == "cold.above_limit"] == ["freezer"]
