"""The line protocol: whatever is written can be told apart again by a parser that follows InfluxDB's own rules."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.timeseries.line_protocol import lines, stored_tag, text_of

_PRINTABLE = st.characters(exclude_categories=["Cs"], exclude_characters=[chr(code) for code in range(32)])
_NASTY = st.text(alphabet=st.one_of(st.sampled_from(list('\\\u200b ,="$#')), _PRINTABLE), max_size=10)
READING = st.builds(
    Reading,
    st.builds(Series, _NASTY.filter(bool), st.sampled_from(list(Quantity)), _NASTY),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 9_223_372_036_853),
    st.just(0),
    st.sampled_from(list(Quality)),
)


def parts(text, ending):
    """Splits at every *ending* that has no backslash right before it, as InfluxDB's scanner does."""
    found, current = [], ""
    for position, sign in enumerate(text):
        if sign == ending and text[position - 1] != "\\":
            found.append(current)
            current = ""
        else:
            current += sign
    return [*found, current]


def unescaped(text):
    """Drops a backslash right before a comma, an equal sign or a space, and leaves all others."""
    out, position = "", 0
    while position < len(text):
        if text[position] == "\\" and text[position + 1 : position + 2] in {",", "=", " "}:
            position += 1
        out += text[position]
        position += 1
    return out


def parsed(line):
    key, fields, time_ms = parts(line, " ")
    measurement, *tags = parts(key, ",")
    named = {name: text_of(unescaped(value)) for name, value in (parts(tag, "=") for tag in tags)}
    values = dict(field.split("=") for field in fields.split(","))
    series = Series(named["device"], Quantity(measurement), named.get("channel", ""))
    return Reading(series, float(values["value"]), int(time_ms), 0, Quality(int(float(values["quality"]))))


@given(st.lists(READING, min_size=1, max_size=5))
def test_every_reading_survives(readings):
    """Names, values to the last bit, times and qualities come back from the lines, one line a reading."""
    found = [parsed(line) for line in lines(readings).decode().split("\n")]
    assert found == readings
    assert [struct.pack("d", one.value) for one in found] == [struct.pack("d", one.value) for one in readings]


@given(_NASTY, _NASTY)
def test_stored_tags_are_never_confused(one, other):
    """Different texts are stored as different tags, and each finds its way back."""
    assert text_of(stored_tag(one)) == one
    assert (stored_tag(one) == stored_tag(other)) == (one == other)
    assert not stored_tag(one).endswith("\\")


def test_fields_are_floats():
    """Neither field ever looks like an integer, whose type would stick."""
    line = lines([Reading(Series("d", Quantity.ENERGY), 5, 1000, 0, Quality.LATE)]).decode()
    assert line == "energy,device=d value=5.0,quality=2.0 1000"
