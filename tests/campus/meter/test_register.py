"""One register after another: what each reading means, and what has passed in all."""

import math

import msgspec
import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from campus.device import Device, MeterSwap, Place
from campus.meter.meter import Meter, counts, meter_of
from campus.meter.register import Register
from campus.meter.step import Event, Reason
from campus.quantity import Quantity

START_MS = 1_795_233_600_000
#: a four-digit register read every minute, Q4 5 m3/h: 83 L a minute
HOUSE = Meter(modulus=10_000, most_per_hour=5)
PULSES = Meter(
    step=0.01,
    learns=False,
    most_per_hour=25,
    tolerance=0.05,
    most_backflow=0,
    restarts=True,
    widths=(655.36,),
)


def feed(readings, meter=HOUSE):
    """The register and its steps after readings of (minute, value)."""
    register = Register()
    found = [register.read(value, START_MS + round(minute * MINUTE_MS), meter) for minute, value in readings]
    return register, found


def told(readings, meter=HOUSE):
    """(event, volume to the millilitre) of each step."""
    return [(step.event.value, round(step.volume, 6)) for step in feed(readings, meter)[1]]


@pytest.mark.parametrize(
    ("readings", "last"),
    [
        # the table of DOMAIN.md 1.1; readings a minute apart unless written otherwise
        ([(0, 10), (1, 10.05)], ("normal", 0.05)),
        ([(0, 10), (1, 10)], ("normal", 0)),
        ([(0, 10), (1, 9.997)], ("jitter", 0)),
        ([(0, 9999.98), (1, 0.03)], ("rollover", 0.05)),
        ([(0, 0.0), (1, 9999.999)], ("backflow", 0)),
        ([(0, 500), (1, 0.02)], ("held", 0)),
        ([(0, 500), (1, 0.02), (2, 0.03)], ("reset", 0.01)),
        ([(0, 10), (1, 12)], ("held", 0)),
        ([(0, 10), (1, 12), (2, 12.01)], ("jump", 0.01)),
        ([(0, 10), (1, 12), (2, 10.02)], ("glitch", 0.02)),
        ([(0, 10), (300, 14)], ("normal", 4)),
        ([(0, 10), (0, 10.01)], ("stale", 0)),
        ([(5, 10), (4, 10.01)], ("stale", 0)),
        ([(0, 10), (1, 12), (1, 12.01)], ("stale", 0)),
        ([(0, 10)], ("first", 0)),
        ([(0, 10), (1, math.nan)], ("stale", 0)),
        ([(0, 10), (1, math.inf)], ("stale", 0)),
        # a drop larger than a believable backflow, not to zero: another meter
        ([(0, 500), (1, 400), (2, 400.01)], ("reset", 0.01)),
        # 200 L back is backflow; it has to pass again before anything counts
        ([(0, 500), (10, 499.8)], ("backflow", 0)),
        ([(0, 500), (10, 499.8), (20, 499.9)], ("normal", 0)),
        ([(0, 500), (10, 499.8), (20, 500.1)], ("normal", 0.1)),
        # 200 L back within a minute is more than the pipe passes
        ([(0, 500), (1, 499.8)], ("held", 0)),
        # back to about zero is a new register, though the step is small
        ([(0, 0.8), (10, 0.0)], ("held", 0)),
        ([(0, 0.8), (10, 0.0), (20, 0.1)], ("reset", 0.1)),
        # over the end of the register, faster than the meter can turn: held, then another register
        ([(0, 9990), (1, 20), (2, 20.01)], ("reset", 0.01)),
        # a misread while another one is held: neither is believed, the register goes on
        ([(0, 10), (1, 700), (2, 300), (3, 10.03)], ("glitch", 0.03)),
        ([(0, 10), (1, 700), (2, 0), (3, 0.02)], ("reset", 0.02)),
        # above what the meter is said to pass, twice at the like rate: the bound is wrong, and a burst is seen
        ([(0, 10), (1, 10.2), (2, 10.4)], ("above_most", 0.4)),
        ([(0, 10), (1, 10.2), (2, 10.4), (3, 10.6), (4, 10.8)], ("above_most", 0.4)),
        # after a gap, a reading above a held one confirms that: 60 m3 were not used in the night
        ([(0, 10), (1, 70), (1441, 71)], ("jump", 1)),
        ([(0, 10), (1, 70), (1441, 12)], ("glitch", 2)),
    ],
)
def test_what_a_reading_means(readings, last):
    """Each case of a register, with the volume that may be counted for it."""
    assert told(readings)[-1] == last


@pytest.mark.parametrize(
    ("readings", "reason", "flows"),
    [
        ([(0, 10), (1, 10.05)], None, True),
        ([(0, 9999.98), (1, 0.03)], None, True),
        ([(0, 10), (300, 14)], Reason.GAP, False),
        ([(0, 9999), (300, 1)], Reason.GAP, False),
        ([(0, 500), (1, 0.02), (2, 0.03)], Reason.RESET, False),
        ([(0, 10), (1, 12), (2, 12.01)], Reason.JUMP, False),
        ([(0, 10), (1, 10.2), (2, 10.4)], Reason.ABOVE_MOST, True),
        ([(0, 10), (1, 12), (2, 10.02)], None, True),
        ([(0, 10), (1, 12)], None, False),
        ([(0, 10)], None, False),
    ],
)
def test_what_is_inferred_says_why(readings, reason, flows):
    """Only what a register's own two readings bound is measured, and only there a flow is known."""
    step = feed(readings)[1][-1]
    assert (step.reason, step.flows) == (reason, flows)


def test_steps_follow_each_other_without_a_hole():
    """A held reading leaves its time to the step that settles it."""
    _, found = feed([(0, 10), (1, 12), (2, 10.02), (3, 10.03)])
    spans = [(step.since_ms - START_MS, step.until_ms - START_MS) for step in found if step.told]
    assert spans == [(0, 0), (0, 2 * MINUTE_MS), (2 * MINUTE_MS, 3 * MINUTE_MS)]


def test_backflow_is_told_apart_and_the_flow_goes_on():
    """What flowed back is a figure of its own; while it is made good the net volume rests and the flow does not."""
    _, found = feed([(0, 500), (10, 499.8), (20, 499.9), (30, 500.1)])
    assert [round(step.backflow, 6) for step in found] == [0, 0.2, 0, 0]
    assert [round(step.moved, 6) for step in found] == [0, 0, 0.1, 0.2]
    assert [round(step.per_hour, 6) for step in found] == [0, 0, 0.6, 1.2]


def test_a_camera_that_trembles_is_no_flow():
    """Noise between two values of a dial counts once, at most, and shows no flow when it comes back."""
    register, found = feed([(m, 149.539 if m % 2 else 149.5365) for m in range(100)])
    assert round(register.total, 4) == 0.0025
    assert sum(step.moved for step in found) == register.total


def test_many_small_steps_back_are_one_large_one():
    """A register that creeps back by noise-sized steps does not hide a cubic metre as noise."""
    _, found = feed([(10 * m, round(500 - 0.004 * m, 3)) for m in range(400)])
    events = [step.event for step in found]
    assert events[1] is Event.JITTER
    assert events[2] is Event.BACKFLOW
    assert Event.RESET in events


def test_a_new_meter_turned_back_a_litre():
    """99999.999 after 0 is a litre back, not a hundred thousand cubic metres; forward again counts from 0."""
    meter = Meter(modulus=100_000, most_per_hour=5)
    register, found = feed([(0, 0.0), (1, 99_999.999), (2, 0.0), (3, 0.002)], meter)
    assert [step.event.value for step in found] == ["first", "backflow", "rollover", "normal"]
    assert round(found[1].backflow, 6) == 0.001
    assert round(register.total, 6) == 0.002


def test_a_digit_misread_for_hours():
    """Back on the old register what it moved meanwhile is counted, once: 0.3 m3, not 800 and not 0."""
    readings = [(0, 149.5), (10, 949.51), (20, 949.52), (30, 949.6), (40, 149.75), (50, 149.78), (60, 149.8)]
    register, found = feed(readings)
    assert round(register.total, 6) == 0.3
    assert [step.event.value for step in found][-4:] == ["normal", "held", "glitch", "normal"]


def test_a_misread_high_and_then_low():
    """The same the other way: a digit lost for a while."""
    register, _ = feed([(0, 949.5), (10, 149.51), (20, 149.55), (30, 949.57), (40, 949.6)])
    assert round(register.total, 6) == 0.1


def test_a_return_after_more_than_a_day_is_another_register():
    """Days later the same index is chance: nothing is invented between."""
    meter = Meter(most_per_hour=0.1)
    register, _ = feed([(0, 100), (1, 50), (2, 50.001), (3 * 1440, 100.5), (3 * 1440 + 1, 100.501)], meter)
    assert round(register.total, 6) == 0.002


@pytest.mark.parametrize(
    ("readings", "event", "total"),
    [
        # a logger that rebooted counts what it has counted since; what it lost in between is not known
        ([(0, 60), (10, 0.02), (20, 0.05)], Event.RESET, 0.05),
        # 16 bits of 10 L: wraps at 655.36
        ([(0, 655.30), (10, 0.02), (20, 0.05)], Event.NORMAL, 0.11),
        # not close enough to the wrap: a reboot
        ([(0, 650.0), (10, 0.02), (20, 0.05)], Event.RESET, 0.05),
        # set by hand to the dial's index: that is no consumption
        ([(0, 60), (10, 5021), (20, 5021.02)], Event.JUMP, 0.02),
        # set by hand downwards
        ([(0, 600), (10, 50.21), (20, 50.23)], Event.RESET, 0.02),
        # an old value delivered late
        ([(0, 60), (10, 59.9), (20, 60.02)], Event.GLITCH, 0.02),
    ],
)
def test_pulse_counters(readings, event, total):
    """Pulses reboot to 0 and wrap at their counter's width."""
    register, found = feed(readings, PULSES)
    assert found[-1].event is event
    assert round(register.total, 6) == total


def swapped(at_minute, end=5021.5, start=0.3, **more):
    swap = MeterSwap(time_ms=START_MS + at_minute * MINUTE_MS, end=end, start=start)
    return Meter(modulus=10_000, most_per_hour=5, swaps=(swap,), **more)


@pytest.mark.parametrize(
    ("meter", "readings", "event", "total"),
    [
        # (0.5 on the old one, 0.1 on the new one), as written
        (swapped(30), [(0, 5021.0), (60, 0.4)], Event.SWAP, 0.6),
        # written down an hour too late, and an hour too early
        (swapped(120), [(0, 5021.0), (60, 0.4)], Event.SWAP, 0.6),
        (swapped(-60), [(0, 5021.0), (60, 0.4)], Event.SWAP, 0.6),
        (swapped(-60), [(0, 5021.0), (10, 5021.2), (60, 0.4)], Event.SWAP, 0.6),
        # the new meter stands a little higher than the old one's end: not consumption
        (swapped(30, end=5021.5, start=5023.5), [(0, 5021.0), (60, 5023.6)], Event.SWAP, 0.6),
        # read off without decimals: nothing flows back for it
        (swapped(30, end=5021, start=0.3), [(0, 5021.4), (60, 0.4)], Event.SWAP, 0.1),
        # a logger that goes on counting its own pulses is not touched
        (swapped(30), [(0, 77.0), (60, 77.2)], Event.NORMAL, 0.2),
        # the last index is a typing error: only the new meter's part is counted
        (swapped(30, end=50215), [(0, 5021.0), (60, 0.4)], Event.SWAP, 0.1),
        # both are: as if nothing had been written
        (swapped(30, end=50215, start=9000), [(0, 5021.0), (60, 0.4), (61, 0.41)], Event.RESET, 0.01),
        # a misread before it does not hide it
        (swapped(30), [(0, 5021.0), (10, 8021), (60, 0.4)], Event.SWAP, 0.6),
    ],
)
def test_a_replaced_meter(meter, readings, event, total):
    """The old index up to its end and the new one from its start, where the readings bear the record out."""
    register, found = feed(readings, meter)
    assert found[-1].event is event
    assert round(register.total, 6) == total


def test_a_swap_counts_once():
    """After it the record says nothing more, though its day is not over."""
    register, found = feed([(0, 5021.0), (60, 0.4), (61, 0.45), (62, 700), (63, 0.5)], swapped(30))
    assert [step.event.value for step in found] == ["first", "swap", "normal", "held", "glitch"]
    assert round(register.total, 6) == 0.7


@pytest.mark.parametrize(("end", "reason"), [(5021.5, None), (50215, Reason.SWAP)])
def test_a_swap_with_both_indexes_is_measured(end, reason):
    """It is inferred only where one of them does not fit."""
    assert feed([(0, 5021.0), (60, 0.4)], swapped(30, end=end))[1][-1].reason is reason


def test_a_swap_found_over_a_gap_is_inferred():
    """Its sum is known, its hours are not."""
    assert feed([(0, 5021.0), (600, 0.4)], swapped(30))[1][-1].reason is Reason.GAP


def test_the_resolution_is_learned_from_the_steps():
    """The smallest step seen is the register's, unless it was given."""
    register, _ = feed([(0, 10), (1, 10.05), (2, 10.06), (3, 10.06), (4, 10.08), (5, 10.079)])
    assert register.resolution(HOUSE) == 0.01
    assert Register().resolution(HOUSE) == 0.001
    register, _ = feed([(0, 10), (1, 10.05)], PULSES)
    assert register.resolution(PULSES) == 0.01


def device(**more):
    return Device(id="m", name="M", kind="water_meter", place=Place(site="s"), **more)


@pytest.mark.parametrize(
    ("register", "quantity", "expected"),
    [
        (
            {},
            Quantity.WATER_VOLUME,
            {"step": 0.001, "tolerance": 0.005, "most_per_hour": 200.0, "learns": True},
        ),
        ({"most_per_hour": 5}, Quantity.WATER_VOLUME, {"most_per_hour": 5.0}),
        (
            {"pulse_weight": 0.01},
            Quantity.WATER_VOLUME,
            {"step": 0.01, "learns": False, "restarts": True, "most_backflow": 0.0},
        ),
        ({"register_modulus": 1000}, Quantity.WATER_VOLUME, {"modulus": 1000.0, "widths": ()}),
        ({"interval_s": 3600}, Quantity.WATER_VOLUME, {"gap_ms": 3 * HOUR_MS}),
        ({"rated_current_a": 100}, Quantity.ENERGY, {"most_per_hour": 138.0, "tolerance": 0.05}),
        ({}, Quantity.PULSE_COUNT, {"step": 1.0, "restarts": True, "widths": (2.0**16, 2.0**24, 2.0**32)}),
    ],
)
def test_what_the_folder_says_of_a_register(register, quantity, expected):
    """The device's own figures, else what is usual for the quantity."""
    meter = meter_of(device(**register), quantity)
    assert {name: pytest.approx(getattr(meter, name)) for name in expected} == expected


def test_a_rules_bound_yields_to_the_devices():
    """What the nameplate says is better known than a rule's default."""
    assert meter_of(device(), Quantity.WATER_VOLUME, most_per_hour=30).most_per_hour == 30
    assert meter_of(device(most_per_hour=5), Quantity.WATER_VOLUME, most_per_hour=30).most_per_hour == 5
    assert not counts(Quantity.TEMPERATURE)


def test_energy_is_the_same_arithmetic():
    """A kWh register that wraps at 99999.99 and reboots nowhere."""
    meter = meter_of(device(register_modulus=100_000, rated_current_a=250), Quantity.ENERGY)
    register, found = feed([(0, 99_999.5), (15, 3.25), (30, 7.0)], meter)
    assert [step.event.value for step in found] == ["first", "rollover", "normal"]
    assert round(register.total, 6) == 7.5


def test_an_older_snapshot_is_still_read():
    """A state stored before with fewer fields goes on where it was."""
    register = msgspec.json.decode(b'{"value": 10.0, "time_ms": 60000, "doubtful": null}', type=Register)
    assert register.read(10.05, 2 * MINUTE_MS, HOUSE).volume == pytest.approx(0.05)
