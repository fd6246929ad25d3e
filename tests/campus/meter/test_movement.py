"""How a register came from one value to another, at the very edges of what is believed."""

import msgspec
import pytest

from campus.clock import HOUR_MS
from campus.meter.meter import Meter
from campus.meter.movement import Movement, bounded, movement
from campus.meter.step import Event

#: in an hour at most 300 pass, and 5 more are noise: from 0 to 305
METER = Meter(step=1.0, learns=False, modulus=1000.0, most_per_hour=300.0, tolerance=5.0, most_backflow=100.0)
PLAIN = msgspec.structs.replace(METER, modulus=0.0)
STRICT = msgspec.structs.replace(METER, most_backflow=0.0)
COUNTER = msgspec.structs.replace(PLAIN, widths=(65_536.0,), restarts=True)


@pytest.mark.parametrize(
    ("meter", "last", "value", "owed", "expected"),
    [
        # forward, from nothing to the most there can be
        (METER, 500, 500, 0, (Event.NORMAL, 0)),
        (METER, 500, 805, 0, (Event.NORMAL, 305)),
        (METER, 500, 806, 0, None),
        # around: from the last tenth into the first, by no more than can pass
        (METER, 901, 99, 0, (Event.ROLLOVER, 198)),
        (METER, 900, 99, 0, None),
        (METER, 901, 100, 0, None),
        (METER, 1000, 0, 0, (Event.ROLLOVER, 0)),
        (METER, 1001, 0, 0, None),
        (msgspec.structs.replace(METER, most_per_hour=193.0), 901, 99, 0, (Event.ROLLOVER, 198)),
        (msgspec.structs.replace(METER, most_per_hour=192.0), 901, 99, 0, None),
        (msgspec.structs.replace(METER, most_per_hour=900.0), 950, 500, 0, None),
        (PLAIN, 901, 99, 0, None),
        # a counter's width is guessed from its last thousandth only
        (COUNTER, 65_500, 10, 0, (Event.ROLLOVER, 46)),
        (COUNTER, 65_470, 10, 0, None),
        # a few steps back are noise, also where they come one after the other
        (PLAIN, 500, 495, 0, (Event.JITTER, -5)),
        (PLAIN, 500, 494, 0, (Event.BACKFLOW, -6)),
        (PLAIN, 500, 497, 2, (Event.JITTER, -3)),
        (PLAIN, 500, 497, 3, (Event.BACKFLOW, -3)),
        # more is water that flowed back, up to a limit and never to the register's start
        (PLAIN, 500, 400, 0, (Event.BACKFLOW, -100)),
        (PLAIN, 500, 399, 0, None),
        (PLAIN, 500, 401, 2, None),
        (PLAIN, 500, 402, 2, (Event.BACKFLOW, -98)),
        (PLAIN, 50, 5, 0, None),
        (PLAIN, 50, 6, 0, (Event.BACKFLOW, -44)),
        (msgspec.structs.replace(PLAIN, most_per_hour=95.0), 500, 400, 0, (Event.BACKFLOW, -100)),
        (msgspec.structs.replace(PLAIN, most_per_hour=94.0), 500, 400, 0, None),
        # a new meter turned back below 0
        (METER, 2, 999, 0, (Event.BACKFLOW, -3)),
        (METER, 50, 950, 0, (Event.BACKFLOW, -100)),
        (METER, 50, 949, 0, None),
        (METER, 0, 1000, 0, (Event.BACKFLOW, 0)),
        (METER, 0, 1001, 0, None),
        (METER, 99, 999, 0, (Event.BACKFLOW, -100)),
        (msgspec.structs.replace(METER, most_backflow=500.0), 100, 1000, 0, None),
        (msgspec.structs.replace(METER, most_backflow=500.0), 50, 900, 0, None),
        (msgspec.structs.replace(METER, most_backflow=500.0), 50, 901, 0, (Event.BACKFLOW, -149)),
        (METER, 2, 999, 97, (Event.BACKFLOW, -3)),
        (METER, 2, 999, 98, None),
        (STRICT, 2, 997, 0, (Event.BACKFLOW, -5)),
        (STRICT, 2, 996, 0, None),
        (msgspec.structs.replace(METER, most_per_hour=95.0), 50, 950, 0, (Event.BACKFLOW, -100)),
        (msgspec.structs.replace(METER, most_per_hour=94.0), 50, 950, 0, None),
        (PLAIN, 2, 999, 0, None),
    ],
)
def test_the_edges(meter, last, value, owed, expected):
    """On a limit it is believed, one step beyond it is not."""
    found = movement(float(last), float(value), HOUR_MS, meter, float(owed))
    assert found == (None if expected is None else Movement(expected[0], float(expected[1])))


@pytest.mark.parametrize(
    ("amount", "expected"), [(-6, False), (-5, True), (0, True), (305, True), (306, False)]
)
def test_what_can_have_passed(amount, expected):
    """Between the noise back and the most forward, both included."""
    assert bounded(float(amount), HOUR_MS, METER) is expected
