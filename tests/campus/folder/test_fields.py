"""The column of the register that says what a device's own fields mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.device import FieldMapping
from campus.folder.tables.fields import parse_fields
from campus.quantity import SPECS, Quantity

names = (
    st.text(min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda text: text and not set(text) & set("=;\uff1b"))
)
mappings = st.builds(
    lambda quantity, with_unit, channel, scale: FieldMapping(
        quantity=quantity.value, unit=SPECS[quantity].unit if with_unit else "", channel=channel, scale=scale
    ),
    st.sampled_from(Quantity),
    st.booleans(),
    st.from_regex(r"[a-z0-9_]{0,6}", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False).filter(bool),
)


def written(fields):
    """*fields* as the column says them."""
    return "; ".join(
        f"{name}={one.quantity}"
        + (f"@{one.unit}" if one.unit else "")
        + (f":{one.channel}" if one.channel else "")
        + (f"*{one.scale!r}" if one.scale != 1 else "")
        for name, one in fields.items()
    )


@pytest.mark.parametrize(
    ("text", "field", "mapping"),
    [
        ("T=temperature", "T", {"quantity": "temperature"}),
        ("WF=water_flow@l/min:a", "WF", {"quantity": "water_flow", "unit": "l/min", "channel": "a"}),
        (
            "p = active_power @ W : total * 10",
            "p",
            {"quantity": "active_power", "unit": "W", "channel": "total", "scale": 10},
        ),
        ("c=water_volume*0.01", "c", {"quantity": "water_volume", "scale": 0.01}),
        ("switch:0.apower=active_power@W", "switch:0.apower", {"quantity": "active_power", "unit": "W"}),
        ("室温=temperature@℃;", "室温", {"quantity": "temperature", "unit": "℃"}),
    ],
)
def test_a_part(text, field, mapping):
    """Unit, channel and factor are each left out or said, in that order."""
    assert parse_fields(text) == ({field: FieldMapping(**mapping)}, [])


def test_each_wrong_part_is_told_and_the_others_read():
    """Six mistakes in seven parts leave the one good part."""
    text = "a; b=nothing; c=energy@m3; d=energy*x; e=energy*0; ok=energy@kWh; ok=energy"
    fields, mistakes = parse_fields(text)
    assert set(fields) == {"ok"}
    assert [one.part for one in mistakes] == [
        "a",
        "b=nothing",
        "c=energy@m3",
        "d=energy*x",
        "e=energy*0",
        "ok=energy",
    ]
    for one, said in zip(
        mistakes,
        ("FIELD=quantity", "not a quantity", "cannot measure energy", "'x'", "'0'", "given twice"),
        strict=True,
    ):
        assert said in one.expected


@given(st.dictionaries(names, mappings, max_size=4))
def test_mappings_go_round(fields):
    """What is written out is read back the same."""
    assert parse_fields(written(fields)) == (fields, [])


@given(st.text(max_size=60) | st.text(st.sampled_from("aT=@:*;.1 energy"), max_size=40))
def test_no_text_breaks_the_parser(text):
    """Every part that is written is either read or told."""
    fields, mistakes = parse_fields(text)
    parts = [one for one in text.replace("\uff1b", ";").split(";") if one.strip()]
    assert len(fields) + len(mistakes) == len(parts)
