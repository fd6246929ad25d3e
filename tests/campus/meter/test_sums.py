"""The steps of a register add up to what truly passed: exactly, in whole steps, whatever the times between readings."""

import itertools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from campus.clock import HOUR_MS, SECOND_MS
from campus.device import MeterSwap
from campus.meter.meter import Meter
from campus.meter.register import Register
from campus.meter.step import Event, Reason

START_MS = 1_795_233_600_000
MODULUS = 10_000
#: whole steps of the register, so that sums are exact
MOST_PER_HOUR = 400.0
METER = Meter(
    step=1.0, learns=False, modulus=MODULUS, most_per_hour=MOST_PER_HOUR, tolerance=0.0, most_backflow=0.0
)
#: seconds since the reading before, up to a day; and what passed, as a share of what can
STEPS = st.lists(st.tuples(st.integers(1, 86_400), st.floats(0, 1)), min_size=1, max_size=40)


def passed(steps):
    """(time, what has passed up to then) of a meter that never runs faster than it can."""
    time_ms, total, found = START_MS, 0, [(START_MS, 0)]
    for gap_s, share in steps:
        time_ms += gap_s * SECOND_MS
        total += int(share * MOST_PER_HOUR * gap_s * SECOND_MS / HOUR_MS)
        found.append((time_ms, total))
    return found


def read(points, meter=METER):
    register = Register()
    return register, [register.read(float(value), time_ms, meter) for time_ms, value in points]


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(0, 10_000_000))
def test_a_register_that_only_rises_adds_up_to_its_difference(steps, start):
    """Each volume is the difference of its two readings; over a gap it is known, too, and said to be inferred."""
    meter = Meter(step=1.0, learns=False, most_per_hour=MOST_PER_HOUR, tolerance=0.0)
    points = [(time_ms, start + total) for time_ms, total in passed(steps)]
    register, found = read(points, meter)
    assert [step.volume for step in found[1:]] == [b - a for (_, a), (_, b) in itertools.pairwise(points)]
    assert register.total == points[-1][1] - start
    for step in found[1:]:
        assert step.event is Event.NORMAL
        assert (step.reason is Reason.GAP) == (step.elapsed_ms > meter.gap_ms)
        assert step.moved == step.volume


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(0, MODULUS - 1))
def test_a_register_that_wraps_loses_nothing(steps, start):
    """Read often enough that it cannot pass a tenth of its range unseen, a rollover is a step as any other."""
    often = [(min(gap_s, 2 * 3600), share) for gap_s, share in steps]
    points = passed(often)
    register, found = read([(time_ms, (start + total) % MODULUS) for time_ms, total in points])
    assert register.total == points[-1][1]
    assert all(step.event in {Event.FIRST, Event.NORMAL, Event.ROLLOVER} for step in found)
    wraps = (start + points[-1][1]) // MODULUS - start // MODULUS
    assert sum(step.event is Event.ROLLOVER for step in found) == wraps


@settings(max_examples=100, deadline=None)
@given(STEPS, STEPS, st.integers(0, 5_000), st.integers(5_500, 9_000))
def test_a_replaced_meter_adds_up_over_both(before, after, start, other):
    """With both indexes in the folder, what passed on the old meter and on the new one is all there, once."""
    old, new = passed(before), passed(after)
    swap_ms = old[-1][0] + 60 * SECOND_MS
    swap = MeterSwap(time_ms=swap_ms, end=float(start + old[-1][1]), start=float(other))
    meter = msgspec.structs.replace(METER, modulus=0.0, swaps=(swap,))
    shift_ms = swap_ms - START_MS
    points = [(time_ms, start + total) for time_ms, total in old]
    points += [(time_ms + shift_ms, other + total) for time_ms, total in new[1:]]
    register, found = read(points, meter)
    assert register.total == old[-1][1] + new[-1][1]
    assert [step.event for step in found].count(Event.SWAP) == 1
