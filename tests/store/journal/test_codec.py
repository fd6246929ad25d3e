"""A batch as bytes: every reading comes back as it was, and nothing else comes back at all."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.journal.codec import decode, encode

SERIES = st.builds(Series, st.text(max_size=8), st.sampled_from(Quantity), st.sampled_from(["", "a", "探头"]))
#: any 53-bit moment, long before and after the batch's first
MOMENTS = st.integers(-(1 << 52), 1 << 52)
READINGS = st.lists(
    st.builds(Reading, SERIES, st.floats(allow_nan=False), MOMENTS, MOMENTS, st.sampled_from(Quality)),
    max_size=30,
)
ONE = Series("freezer-2", Quantity.TEMPERATURE, "")
AT_MS = 1_795_233_600_000


@settings(max_examples=100, deadline=None)
@given(READINGS)
def test_what_is_written_is_read(readings):
    """Device, quantity, channel, value to the last bit, both times and quality of each, in their order."""
    assert decode(encode(readings)) == tuple(readings)


def test_no_number_survives():
    """A value that is no number stays one: it is what shows a probe that failed."""
    (back,) = decode(encode([Reading(ONE, math.nan, AT_MS, AT_MS, Quality.SUSPECT)]))
    assert math.isnan(back.value)
    assert back.quality is Quality.SUSPECT


def test_nothing_is_nothing():
    """An empty batch has no bytes, and no bytes are an empty batch."""
    assert encode([]) == b""
    assert decode(b"") == ()


def test_a_batch_is_short():
    """A series is written once a batch, a time as a difference: about 20 bytes a reading, as the module says."""
    readings = [
        Reading(ONE, 20.5 + number / 10, AT_MS + number * 60_000, AT_MS + number * 60_500)
        for number in range(500)
    ]
    assert len(encode(readings)) < 21 * len(readings)
    assert encode(readings).count(b"freezer-2") == 1


@given(READINGS.filter(bool), st.data())
@settings(max_examples=100, deadline=None)
def test_bytes_that_were_cut_are_refused(readings, data):
    """A batch that lost its end is no shorter batch."""
    whole = encode(readings)
    with pytest.raises((ValueError, msgspec.DecodeError)):
        decode(whole[: data.draw(st.integers(1, len(whole) - 1))])


@pytest.mark.parametrize(
    "columns",
    [
        [0, [["d", "temperature", ""]], [1], [1.0], [0], [0], {}],  # a series it does not hold
        [0, [["d", "temperature", ""]], [0, 0], [1.0], [0], [0], {}],  # columns of different lengths
        [0, [["d", "no_such_quantity", ""]], [0], [1.0], [0], [0], {}],
        [0, [["d", "temperature", ""]], [0], [1.0], [0], [0], {0: 99}],  # no such quality
    ],
)
def test_what_does_not_fit_together_is_refused(columns):
    """Bytes that decode and make no sense are as bad as those that do not."""
    with pytest.raises(ValueError):
        decode(msgspec.msgpack.encode(columns))
