"""The flow behind a register, and how well it is known."""

import msgspec
import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from campus.meter.flow import Flow, Rate
from campus.meter.meter import Meter
from campus.meter.register import Register
from campus.meter.step import Event, Step

START_MS = 1_795_233_600_000
METER = Meter(most_per_hour=100)


def fed(readings, meter=METER):
    """The flow after readings of (minute, m3)."""
    register, flow = Register(), Flow()
    for minute, value in readings:
        flow.add(register.read(value, START_MS + round(minute * MINUTE_MS), meter))
    return flow


def test_the_example_of_the_handbook():
    """10 L pulses read every 5 minutes: one pulse is 2 L/min, give or take 2 L/min (DOMAIN.md 1.1)."""
    flow = fed([(0, 10.00), (5, 10.01)])
    rate = flow.rate(0.01, share=1.0)
    assert (rate.per_hour, rate.error) == pytest.approx((0.12, 0.12))
    assert rate.until_ms - rate.since_ms == 5 * MINUTE_MS


def test_the_time_grows_until_the_error_is_small():
    """Where the flow is small the mean is taken over longer; its error stays below the share wherever it can."""
    slow = fed([(m, round(10 + 0.001 * (m // 2), 3)) for m in range(61)])
    rate = slow.rate(0.001)
    assert rate.per_hour == pytest.approx(0.03, rel=0.1)
    assert rate.error <= 0.2 * rate.per_hour
    assert rate.until_ms - rate.since_ms == pytest.approx(10 * MINUTE_MS, abs=MINUTE_MS)
    fast = fed([(m, 10 + 0.1 * m) for m in range(61)]).rate(0.001)
    assert fast.until_ms - fast.since_ms == MINUTE_MS


def test_nothing_in_an_hour_is_zero_to_one_step_an_hour():
    """Zero is never known better than the register allows, and nothing is known before two readings."""
    rate = fed([(m, 10.0) for m in range(61)]).rate(0.01)
    assert (rate.per_hour, rate.error) == (0.0, pytest.approx(0.01))
    assert fed([(0, 10.0)]).rate(0.01) is None
    assert fed([(0, 10.0)]).against(1, 0.01) is None


def test_a_coarse_step_is_no_burst():
    """1 m3 within a minute on a 1 m3 register decides nothing about 6 m3/h; twenty minutes do: 3 ± 3 is not above."""
    readings = [(m, 10.0 + (m >= 60)) for m in range(61)]
    rate = fed(readings).against(6, 1.0)
    assert (rate.per_hour, rate.error) == pytest.approx((3.0, 3.0))
    assert fed([(m, 10 + 0.5 * m) for m in range(10)]).against(6, 0.001).per_hour == pytest.approx(30)


def test_a_gap_and_another_meter_make_the_past_void():
    """After them the flow begins anew: their volume is not spread into it."""
    assert fed([(0, 10), (1, 10.1), (300, 14.0)]).rate(0.001) is None
    assert fed([(0, 500), (1, 500.1), (2, 0.0), (3, 0.01)]).rate(0.001) is None
    again = fed([(0, 10), (1, 10.1), (300, 14.0), (301, 14.05)]).rate(0.001)
    assert (again.per_hour, again.since_ms) == (pytest.approx(3.0), START_MS + 300 * MINUTE_MS)


def test_a_held_reading_is_no_flow():
    """A misread leaves no trace in the flow around it."""
    rate = fed([(0, 10), (1, 10.05), (2, 700), (3, 10.15), (4, 10.2)]).rate(0.001, share=0.001)
    assert rate.per_hour == pytest.approx(3.0)


def test_the_memory_is_bounded_and_survives_storage():
    """A register read every second for a day keeps an hour, in some 60 stretches and a few kilobytes."""
    register, flow = Register(), Flow()
    for second in range(0, 24 * 3600, 7):
        flow.add(register.read(second * 0.001, START_MS + second * 1000, METER))
        if second % 4900 == 0:
            flow = msgspec.json.decode(msgspec.json.encode(flow), type=Flow)
    assert len(flow.stretches) <= 70
    assert HOUR_MS <= sum(one.elapsed_ms for one in flow.stretches) <= HOUR_MS + 2 * MINUTE_MS
    assert len(msgspec.json.encode(flow)) < 4_000
    assert flow.rate(0.001).per_hour == pytest.approx(3.6, rel=0.03)


def test_the_truth_lies_within_the_error():
    """Whatever the register shows, the true mean of the time it speaks of is within ± error."""
    true_m3h, resolution = 0.137, 0.01
    for first in range(40):
        shown = [(m, int((first * 0.0007 + true_m3h * m / 60) / resolution) * resolution) for m in range(90)]
        rate = fed(shown).rate(resolution)
        assert isinstance(rate, Rate)
        assert abs(rate.per_hour - true_m3h) <= rate.error + 1e-9


def test_steps_out_of_order_are_not_added():
    """What says nothing changes nothing."""
    flow = fed([(0, 10), (1, 10.05)])
    before = msgspec.json.encode(flow)
    flow.add(Step(Event.STALE))
    assert msgspec.json.encode(flow) == before
