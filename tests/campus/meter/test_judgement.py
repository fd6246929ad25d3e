"""What a register makes of readings that can mean two things: each of these was once free to be judged the other way."""

import msgspec
import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from campus.device import MeterSwap
from campus.meter.meter import Meter
from campus.meter.register import Register
from campus.meter.step import Event

START_MS = 1_795_233_600_000
#: 300 an hour at most; 5 are noise, 100 may flow back
METER = Meter(step=1.0, learns=False, most_per_hour=300.0, tolerance=5.0, most_backflow=100.0)


def read(points, meter=METER):
    """The register and (event, volume) of each of (hour, value)."""
    register = Register()
    found = [register.read(float(value), START_MS + round(hour * HOUR_MS), meter) for hour, value in points]
    return register, [(step.event, step.volume) for step in found]


@pytest.mark.parametrize(
    ("points", "last"),
    [
        # too much within ten minutes, but not within twenty: it was a burst of water, not another meter
        ([(0, 1000), (1 / 6, 1100), (2 / 6, 1104)], (Event.NORMAL, 104)),
        # twice too fast, but not alike: it waits on, whichever was the faster
        ([(0, 0), (1, 1000), (2, 5000)], (Event.HELD, 0)),
        ([(0, 0), (1, 4000), (2, 5000)], (Event.HELD, 0)),
        ([(0, 0), (1, 1000), (2, 2000)], (Event.ABOVE_MOST, 2000)),
        # back within a day, but not where it can have come to: a third register
        ([(0, 1000), (1, 9000), (2, 9001), (3, 5000), (4, 5001)], (Event.RESET, 1)),
        ([(0, 900), (1, 1000), (2, 9000), (3, 9001), (4, 1020), (5, 1021)], (Event.GLITCH, 20)),
    ],
)
def test_which_of_two(points, last):
    """The likelier of two meanings, and the volume that goes with it."""
    assert read(points)[1][-1] == last


def test_a_step_back_right_after_a_reset_is_made_good_first():
    """What a new register trembled back is not counted twice."""
    register, found = read([(0, 5000), (1, 50), (2, 48), (3, 49), (4, 52)])
    assert [event for event, _ in found[1:3]] == [Event.HELD, Event.RESET]
    assert [volume for _, volume in found[2:]] == [0, 0, 2]
    assert register.total == 2


def test_what_was_owed_is_settled_once():
    """A backflow is taken off what passes next, and off nothing after that."""
    register, found = read([(0, 1000), (1, 990), (2, 2000), (3, 3010), (4, 3020)])
    assert found[1:] == [
        (Event.BACKFLOW, 0),
        (Event.HELD, 0),
        (Event.ABOVE_MOST, 2010),
        (Event.NORMAL, 10),
    ]
    assert register.total == 2020


@pytest.mark.parametrize(
    "swap",
    [
        MeterSwap(
            time_ms=START_MS + 5 * HOUR_MS, end=1012.0, start=1005.0
        ),  # fits, but is written hours later
        MeterSwap(
            time_ms=START_MS + 30 * MINUTE_MS, end=5000.0, start=1008.0
        ),  # written here, but does not fit
    ],
)
def test_a_register_that_goes_on_was_not_replaced(swap):
    """A swap explains readings that need it, or that bear out both time and index; others go on as they are."""
    meter = msgspec.structs.replace(METER, swaps=(swap,))
    assert read([(0, 1000), (1, 1010)], meter)[1][-1] == (Event.NORMAL, 10)


def test_the_step_is_learned_over_gaps_too():
    """The smallest rise seen is the register's step, whatever the time between; none and greater ones change nothing."""
    register, meter = Register(), Meter(step=0.001, most_per_hour=10.0)
    seen = []
    for hour, value in ((0, 0.0), (5, 0.5), (10, 0.5), (15, 0.8), (20, 1.4)):
        register.read(value, START_MS + hour * HOUR_MS, meter)
        seen.append(register.resolution(meter))
    assert seen == [0.001, 0.5, 0.5, 0.3, 0.3]
