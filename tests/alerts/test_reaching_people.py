"""People are reached as soon as any channel works: chains are gone through, what was given up is told when it can be."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.alert import AlertState
from alerts.book import AlertBook
from alerts.channels.contract import failed, retry, sent
from alerts.dispatcher import Dispatcher
from alerts.outbox import GIVE_UP_MS, Outbox
from alerts.own import service as own
from alerts.parked import NO_PHONE
from campus.campus import Campus
from campus.clock import MINUTE_MS, SECOND_MS
from campus.site import Site
from rules.level import Level, State
from rules.verdict import Evidence, Transition
from service.health.watch import Watch
from service.trouble import Trouble
from store.operations.tables import OutboxRow

OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)


class Line:
    """A channel that works, or answers every message the same way."""

    def __init__(self):
        self.answer = None
        self.sent = []

    def send(self, message, recipient, *, doubtful=False):
        if self.answer is not None:
            return self.answer
        self.sent.append(message.title)
        return sent()

    def close(self):
        pass


class Rig:
    """A book, an outbox and two channels on a clock that moves when told."""

    def __init__(self, site, devices, database, clock, channels, fallback):
        route = {"severity": "warning", "channels": channels, "fallback": fallback}
        self.campus = Campus(
            site=Site.model_validate(site.model_dump() | {"routes": [route]}), devices=devices
        )
        self.database, self.clock = database, clock
        self.book, self.outbox = AlertBook(database, lambda: self.campus), Outbox(database)
        self.phone, self.console = Line(), Line()
        channels = {"phone": self.phone, "console": self.console}
        self.dispatcher = Dispatcher(self.outbox, channels, self.book, now_ms=clock)
        self.watch = Watch(self.book, [self._look])
        self.seq = 0

    def _look(self, _now_ms):
        return [
            Trouble(own.UNREACHABLE, one.recipient, Level.CRITICAL, {"message": one.message})
            for one in self.outbox.unreached()
        ]

    def change(self, to, subject="freezer", severity=Level.WARNING):
        self.seq += 1
        origin = State.FIRING if to is State.RESOLVED else State.PENDING
        evidence = Evidence({"temperature_c": -5.0}, self.clock.now_ms, (), "cold.above_limit")
        transition = Transition(
            self.clock.now_ms, "cold.above_limit", subject, origin, to, severity, evidence
        )
        self.book.apply([transition], seq=self.seq, time_ms=self.clock.now_ms)

    def run(self, minutes):
        """Time passes in half minutes, everything due is tried, the service looks at itself."""
        for _ in range(minutes * 2):
            for name in ("phone", "console"):
                while self.dispatcher.send_next(name):
                    pass
            self.watch.look(self.clock.now_ms)
            self.clock.forward(30)

    def unreachable(self):
        return [one.subject for one in self.book.find(states=OPEN, rule=own.UNREACHABLE)]

    def states(self):
        with Session(self.database) as session:
            rows = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id))
            return [(row.channel, row.state) for row in rows]


@pytest.fixture
def make(site, devices, database, clock):
    return lambda channels, fallback=(): Rig(site, devices, database, clock, list(channels), list(fallback))


@pytest.mark.parametrize("first", ["phone", "console"])
def test_a_chain_that_ends_in_a_channel_told_already(make, first):
    """Where the fall-back is one of the route's own channels and fails, too, nobody was reached, and that is an alert."""
    rig = make(["phone", "console"], ["console"])
    rig.phone.answer = rig.console.answer = failed("x", "gone")
    rig.change(State.FIRING)
    rig.dispatcher.send_next(first)
    rig.run(2)
    assert rig.unreachable()


def test_a_chain_goes_on_behind_one_that_failed(make):
    """A channel of the chain that failed with this message is passed over, not the end of the chain."""
    rig = make(["phone", "sms"], ["sms", "console"])
    rig.change(State.FIRING)
    rig.dispatcher._channels["sms"] = Line()
    rig.dispatcher._channels["sms"].answer = rig.phone.answer = failed("x", "gone")
    rig.dispatcher.send_next("sms")
    rig.run(1)
    assert len(rig.console.sent) == 1
    assert rig.unreachable() == []


def test_it_ends_when_people_are_reached(make):
    """That nobody was reached is over once the message got through, a minute later, and is told to nobody."""
    rig = make(["phone"])
    rig.phone.answer = failed("45", "disabled")
    rig.change(State.FIRING)
    rig.run(2)
    assert rig.unreachable() == ["phone"]
    rig.phone.answer = None
    rig.run(20)
    assert rig.unreachable() == []
    assert len(rig.phone.sent) == 1
    assert rig.states() == [("phone", "sent")]


def test_it_ends_with_the_alert(make):
    """Nobody needs to be told any more of what is over; only its end is."""
    rig = make(["phone"])
    rig.phone.answer = failed("45", "disabled")
    rig.change(State.FIRING)
    rig.run(2)
    rig.change(State.RESOLVED)
    rig.run(20)
    assert rig.unreachable() == []
    rig.phone.answer = None
    rig.run(20)
    assert [title[1:4] for title in rig.phone.sent] in ([], ["已恢复"])


def test_what_was_given_up_is_told_when_the_channel_is_back(make):
    """Hours without a channel: with its return every open alert is told once, the worst first, and none that is over."""
    rig = make(["phone"])
    rig.phone.answer = retry("busy", "")
    rig.change(State.FIRING, "fridge")
    rig.change(State.FIRING, "meter")
    rig.run(1)
    rig.change(State.FIRING, "freezer", Level.CRITICAL)
    rig.run(GIVE_UP_MS // MINUTE_MS + 60)
    assert rig.unreachable() == ["phone"]
    rig.change(State.RESOLVED, "meter")
    rig.run(GIVE_UP_MS // MINUTE_MS + 30)
    rig.phone.answer = None
    rig.run(16)
    assert [title[1:3] for title in rig.phone.sent] == ["紧急", "警告"]
    assert rig.unreachable() == []
    rig.run(60)
    assert len(rig.phone.sent) == 2


def test_only_the_newest_word_on_an_alert_is_told_late(make):
    """An alert that became worse while nothing could be sent is told as it is now, not as it was as well."""
    rig = make(["phone"])
    rig.phone.answer = failed("45", "disabled")
    rig.change(State.FIRING)
    rig.run(10)
    rig.change(State.FIRING, severity=Level.CRITICAL)
    rig.run(10)
    rig.phone.answer = None
    rig.run(20)
    assert [title[1:3] for title in rig.phone.sent] == ["紧急"]


def test_one_person_without_a_number_is_no_emergency(make):
    """Where others have the message, a missing number is for the check of the folder; where nobody has it, it is one."""
    rig = make(["phone", "console"])
    rig.phone.answer = failed(NO_PHONE, "")
    rig.change(State.FIRING)
    rig.run(3)
    assert rig.unreachable() == []
    rig.console.answer = failed("x", "")
    rig.change(State.FIRING, "fridge")
    rig.run(3)
    assert rig.unreachable()


def test_the_worst_goes_first(make):
    """Of what waits the worst is sent first, then the oldest."""
    rig = make(["phone"])
    for subject, severity in (
        ("fridge", Level.WARNING),
        ("meter", Level.CRITICAL),
        ("freezer", Level.CRITICAL),
    ):
        rig.change(State.FIRING, subject, severity)
        rig.clock.now_ms += SECOND_MS
    rig.run(1)
    assert [title[1:3] for title in rig.phone.sent] == ["紧急", "紧急", "警告"]
    assert "水表" in rig.phone.sent[0]
