"""An exercise on the alerts' road: behind everything real, to its own people, marked in every template."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.book import AlertBook
from alerts.channels.contract import Outcome
from alerts.channels.template import variables
from alerts.channels.wecom_bot import WeComBot
from alerts.drills.drill import DrillLog, DrillOrder, DrillPlan, DrillState
from alerts.drills.end import close_alerts
from alerts.errors import NoSuchDrill
from alerts.message import MessageKind, OutgoingMessage
from alerts.outbox import Outbox, enqueue
from alerts.own.service import UNREACHABLE
from alerts.routing import GROUP, Destination, Recipient, destinations
from campus.campus import Campus
from campus.drill import is_drill
from campus.person import Person
from campus.site import WeComBotChannel
from rules.level import Level, State
from rules.verdict import Transition
from simulators.output import providers
from store.operations.tables import AlertRow, OutboxRow


def message(key, *, drill=False):
    return OutgoingMessage(
        key, MessageKind.ALERT, Level.CRITICAL, "冷冻柜温度过高", place="食堂", what="冷冻柜", drill=drill
    )


def test_real_goes_first(database, clock):
    """What is real is sent before an exercise's, however long that has waited."""
    with Session(database) as session, session.begin():
        for number, drill in enumerate((True, True, False)):
            one = Destination("phone", Recipient(GROUP))
            enqueue(
                session,
                message(f"m{number}", drill=drill),
                one,
                alert_id=None,
                reason="",
                now_ms=clock() + number,
            )
    outbox = Outbox(database)
    assert [outbox.take("phone", clock() + 10).message.key for _ in range(3)] == ["m2", "m0", "m1"]


def test_a_group_bot_keeps_room_for_what_is_real(clock):
    """An exercise may use twelve of a group's twenty messages a minute; the others are a real alarm's at once."""
    provider = providers.wecom_bot("KEY")
    bot = WeComBot(
        WeComBotChannel.model_validate({"kind": "wecom_bot", "key": "KEY", "base_url": provider.url}), clock
    )
    try:
        sent = [bot.send(message(f"d{n}", drill=True), Recipient(GROUP)).outcome for n in range(15)]
        assert (sent.count(Outcome.SENT), sent.count(Outcome.RETRY)) == (12, 3)
        assert bot.send(message("real"), Recipient(GROUP)).outcome is Outcome.SENT
        clock.forward(61)
        assert bot.send(message("d16", drill=True), Recipient(GROUP)).outcome is Outcome.SENT
    finally:
        bot.close()
        provider.close()


def test_every_template_says_so():
    """A text message's own words cannot: its first variables begin with the mark, however short they may be."""
    assert variables(message("1-1", drill=True), 6)[:2] == ("演练食堂", "演练冷冻柜")
    assert variables(message("1-1"), 6)[:2] == ("食堂", "冷冻柜")


def test_chosen_people_in_place_of_the_routes(campus, clock):
    """The channels of the routes, the people of the exercise; none where no route takes such an alert."""
    people = [Person(id="wang", name="王秀兰"), Person(id="li", name="李建国")]
    school = Campus(site=campus.site, devices=campus.devices.values(), people=people)
    to = destinations("cold.above_limit", Level.CRITICAL, school, clock(), resolved=False, to=["li"])
    assert [(one.channel, one.recipient.name) for one in to] == [("phone", "李建国")]
    assert destinations("cold.above_limit", Level.NOTICE, school, clock(), resolved=False, to=["li"]) == []


@pytest.fixture
def opened(database, campus, clock):
    """A book with an exercise's alert and a real one."""
    book = AlertBook(database, lambda: campus, is_drill=is_drill, audience=lambda _: (GROUP,))
    book.take_own(
        [
            Transition(clock(), "cold.above_limit", subject, State.PENDING, State.FIRING, Level.CRITICAL)
            for subject in ("drill-freezer", "freezer")
        ],
        clock(),
    )
    return book


def test_its_end_leaves_what_is_real(database, opened, clock):
    """Its alert ends and its message is dropped; the real alert stays, and its message goes out."""
    assert close_alerts(database, ["drill-freezer", "freezer"], clock()) == 1
    assert [one.subject for one in opened.open_alerts()] == ["freezer"]
    with Session(database) as session:
        states = dict(session.execute(sa.select(OutboxRow.drill, OutboxRow.state)).all())
    assert states == {True: "failed", False: "pending"}


def test_reading_is_noted_once(database, opened, clock):
    """Who opens the link of an exercise's alert is kept, once each; of a real alert nobody's reading is."""
    drill, real = sorted(opened.open_alerts(), key=lambda one: not one.drill)
    assert opened.read(drill.id, "孙师傅", clock())
    assert not opened.read(drill.id, "孙师傅", clock())
    assert not opened.read(real.id, "孙师傅", clock())
    assert [event.who for event in opened.events(drill.id) if event.kind == "read"] == ["孙师傅"]


def test_what_it_found_out_becomes_real(database, opened, clock):
    """A channel that failed an exercise is an exercise's alert, until it fails a real one."""
    number = opened.raise_own(UNREACHABLE, "sms", {}, clock(), drill=True)
    with Session(database) as session:
        assert session.get(AlertRow, number).drill
    opened.raise_own(UNREACHABLE, "sms", {}, clock())
    opened.raise_own(UNREACHABLE, "sms", {}, clock(), drill=True)
    with Session(database) as session:
        assert not session.get(AlertRow, number).drill


def test_the_log_keeps_what_was_first(database, clock):
    """What ended an exercise first stays; one that never was is an error."""
    log = DrillLog(database)
    number = log.add(DrillOrder("burst_main", ("duty",)), DrillPlan(), who="陈主任", now_ms=clock())
    log.ended(number, DrillState.STOPPED, clock(), who="孙师傅")
    log.ended(number, DrillState.ABORTED, clock() + 1, reason="later")
    found = log.get(number)
    assert (found.state, found.ended_by, found.reason) == (DrillState.STOPPED, "孙师傅", "")
    with pytest.raises(NoSuchDrill):
        log.get(99)
