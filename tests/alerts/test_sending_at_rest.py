"""A message, or a channel, at which the service died rests; nobody is left untold for it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.book import AlertBook
from alerts.channels.contract import sent
from alerts.dispatcher import Dispatcher
from alerts.outbox import Outbox
from alerts.send_guard import SendGuard
from campus.campus import Campus
from campus.clock import DAY_MS, SECOND_MS
from campus.site import Site
from rules.level import Level, State
from rules.verdict import Evidence, Transition
from store.operations.tables import OutboxRow
from store.poison.handling import Handling
from store.poison.record import Kind, Poison, Suspect


class Killed(BaseException):
    """The process dies while it sends."""


class Line:
    """A channel that takes every message, but for those at which it kills."""

    def __init__(self):
        self.sent, self.kills = [], lambda _: False

    def send(self, message, _recipient, *, doubtful=False):
        if self.kills(message):
            raise Killed
        self.sent.append(message.what)
        return sent()

    def close(self):
        pass


class Rig:
    """A book, an outbox, channels, and lives that end with a death, on a clock that moves when told."""

    def __init__(self, site, devices, database, clock, path, fallback=()):
        route = {"severity": "warning", "channels": ["phone"], "fallback": list(fallback)}
        campus = Campus(site=Site.model_validate(site.model_dump() | {"routes": [route]}), devices=devices)
        self.clock, self.path, self.database = clock, path, database
        self.book, self.outbox = AlertBook(database, lambda: campus), Outbox(database)
        self.lines = {"phone": Line(), "console": Line()}
        self.deaths, self.seq = 0, 0
        self.live()

    def live(self, *suspects):
        """A start after a death in sending *suspects*."""
        self.poison = Poison(self.path / "poison.json")
        self.poison.blame([Suspect(Kind.CHANNEL, one, "phone") for one in suspects], self.clock())
        self.guard = SendGuard(Handling(self.path / "handling.bin"), self.poison, self.clock)
        self.dispatcher = Dispatcher(self.outbox, self.lines, self.book, now_ms=self.clock, guard=self.guard)
        self.outbox.revive(self.clock())

    def fire(self, subject):
        self.seq += 1
        evidence = Evidence({"temperature_c": -5.0}, self.clock.now_ms, (), "cold.above_limit")
        one = Transition(
            self.clock.now_ms,
            "cold.above_limit",
            subject,
            State.PENDING,
            State.FIRING,
            Level.WARNING,
            evidence,
        )
        self.book.apply([one], seq=self.seq, time_ms=self.clock.now_ms)

    def run(self, seconds, step_s=10):
        """Time passes, everything due is tried; after a death the service starts anew."""
        for _ in range(seconds // step_s):
            self.clock.now_ms += step_s * SECOND_MS
            try:
                for name in self.lines:
                    while self.dispatcher.send_next(name):
                        pass
            except Killed:
                self.deaths += 1
                self.live(self.guard._sending["phone"])

    def states(self):
        with Session(self.database) as session:
            return sorted(session.scalars(sa.select(OutboxRow.state)))


@pytest.fixture
def make(site, devices, database, clock, tmp_path):
    return lambda fallback=(): Rig(site, devices, database, clock, tmp_path, fallback)


def test_the_only_channel_is_never_given_up(make):
    """Deaths at random while it sends, as the machine has no memory: all is sent once that ends, within the first rest."""
    rig = make()
    subjects = ["freezer", "fridge"]
    for one in subjects:
        rig.fire(one)
    deaths = iter([True] * 5)
    rig.lines["phone"].kills = lambda _: next(deaths, False)
    rig.run(20 * 60)
    assert rig.states() == ["sent"] * len(rig.states())
    assert rig.lines["phone"].sent
    assert [one for one in rig.poison.all() if not one.item] == []


def test_two_deaths_at_one_message_cost_a_minute(make):
    """It is not sent a third time soon, and sent after the first rest."""
    rig = make()
    rig.fire("freezer")
    deaths = iter([True] * 2)
    rig.lines["phone"].kills = lambda _: next(deaths, False)
    rig.run(40)
    assert (rig.deaths, rig.lines["phone"].sent) == (2, [])
    assert rig.states() == ["pending"]
    rig.run(60)
    assert rig.states() == ["sent"]
    assert rig.poison.all() == ()


def test_a_real_poison_stops_no_other(make):
    """What kills each time is tried last and ever less; all others are sent at once."""
    rig = make()
    rig.lines["phone"].kills = lambda message: message.what == "冷冻柜"
    rig.fire("freezer")
    rig.run(30)
    assert rig.deaths == 2
    rig.fire("fridge")
    rig.run(10)
    assert rig.lines["phone"].sent == ["冷藏柜"]
    rig.run(DAY_MS // SECOND_MS, step_s=60)
    assert set(rig.lines["phone"].sent) == {"冷藏柜"}
    assert 3 <= rig.deaths <= 8


def test_another_channel_has_it_at_once(make):
    """Nobody waits for a rest where there is another way."""
    rig = make(["console"])
    rig.lines["phone"].kills = lambda _: True
    rig.fire("freezer")
    rig.run(60)
    assert rig.deaths == 2
    assert len(rig.lines["console"].sent) == 1


def test_a_channel_that_kills_rests_longer_each_time(make):
    """One message a trial, whichever; once a trial is sent the channel is free."""
    rig = make()
    rig.lines["phone"].kills = lambda _: True
    for one in ("freezer", "fridge"):
        rig.fire(one)
    rig.run(6 * 60 * 60, step_s=30)
    assert 4 <= rig.deaths <= 16
    rig.lines["phone"].kills = lambda _: False
    rig.run(DAY_MS // SECOND_MS, step_s=60)
    assert set(rig.states()) == {"sent"}
    assert rig.poison.all() == ()
