"""The school year's bench: alerts matched to labels, its plan, and its figures."""

from __future__ import annotations

import itertools

import pytest

from bench.year.alert import Alert, Alerts
from bench.year.figures import figures, quantile
from bench.year.matching import AFTER_MS, matched
from bench.year.plan import FIRST_DAY, RATES, YEAR_DAYS, midnight_ms, planned, school
from bench.year.run import Year, passed
from campus.calendar.calendar import DayType
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from rules.level import Level, State
from rules.verdict import Transition
from simulators.campus.label import Expectation, Label
from simulators.faults.scenario import read_scenarios

START_MS = 1_760_000_000_000
SLACK_MS = 30 * MINUTE_MS
METER = "water-dormitory-1-3-1"


@pytest.fixture(scope="module")
def campus():
    return school()[0]


def alert(rule="water.burst", subject=METER, after_h=1.0, level=Level.CRITICAL):
    opened_ms = START_MS + round(after_h * HOUR_MS)
    one = Alert(rule, subject, opened_ms)
    one.grow(level, opened_ms)
    return one


def leak(*, start_h=0, hours=6, within_h=2, subjects=(METER,), kind="leak", devices=(METER,), forbidden=()):
    start_ms = START_MS + start_h * HOUR_MS
    expect = (
        (Expectation(("water.burst",), "critical", start_ms + within_h * HOUR_MS, subjects),)
        if subjects
        else ()
    )
    return Label("burst_main", kind, devices, start_ms, start_ms + hours * HOUR_MS, expect, forbidden)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (alert(), True),
        (alert(after_h=5.9), True),
        (alert(after_h=6.1), False),
        (alert(after_h=-0.1), False),
        (alert(level=Level.WARNING), False),
        (alert(rule="water.rise"), False),
        (alert(subject="water-main"), False),
    ],
)
def test_an_alert_answers_by_rule_subject_level_and_time(campus, given, found):
    """One of the expected rules on an expected subject, bad enough, while the fault lasts."""
    (answer,) = matched(campus, [leak()], [given], slack_ms=SLACK_MS).answers
    assert answer.found is found
    assert not found or answer.delay_ms == given.opened_ms - START_MS


def test_a_fault_that_ended_may_be_told_until_its_deadline_and_slack(campus):
    """What is due after the end, and the two reports of a slow device, are granted."""
    for after_h, found in ((2.4, True), (2.6, False)):
        (answer,) = matched(campus, [leak(hours=1)], [alert(after_h=after_h)], slack_ms=SLACK_MS).answers
        assert answer.found is found, after_h


def test_an_alert_that_grows_answers_when_it_is_bad_enough(campus):
    """The moment of the severity counts, not of the opening."""
    one = alert(level=Level.NOTICE, after_h=0.5)
    one.grow(Level.CRITICAL, START_MS + 3 * HOUR_MS)
    (answer,) = matched(campus, [leak()], [one], slack_ms=SLACK_MS).answers
    assert answer.delay_ms == 3 * HOUR_MS


def test_one_alert_answers_one_fault(campus):
    """Of two faults at one place the earlier has it, and the other is missed."""
    labels = [leak(start_h=0), leak(start_h=1)]
    result = matched(campus, labels, [alert(after_h=1.5)], slack_ms=SLACK_MS)
    assert [one.found for one in result.answers] == [True, False]
    assert not result.related
    assert not result.false


def test_several_expectations_of_one_fault_share_an_alert(campus):
    """Warning and then critical of the same alert."""
    label = leak()
    label = label._replace(expect=(label.expect[0]._replace(level="warning"), *label.expect))
    one = alert(level=Level.WARNING)
    one.grow(Level.CRITICAL, START_MS + 2 * HOUR_MS)
    answers = matched(campus, [label], [one], slack_ms=SLACK_MS).answers
    assert [answer.delay_ms // HOUR_MS for answer in answers] == [1, 2]


def test_its_own_devices_go_before_others(campus):
    """A fault expected anywhere in the building takes the alert about its own device, though a later one."""
    label = leak(subjects=(METER, "water-dormitory-1-3"))
    other, own = alert(subject="water-dormitory-1-3", after_h=0.5), alert(after_h=1)
    result = matched(campus, [label], [other, own], slack_ms=SLACK_MS)
    assert result.answers[0].alert is own
    assert result.related == [other]


def test_an_alert_open_before_masks_the_fault(campus):
    """A fault behind an alert that stands already is missed, and the miss says why; not so when it was over."""
    before = alert(after_h=-2)
    assert matched(campus, [leak()], [before], slack_ms=SLACK_MS).answers[0].masked
    before.closed_ms = START_MS - HOUR_MS
    assert not matched(campus, [leak()], [before], slack_ms=SLACK_MS).answers[0].masked


def test_cold_told_before_the_window_was_opened_is_told(campus):
    """Hard frost has the alert open already when the draught begins: found at once, not missed."""
    label = leak(kind="draught")
    (answer,) = matched(campus, [label], [alert(after_h=-2)], slack_ms=SLACK_MS).answers
    assert answer.found
    assert answer.delay_ms == 0


@pytest.mark.parametrize(
    ("given", "label", "related"),
    [
        (alert("water.balance", "water-main", 3), leak(), True),
        (alert("water.rise", "water-dormitory-1-3", 3), leak(), True),
        (alert("water.rise", "water-dormitory-1-3-2", 3), leak(), True),
        (alert("water.rise", "water-canteen-1-4", 3), leak(), False),
        (alert("electricity.left_on", "elec-dormitory-1-3", 3), leak(), False),
        (alert("sensor.stuck", METER, 3), leak(), True),
        (alert("water.rise", METER, 6 + AFTER_MS / HOUR_MS - 1), leak(), True),
        (alert("water.rise", METER, 6 + AFTER_MS / HOUR_MS), leak(), False),
        (alert("water.rise", METER, -1), leak(), False),
        (alert("water.backflow", METER, 3), leak(forbidden=("water.backflow",)), False),
        (alert("sensor.silent", METER, 3), leak(kind="gateway_down", devices=("gw-1", METER), subjects=()), True),
        (alert("water.rise", METER, 3), leak(kind="gateway_down", devices=("gw-1", METER), subjects=()), False),
        (alert("water.rise", METER, 3), leak(kind="crowd", subjects=()), False),
    ],
)  # fmt: skip
def test_what_comes_of_a_fault_is_related_and_the_rest_is_false(campus, given, label, related):
    """Its own device, meters before and behind it, and its building, for rules it can make speak; never what it forbids."""
    result = matched(campus, [label], [given], slack_ms=SLACK_MS)
    assert (result.related, result.false) == (([given], []) if related else ([], [given]))


@pytest.mark.parametrize(
    ("opened_h", "closed_h", "related"), [(-11, -10, True), (-30, -20, False), (-30, 1, True), (-30, None, True), (55, 56, False)]
)  # fmt: skip
def test_cold_is_foreseen(campus, opened_h, closed_h, related):
    """An alert shortly before a pipe is cold, or open until then, is of it; one long over is not, nor one days after."""
    label = Label("", "pipe_cold", ("pipe-dormitory-1-3-2",), START_MS, START_MS + 6 * HOUR_MS)
    one = alert("pipe.cold", "pipe-dormitory-1-3-2", opened_h)
    one.closed_ms = None if closed_h is None else START_MS + closed_h * HOUR_MS
    assert bool(matched(campus, [label], [one], slack_ms=SLACK_MS).related) is related


def test_alerts_are_collected_from_transitions():
    """An alert opens once, grows, ends, and opens anew; pending ones and those of history are none."""

    def change(time_ms, before, after, severity=Level.WARNING, *, historical=False):
        return Transition(time_ms, "water.rise", METER, before, after, severity, historical=historical)

    alerts = Alerts()
    alerts.take(
        [
            change(1, State.INACTIVE, State.PENDING),
            change(2, State.PENDING, State.FIRING),
            change(3, State.FIRING, State.FIRING, Level.CRITICAL),
            change(4, State.FIRING, State.RESOLVED, Level.CRITICAL),
            change(5, State.RESOLVED, State.FIRING),
            change(6, State.INACTIVE, State.FIRING, historical=True),
        ]
    )
    first, second = alerts.found
    assert (first.opened_ms, first.closed_ms, first.worst) == (2, 4, Level.CRITICAL)
    assert (first.at_least_ms(Level.WARNING), first.at_least_ms(Level.CRITICAL)) == (2, 3)
    assert (second.opened_ms, second.closed_ms, second.at_least_ms(Level.CRITICAL)) == (5, None, None)


def test_nobody_is_told_before_it_was_received():
    """An alert that a wrong clock dates back counts from when the service could say it."""
    alerts = Alerts()
    alerts.take([Transition(5, "sensor.clock", METER, State.INACTIVE, State.FIRING, Level.NOTICE)], 9)
    assert (alerts.found[0].opened_ms, alerts.found[0].at_least_ms(Level.NOTICE)) == (9, 9)


def test_the_plan_holds_every_scenario_within_the_year():
    """All that come with the package, each as often as its rate says, the same for a seed and other for another."""
    campus, calendar = school()
    plan = planned(campus, calendar, seed=1)
    assert {one.scenario.name for one in plan} == set(read_scenarios())
    assert all(sum(one.scenario.name == name for one in plan) == rate.times for name, rate in RATES.items())
    assert all(one.start_ms <= two.start_ms for one, two in itertools.pairwise(plan))
    end_ms = midnight_ms(campus, FIRST_DAY) + YEAR_DAYS * DAY_MS
    assert all(one.start_ms + one.scenario.lasts < end_ms for one in plan)
    assert plan == planned(campus, calendar, seed=1)
    assert plan != planned(campus, calendar, seed=2)


def test_the_calendar_has_its_oddities():
    """Exam weeks, and a Saturday that is a school day."""
    _, calendar = school()
    saturday = next(day for day in calendar_days() if day.weekday() == 5 and day.month == 12
                    and calendar.day_type(day) is DayType.SCHOOL_DAY)  # fmt: skip
    assert saturday.isoformat() == "2025-12-13"
    assert sum(calendar.is_exam(day) for day in calendar_days()) == 10


def calendar_days():
    return [FIRST_DAY.fromordinal(FIRST_DAY.toordinal() + number) for number in range(YEAR_DAYS)]


def test_figures_judge_the_two_goals(campus):
    """Recall of what is critical, and false criticals a month: both lines fail where they must."""
    alerts = [alert("cold.above_limit", "freezer-canteen-1-4-1", hours) for hours in (1, 30)]
    year = Year(campus, [leak()], alerts, 30, 1, 1.0)
    bad = {one.name for one in figures(year) if not one.good}
    assert bad == {"every fault expected critical", "false critical, all rules"}
    good = figures(year._replace(alerts=[alert()]))
    assert all(one.good for one in good)
    assert any(one.found.startswith("1: recall 1.00, in time 1.00, median 1 h, p90 1 h") for one in good)


def test_quantiles_are_of_the_nearest_rank():
    """The median of two is the lower, the 90th percentile of ten the ninth."""
    assert quantile([1, 2], 0.5) == 1
    assert quantile(list(range(1, 11)), 0.9) == 9


def test_the_first_day_passes():
    """Simulators and rules hold together: readings of every device flow, and nothing has gone wrong yet."""
    year = passed(seed=3, days=1)
    assert year.readings > 50_000
    assert not any(one.scenario for one in year.labels)
