"""A clock that is wrong and then set right, over a restart or while we run: alarms come as if nothing had been."""

from __future__ import annotations

import pytest

from alerts.alert import AlertState
from alerts.book import AlertBook
from alerts.channels.contract import sent
from alerts.dispatcher import Dispatcher
from alerts.outbox import Outbox
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from ingest.dedupe import Repeats
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from service.clock import SteadyClock
from service.runtime.heartbeat import Heartbeat
from service.runtime.rule_consumer import RuleConsumer
from store.journal.journal import Journal

NOON_MS = 1_795_233_600_000
YEAR_MS = 365 * DAY_MS
_ROUND_S = 60
OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)
FREEZER = Series("freezer", Quantity.TEMPERATURE)
#: warning after five minutes above the limit
RULES = {"defaults": {"cold.above_limit": {"for_s": 300, "critical_for_s": 300, "keep_firing_for_s": 0}}}


class Phone:
    def __init__(self):
        self.titles = []

    def send(self, message, recipient, *, doubtful=False):
        if "温度" in message.title:  # what the example's other devices do not say is not asked here
            self.titles.append(message.title)
        return sent()

    def close(self):
        pass


class Service:
    """The pipeline from a reading to a message, on clocks that move only when told."""

    def __init__(self, campus, database, path):
        self.campus, self.database, self.path = campus, database, path
        self.phone = Phone()
        self.right_ms, self.wrong_by_ms, self.steady_ms = NOON_MS, 0, 0
        self.start()

    def start(self):
        self.journal = Journal(self.path, quota_bytes=10**8)
        self.clock = SteadyClock(lambda: self.right_ms + self.wrong_by_ms, lambda: self.steady_ms)
        self.clock.continue_from(self.journal.last_time_ms())
        self.book = AlertBook(self.database, lambda: self.campus)
        self.rules = RuleConsumer(
            self.journal, Engine(self.campus, RuleSettings(RULES), blind_after_ms=5 * MINUTE_MS), self.book
        )
        self.rules.recover()
        self.repeats = Repeats()
        self.heartbeat = Heartbeat(self.journal, self.rules, self.rules, self.clock)
        self.dispatcher = Dispatcher(
            Outbox(self.database),
            {"phone": self.phone, "console": self.phone},
            self.book,
            now_ms=self.clock,
        )
        self.dispatcher.start()
        self.dispatcher.stop()  # its threads; we send by hand

    def stop(self):
        self.rules.stop()
        self.journal.close()

    def run(self, minutes, value_c, *, own_time=False):
        """*minutes* of a reading each; the minutes until the first message of them, None for none."""
        before, first = len(self.phone.titles), None
        for second in range(0, minutes * 60, _ROUND_S):
            self.right_ms += _ROUND_S * SECOND_MS
            self.steady_ms += _ROUND_S * SECOND_MS
            if second % 60 == 0:
                self.publish(value_c, own_time=own_time)
            self.heartbeat.beat()
            while self.rules.step():
                pass
            while self.dispatcher.send_next("phone"):
                pass
            if first is None and len(self.phone.titles) > before:
                first = second / 60
        return first

    def publish(self, value_c, *, own_time):
        now_ms = self.clock()
        time_ms = self.right_ms if own_time and self.right_ms <= now_ms + 10 * MINUTE_MS else now_ms
        quality = Quality.LATE if now_ms - time_ms > HOUR_MS else Quality.GOOD
        readings = self.repeats.fresh([Reading(FREEZER, value_c, time_ms, now_ms, quality)])
        self.journal.append(readings, committed_ms=now_ms)


@pytest.fixture
def service(campus, database, tmp_path):
    made = Service(campus, database, tmp_path / "journal.db")
    yield made
    made.stop()


@pytest.mark.parametrize("own_time", [False, True])
@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "running"])
@pytest.mark.parametrize("wrong_by_ms", [8 * MINUTE_MS, HOUR_MS, 3 * YEAR_MS])
def test_set_right_after_it_was_ahead(service, wrong_by_ms, stopped, own_time):
    """A freezer that warms up after the correction is told after its five minutes, by its true time."""
    service.wrong_by_ms = wrong_by_ms
    service.run(8, -18.0, own_time=own_time)
    if stopped:
        service.stop()
    service.wrong_by_ms = 0
    if stopped:
        service.start()
    service.run(2, -18.0, own_time=own_time)
    assert service.phone.titles == []
    assert service.run(12, -4.0, own_time=own_time) == pytest.approx(
        5, abs=5.5 if wrong_by_ms < HOUR_MS else 1
    )
    (alert,) = [one for one in service.book.open_alerts() if one.rule == "cold.above_limit"]
    assert abs(alert.opened_ms - service.right_ms) < 20 * MINUTE_MS


@pytest.mark.parametrize("wrong_by_ms", [HOUR_MS, 3 * YEAR_MS])
@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "running"])
def test_what_was_open_ends_and_what_had_held_goes_on(service, wrong_by_ms, stopped):
    """An alert opened at a time that lies ahead resolves; a delay half over at the correction is not begun anew."""
    service.wrong_by_ms = wrong_by_ms
    service.run(8, -4.0)
    assert len(service.phone.titles) == 1
    if stopped:
        service.stop()
    service.wrong_by_ms = 0
    if stopped:
        service.start()
    assert service.run(3, -18.0) is not None
    assert service.book.find(rule="cold.above_limit", states=OPEN) == []
    (alert,) = service.book.find(rule="cold.above_limit")
    assert alert.opened_ms <= alert.resolved_ms <= service.right_ms
    service.run(3, -4.0)
    service.wrong_by_ms = -HOUR_MS
    assert service.run(10, -4.0) == pytest.approx(2, abs=1)


def test_a_message_due_ahead_goes_out_at_once(service):
    """What the outbox holds for a time that lies ahead is sent with the first round after the correction."""
    service.wrong_by_ms = 3 * YEAR_MS
    service.dispatcher._channels = {}
    service.run(8, -4.0)
    assert service.phone.titles == []
    service.stop()
    service.wrong_by_ms = 0
    service.start()
    service.run(1, -4.0)
    assert len(service.phone.titles) == 1


@pytest.mark.parametrize("behind_ms", [HOUR_MS, 400 * DAY_MS])
@pytest.mark.parametrize("own_time", [False, True])
def test_a_start_with_a_clock_that_is_behind(service, behind_ms, own_time):
    """A clock that lost its battery while we were away hides nothing, neither before nor after it is set right."""
    service.run(3, -18.0, own_time=own_time)
    service.stop()
    service.wrong_by_ms = -behind_ms
    service.start()
    service.run(2, -18.0, own_time=own_time)
    assert service.run(8, -4.0, own_time=own_time) == pytest.approx(5, abs=1)
    assert service.run(3, -18.0, own_time=own_time) is not None
    service.wrong_by_ms = 0
    service.run(2, -18.0, own_time=own_time)
    assert service.run(8, -4.0, own_time=own_time) == pytest.approx(5, abs=1)


@pytest.mark.parametrize("wrong_ms", [0, NOON_MS + 73 * YEAR_MS], ids=["1970", "2099"])
@pytest.mark.parametrize("own_time", [False, True])
@pytest.mark.parametrize("known", [True, False], ids=["again", "first"])
def test_a_start_at_a_time_that_cannot_be(campus, database, tmp_path, wrong_ms, own_time, known):
    """With the clock of 1970 or 2099 alarms are raised and sent, and go on when it is corrected while we run."""
    service = Service(campus, database, tmp_path / "journal.db")
    if known:
        service.run(5, -18.0, own_time=own_time)
    service.stop()
    if not known:
        (tmp_path / "journal.db").unlink()
    service.wrong_by_ms = wrong_ms - service.right_ms
    service.start()
    service.run(3, -18.0, own_time=own_time)
    assert service.run(8, -4.0, own_time=own_time) == pytest.approx(5, abs=1)
    assert service.run(3, -18.0, own_time=own_time) is not None
    service.wrong_by_ms = 0
    service.run(3, -18.0, own_time=own_time)
    assert service.run(8, -4.0, own_time=own_time) == pytest.approx(5, abs=1)
    service.stop()


def test_what_is_learned_outlives_the_correction(service):
    """The rules' state is moved, not lost: as many moments as before, none of them ahead of the clock."""
    service.wrong_by_ms = HOUR_MS
    service.run(10, -18.0)
    before = len(service.rules._engine.snapshot())
    service.wrong_by_ms = 0
    service.run(1, -18.0)
    assert len(service.rules._engine.snapshot()) == pytest.approx(before, rel=0.05)
    assert service.rules._engine.heard_ms("freezer") <= service.right_ms
