"""What a history would have come to: as the book of alerts has it, and compared between rules."""

from __future__ import annotations

import json
from collections import Counter

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from alerts.backtest import PastAlert, PastBook, Projection, backtest
from alerts.book import AlertBook
from alerts.comparison import Kind, compare, comparison_json
from alerts.routing import Recipient
from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS
from campus.person import Person, Shift
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from rules.level import Level, State
from rules.verdict import Evidence, Transition
from store.operations.database import open_database
from store.operations.tables import AlertRow, OutboxRow

SHIFT_MS = 40 * MINUTE_MS
LEVELS = [Level.NOTICE, Level.WARNING, Level.CRITICAL]
RULES = ["cold.above_limit", "sensor.silent"]


@pytest.fixture
def staffed(site, devices):
    """A campus whose routes tell a group, whoever is on duty, and of some rules a role."""
    routes = [
        {"severity": "notice", "channels": ["console"], "rules": ["sensor"], "to": ["canteen"], "tell_resolved": False},
        {"severity": "warning", "channels": ["phone"], "to": ["group", "duty"]},
        {"severity": "critical", "channels": ["phone", "console"], "to": ["duty"]},
    ]  # fmt: skip
    people = [Person(id="sun", name="孙师傅"), Person(id="zhou", name="周师傅", role="canteen")]
    roster = [
        Shift(person="sun", from_ms=0, to_ms=SHIFT_MS),
        Shift(person="zhou", from_ms=SHIFT_MS, to_ms=2**50),
    ]
    body = site.model_dump(mode="json") | {"routes": routes}
    return Campus(site=Site.model_validate(body), devices=devices, people=people, roster=roster)


def change(minute, state, severity, rule=RULES[0], subject="freezer", *, historical=False):
    evidence = Evidence({"temperature_c": -5.0}, 0, (), rule)
    return Transition(minute * MINUTE_MS, rule, subject, State.PENDING, state, severity, evidence, historical)


CHANGES = st.lists(
    st.builds(
        change,
        st.integers(0, 5),
        st.sampled_from([State.FIRING, State.FIRING, State.RESOLVED]),
        st.sampled_from(LEVELS),
        st.sampled_from(RULES),
        st.sampled_from(["freezer", "meter"]),
        historical=st.sampled_from([False, False, False, True]),
    ),
    max_size=25,
)


@given(CHANGES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_it_counts_as_the_book_of_alerts_does(staffed, changes):
    """The same alerts with the same times and severities, the same messages to the same recipients."""
    past, database = PastBook(staffed), open_database("sqlite://")
    book = AlertBook(database, lambda: staffed)
    minute = 0
    for seq, one in enumerate(changes, start=1):
        minute += one.time_ms // MINUTE_MS
        moved = msgspec.structs.replace(one, time_ms=minute * MINUTE_MS)
        past.take(moved)
        book.apply([moved], seq=seq, time_ms=moved.time_ms)
    with Session(database) as session:
        rows = list(session.scalars(sa.select(AlertRow).order_by(AlertRow.id)))
        kept = [
            (row.rule, row.subject, row.opened_ms, row.resolved_ms, row.severity, row.historical)
            for row in rows
        ]
        sent = Counter(
            (row.channel, msgspec.json.decode(row.recipient, type=Recipient).id, row.reason)
            for row in session.scalars(sa.select(OutboxRow))
        )
    database.dispose()
    found = [
        (one.rule, one.subject, one.opened_ms, one.resolved_ms, one.severity.value, one.historical)
        for one in past.alerts
    ]
    assert found == kept
    counted = {
        (one.channel, one.recipient, reason): getattr(one, reason)
        for one in past.recipients()
        for reason in ("opened", "escalated", "resolved")
        if getattr(one, reason)
    }
    assert counted == sent
    assert sum(one.messages for one in past.alerts) == sent.total()


def test_whoever_was_on_duty_is_told(staffed):
    """The alert opens in one shift and ends in the next; the group hears of both."""
    past = PastBook(staffed)
    past.take(change(0, State.FIRING, Level.WARNING))
    past.take(change(60, State.RESOLVED, Level.WARNING))
    recipients = {one.recipient: (one.name, one.opened, one.resolved) for one in past.recipients()}
    assert recipients == {"group": ("", 1, 1), "sun": ("孙师傅", 1, 0), "zhou": ("周师傅", 0, 1)}


def alert(opened_h, resolved_h, worst=Level.WARNING, subject="freezer", rule=RULES[0]):
    end_ms = None if resolved_h is None else round(resolved_h * HOUR_MS)
    return PastAlert(rule, subject, round(opened_h * HOUR_MS), worst, worst, Evidence(), end_ms)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([alert(1, 2)], [alert(1, 3)], []),
        ([alert(1, 2)], [], [((Kind.ONLY_FIRST,), 0)]),
        ([], [alert(1, None)], [((Kind.ONLY_OTHER,), 0)]),
        ([alert(2, 4)], [alert(1, 4)], [((Kind.EARLIER,), -1)]),
        ([alert(1, 2)], [alert(5, 6)], [((Kind.LATER,), 4)]),
        ([alert(1, 2)], [alert(9, 10)], [((Kind.ONLY_FIRST,), 0), ((Kind.ONLY_OTHER,), 0)]),
        ([alert(1, 2)], [alert(1, 2, Level.CRITICAL)], [((Kind.SEVERITY,), 0)]),
        ([alert(1, 9)], [alert(2, 9, Level.NOTICE)], [((Kind.LATER, Kind.SEVERITY), 1)]),
        ([alert(1, None)], [alert(1, 2), alert(50, 51)], [((Kind.ONLY_OTHER,), 0)]),
        ([alert(1, 2), alert(5, 6)], [alert(5, 6)], [((Kind.ONLY_FIRST,), 0)]),
        ([alert(1, 2)], [alert(1, 2, subject="fridge")], [((Kind.ONLY_FIRST,), 0), ((Kind.ONLY_OTHER,), 0)]),
        ([alert(1, 2)], [alert(1, 2, rule=RULES[1])], [((Kind.ONLY_FIRST,), 0), ((Kind.ONLY_OTHER,), 0)]),
    ],
)  # fmt: skip
def test_what_changes(ours, theirs, expected):
    """Alerts that go, come, move or weigh differently; the same alert is the one that overlaps or lies near."""
    found = compare(Projection("a", ours, []), Projection("b", theirs, []))
    assert sorted((one.kinds, one.moved_ms / HOUR_MS) for one in found) == sorted(expected)


def test_two_rule_files_on_one_history(campus):
    """A lower limit raises the alert earlier and worse; what is asked of one device leaves out the others."""
    freezer = Series("freezer", Quantity.TEMPERATURE)
    readings = [Reading(freezer, -20 + n / 20, n * MINUTE_MS, n * MINUTE_MS) for n in range(300)]
    quick = {"for_s": 0, "critical_for_s": 0}
    rules = [
        {"defaults": {"cold.above_limit": {"warning_above_c": limit, "critical_above_c": 50, **quick}}}
        for limit in (-12, -14)
    ]
    outcomes = [
        backtest(name, campus, one, readings, subjects={"freezer"}, until_ms=310 * MINUTE_MS)
        for name, one in zip("ab", rules, strict=True)
    ]
    assert {one.subject for outcome in outcomes for one in outcome.alerts} == {"freezer"}
    assert [outcome.readings for outcome in outcomes] == [300, 300]
    body = comparison_json(outcomes)
    (only,) = body["changes"]
    moved = next(one for one in only["alerts"] if one["rule"] == "cold.above_limit")
    assert (moved["kinds"], moved["moved_s"]) == (["earlier"], -40 * 60)
    assert moved["first"]["opened"] == "1970-01-01T02:41:00Z"
    assert body["outcomes"][0]["told"][0]["channel"] == "phone"
    assert json.loads(json.dumps(body))["changes"][0]["other"] == "b"
