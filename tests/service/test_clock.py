"""Our time follows the wall clock, and neither goes back nor stands still when that is set back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import SteadyClock

HOUR_MS = 3_600_000


class Clocks:
    def __init__(self):
        self.wall_ms, self.steady_ms = 10**12, 500
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


def test_set_back_an_hour():
    """Time goes on at half its speed until the wall clock has caught up, after two hours."""
    clocks = Clocks()
    start_ms = clocks.forward(1)
    clocks.wall_ms -= HOUR_MS
    assert clocks.forward(1000) == start_ms + 500
    assert clocks.forward(HOUR_MS) == pytest.approx(start_ms + HOUR_MS / 2, abs=1_000)
    assert clocks.clock() > clocks.wall_ms
    assert clocks.forward(HOUR_MS + 60_000) == clocks.wall_ms


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(-(10**8), 10**8)), max_size=60))
def test_never_backwards(steps):
    """Whatever the wall clock does, our time never goes back, and goes on at least half as fast as it passes."""
    clocks = Clocks()
    before_ms = clocks.clock()
    for elapsed_ms, jump_ms in steps:
        clocks.wall_ms += jump_ms
        now_ms = clocks.forward(elapsed_ms)
        assert now_ms >= before_ms + elapsed_ms // 2 - 1
        assert now_ms >= clocks.wall_ms
        before_ms = now_ms
