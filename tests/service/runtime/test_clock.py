"""Our time follows the wall clock; it does not stand still, and goes back only where waiting would take too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, SET_BACK_MS
from service.clock import EARLIEST_MS, LATEST_MS, SteadyClock
from service.health.looks.clock_watch import ClockWatch

NOON_MS = 1_795_233_600_000
YEAR_MS = 365 * DAY_MS


class Clocks:
    def __init__(self, wall_ms=NOON_MS):
        self.wall_ms, self.steady_ms = wall_ms, 500
        self.clock = SteadyClock(lambda: self.wall_ms, lambda: self.steady_ms)

    def forward(self, elapsed_ms):
        self.wall_ms += elapsed_ms
        self.steady_ms += elapsed_ms
        return self.clock()


def test_it_is_the_wall_clock():
    """Without jumps it says what the wall clock says; a jump ahead is followed at once."""
    clocks = Clocks()
    for elapsed_ms in (0, 1, 5, 60_000):
        assert clocks.forward(elapsed_ms) == clocks.wall_ms
    clocks.wall_ms += HOUR_MS
    assert clocks.forward(1) == clocks.wall_ms


def test_set_back_a_little():
    """Time goes on at half its speed until the wall clock has caught up."""
    clocks = Clocks()
    start_ms = clocks.forward(1)
    clocks.wall_ms -= 8 * MINUTE_MS
    assert clocks.forward(1000) == start_ms + 500
    assert clocks.forward(8 * MINUTE_MS) == pytest.approx(start_ms + 4 * MINUTE_MS, abs=1_000)
    assert clocks.clock() > clocks.wall_ms
    assert clocks.forward(9 * MINUTE_MS) == clocks.wall_ms


@pytest.mark.parametrize("back_ms", [SET_BACK_MS + 1, HOUR_MS, 400 * DAY_MS])
def test_set_back_by_much(back_ms):
    """It is followed at once: what is waited for would not come."""
    clocks = Clocks()
    clocks.wall_ms -= back_ms
    assert clocks.forward(1000) == clocks.wall_ms


@pytest.mark.parametrize(
    "wrong_ms", [0, 946_684_800_000, EARLIEST_MS - HOUR_MS, LATEST_MS, NOON_MS + 73 * YEAR_MS]
)
def test_a_wall_clock_that_cannot_be(wrong_ms):
    """One of 1970 or 2099 is not followed: our time goes on from where it was, over a restart, too."""
    clocks = Clocks()
    before_ms, right_ms = clocks.forward(1), clocks.wall_ms
    clocks.wall_ms = wrong_ms
    assert clocks.forward(MINUTE_MS) == before_ms + MINUTE_MS
    again = Clocks(wrong_ms)
    again.clock.continue_from(before_ms + MINUTE_MS)
    assert again.forward(MINUTE_MS) == before_ms + 2 * MINUTE_MS
    again.wall_ms = right_ms + HOUR_MS
    assert again.clock() == right_ms + HOUR_MS


def test_a_first_start_at_a_time_that_cannot_be():
    """Without a journal it begins as early as can be, so that the right time lies ahead, and nothing heard looks old."""
    clocks = Clocks(NOON_MS + 73 * YEAR_MS)
    assert clocks.forward(10) == EARLIEST_MS + 10
    clocks.wall_ms = NOON_MS
    assert clocks.forward(10) == NOON_MS + 10


@pytest.mark.parametrize(
    ("behind_ms", "expected_ms"),
    [(-HOUR_MS, 0), (MINUTE_MS, MINUTE_MS), (SET_BACK_MS, SET_BACK_MS), (HOUR_MS, 0), (3 * YEAR_MS, 0)],
)
def test_a_restart_goes_on(behind_ms, expected_ms):
    """A start goes on from the journal's time where the wall clock is a little behind it, and by the wall clock else."""
    clocks = Clocks()
    clocks.clock.continue_from(NOON_MS + behind_ms)
    assert clocks.clock() == NOON_MS + (expected_ms if behind_ms < YEAR_MS else 0)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(-(10**8), 10**8)), max_size=60))
def test_never_a_little_backwards(steps):
    """Whatever the wall clock does, our time goes on at least half as fast as it passes, or back to the wall clock's."""
    clocks = Clocks()
    before_ms = clocks.clock()
    for elapsed_ms, jump_ms in steps:
        clocks.wall_ms += jump_ms
        now_ms = clocks.forward(elapsed_ms)
        if now_ms < before_ms + elapsed_ms // 2 - 1:
            assert before_ms + elapsed_ms - now_ms > SET_BACK_MS - 1
            assert now_ms == clocks.wall_ms
        assert now_ms >= clocks.wall_ms
        before_ms = now_ms


def watched(wall_ms, *, continue_from):
    clocks = Clocks(wall_ms)
    watch = ClockWatch(
        lambda: clocks.wall_ms,
        continue_from=continue_from,
        zone=None,
        steady=lambda: clocks.steady_ms,
    )
    return clocks, watch


@pytest.mark.parametrize("last_ms", [NOON_MS + HOUR_MS, NOON_MS + 3 * YEAR_MS])
def test_a_clock_set_back_over_a_restart_is_told(last_ms):
    """It is in doubt from the start and told for ten minutes, as one that jumps while we run."""
    clocks, watch = watched(NOON_MS, continue_from=last_ms)
    (trouble,) = watch.look(0)
    assert (trouble.rule, trouble.part) == ("service.clock_jump", "clock")
    assert trouble.facts["minutes"] == (NOON_MS - last_ms) / MINUTE_MS
    clocks.forward(11 * MINUTE_MS)
    assert list(watch.look(0)) == []


def test_a_pause_is_no_jump():
    """A service that was stopped for a week has nothing against its clock."""
    _, watch = watched(NOON_MS, continue_from=NOON_MS - 7 * DAY_MS)
    assert list(watch.look(0)) == []


def test_a_clock_that_cannot_be_right_is_told():
    """As long as it lasts, by what it says; the day it is right it is told no more."""
    clocks, watch = watched(3_600_000, continue_from=NOON_MS)
    (trouble,) = watch.look(0)
    assert (trouble.rule, trouble.facts["clock"][:10]) == ("service.clock_wrong", "1970-01-01")
    clocks.forward(10 * DAY_MS)
    assert [one.part for one in watch.look(0)] == ["clock"]
    clocks.wall_ms = NOON_MS
    assert {one.rule for one in watch.look(0)} <= {"service.clock_jump"}
    clocks.forward(11 * MINUTE_MS)
    assert list(watch.look(0)) == []
