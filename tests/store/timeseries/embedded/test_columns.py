"""Columns and blocks give back what was packed, to the last bit."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.timeseries.embedded.block import pack, unpack, unpack_hours
from store.timeseries.embedded.columns import pack_floats, pack_ints, unpack_floats, unpack_ints
from store.timeseries.embedded.parts import parts_of
from store.timeseries.points import Points

FLOATS = st.floats(-1e99, 1e99)
DECIMALS = st.builds(
    lambda number, places: number / 10**places, st.integers(-(10**9), 10**9), st.integers(0, 7)
)


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=50))
def test_whole_numbers_come_back(numbers):
    """Any whole numbers a float can hold, in any order."""
    assert unpack_ints(pack_ints(numbers), len(numbers)) == numbers


@given(st.one_of(st.lists(FLOATS, min_size=1, max_size=50), st.lists(DECIMALS, min_size=1, max_size=50)))
def test_floats_come_back(values):
    """Any floats to the last bit, but for the sign of zero."""
    found = unpack_floats(pack_floats(values), len(values))
    assert list(map(repr, found)) == [
        repr(value + 0.0) if value else repr(abs(value)) for value in values
    ] or (0.0 in values and found == values)


@pytest.mark.parametrize(
    ("values", "width"),
    [
        ([5.0] * 100, 0),
        ([n * 0.5 for n in range(100)], 0),
        ([20.1, 20.2, 20.1, 20.3] * 20, 1),
        ([0.0, 1000.5] * 20, 1),
        ([math.pi * n for n in range(50)], 8),
    ],
)
def test_the_width_follows_the_steps(values, width):
    """Even steps take no bytes at all, decimals few, and only what is no decimal takes all eight."""
    assert pack_floats(values).width == width


@given(st.dictionaries(st.integers(0, 9 * 10**12), st.tuples(DECIMALS, st.integers(0, 2)), min_size=1))
def test_a_block_comes_back(found):
    """Times, values, qualities, and the hours as plain arithmetic gives them."""
    times = sorted(found)
    points = Points(times, [found[at][0] for at in times], bytes(found[at][1] for at in times))
    hours, packed = pack(points)
    again = unpack(packed)
    assert (again.times, again.values, again.qualities) == (points.times, points.values, points.qualities)
    known, wanted = unpack_hours(hours), parts_of(points.times, points.values, 3_600_000)
    assert (known.starts, known.counts, known.lows) == (wanted.starts, wanted.counts, wanted.lows)
    assert known.totals == pytest.approx(wanted.totals, abs=1e-6)


@pytest.mark.parametrize("broken", [b"", b"x", b"\x78\x9c", b"\x93\x01\x02\x03"])
def test_bytes_that_are_no_block(broken):
    """Whatever cannot be read is said, not guessed."""
    with pytest.raises(Exception, match=r".+"):
        unpack(broken)
