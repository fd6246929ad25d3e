"""The score of an exercise: what was noticed in time, what people did, what is missing and what nobody can know."""

from __future__ import annotations

import pytest

from alerts.drills.drill import Drill, DrillOrder, DrillPlan, DrillState, PlannedExpectation, PlannedFault
from alerts.drills.score import Act, Deed, DrillMessage, Heard, Verdict, score
from campus.clock import MINUTE_MS, SECOND_MS
from rules.level import Level

BEGAN_MS = 1_795_233_600_000
FAULT_MS = BEGAN_MS + 5 * MINUTE_MS
BY_MS = FAULT_MS + 30 * MINUTE_MS


def drill(state=DrillState.DONE, ended_ms=BY_MS + MINUTE_MS, speed=1):
    plan = DrillPlan(
        copies={"drill-freezer": "freezer"},
        faults=(PlannedFault("door_open", ("drill-freezer",), FAULT_MS, BY_MS),),
        expect=(PlannedExpectation(("cold.above_limit",), "critical", FAULT_MS, BY_MS, ("drill-freezer",)),),
        ends_ms=BY_MS + 30 * MINUTE_MS,
    )
    order = DrillOrder("freezer_door_open", ("wang",), speed=speed)
    return Drill(1, state, order, plan, BEGAN_MS, "陈主任", BEGAN_MS, BEGAN_MS, ended_ms)


def heard(
    at_ms, level=Level.CRITICAL, acts=(), messages=(), rule="cold.above_limit", subject="drill-freezer"
):
    return Heard(1, rule, subject, at_ms, ((at_ms, level),), messages, acts)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (heard(FAULT_MS + 20 * MINUTE_MS), Verdict.MET),
        (heard(BY_MS), Verdict.MET),
        (heard(BY_MS + SECOND_MS), Verdict.LATE),
        (heard(FAULT_MS, Level.WARNING), Verdict.MISSED),
        (heard(FAULT_MS, rule="sensor.silent"), Verdict.MISSED),
        (heard(FAULT_MS, subject="drill-fridge"), Verdict.MISSED),
    ],
)
def test_what_was_expected(found, verdict):
    """The right rule about the right device at that level or worse, in time; late is not met."""
    assert score(drill(), [found], BY_MS).expected[0].verdict is verdict


def test_cut_off_is_not_missed():
    """Ended before its time was up, an expectation is open; deeds of an aborted one are, too, but not of a stopped one."""
    early_ms = BY_MS - MINUTE_MS
    stopped = score(drill(DrillState.STOPPED, early_ms), [], early_ms)
    assert stopped.expected[0].verdict is Verdict.OPEN
    assert stopped.deed(Deed.ACKNOWLEDGED).verdict is Verdict.MISSED
    aborted = score(drill(DrillState.ABORTED, early_ms), [], early_ms)
    assert aborted.deed(Deed.ACKNOWLEDGED).verdict is Verdict.OPEN
    assert score(drill(DrillState.RUNNING, None), [], early_ms).missed == 0


def test_deeds_follow_one_another():
    """Each is timed from what it followed from, by the first who did it; a note without words is none."""
    at_ms = FAULT_MS + 10 * MINUTE_MS
    acts = (
        Act("read", at_ms + 30 * SECOND_MS, "孙师傅"),
        Act("acknowledged", at_ms + 60 * SECOND_MS, "孙师傅"),
        Act("noted", at_ms + 70 * SECOND_MS, "孙师傅", " ", ""),
        Act("noted", at_ms + 360 * SECOND_MS, "王秀兰", "门没关严", "已关"),
    )
    messages = (
        DrillMessage("sms", "周师傅", at_ms, None, "no phone"),
        DrillMessage("group", "王秀兰", at_ms, at_ms + 2 * SECOND_MS),
    )
    found = score(drill(), [heard(at_ms, acts=acts, messages=messages)], BY_MS)
    assert {one.deed: (one.after_ms, one.who) for one in found.done} == {
        Deed.NOTICED: (10 * MINUTE_MS, ()),
        Deed.TOLD: (2 * SECOND_MS, ("王秀兰",)),
        Deed.READ: (28 * SECOND_MS, ("孙师傅",)),
        Deed.ACKNOWLEDGED: (58 * SECOND_MS, ("孙师傅",)),
        Deed.HANDLED: (300 * SECOND_MS, ("王秀兰",)),
    }
    assert (found.passed, found.due, found.missed) == (6, 6, 0)


def test_fast_time_is_told_in_the_scenarios_own():
    """Compressed sixty times, ten seconds until it was noticed are ten minutes; people's time is not stretched."""
    at_ms = FAULT_MS + 10 * SECOND_MS
    messages = (DrillMessage("group", "王秀兰", at_ms, at_ms + 2 * SECOND_MS),)
    found = score(drill(speed=60), [heard(at_ms, messages=messages)], BY_MS)
    assert found.expected[0].after_ms == found.deed(Deed.NOTICED).after_ms == 10 * MINUTE_MS
    assert found.expected[0].allowed_ms == 30 * 60 * MINUTE_MS
    assert found.deed(Deed.TOLD).after_ms == 2 * SECOND_MS


def test_nothing_was_said():
    """With no alert at all everything is missing."""
    found = score(drill(), [], BY_MS)
    assert (found.passed, found.missed) == (0, 6)
