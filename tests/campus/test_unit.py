"""Units, times and durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.clock import SHANGHAI, from_ms, iso, parse_duration, parse_iso, to_ms
from campus.errors import BadDuration, BadTime, UnknownUnit
from campus.quantity import SPECS, Quantity
from campus.unit import to_canonical


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "expected"),
    [
        (Quantity.ENERGY, 110.046, "Wh", 0.110046),
        (Quantity.ENERGY, 2, "MWh", 2000),
        (Quantity.ENERGY, 500, "mWh", 0.0005),
        (Quantity.ACTIVE_POWER, 219.4, "W", 0.2194),
        (Quantity.WATER_VOLUME, 5342, "L", 5.342),
        (Quantity.WATER_FLOW, 1, "L/min", 0.06),
        (Quantity.TEMPERATURE, 32, "°F", 0),
        (Quantity.TEMPERATURE, 273.15, "K", 0),
        (Quantity.PRESSURE, 1018, "hPa", 101.8),
        (Quantity.BATTERY_VOLTAGE, 2855, "mV", 2.855),
    ],
)
def test_units_become_canonical(quantity, value, unit, expected):
    """A source's unit becomes the quantity's own, milli and mega kept apart."""
    assert to_canonical(quantity, value, unit) == pytest.approx(expected)


def test_a_wrong_unit_is_named():
    """A unit that cannot measure the quantity is refused with both named."""
    with pytest.raises(UnknownUnit, match=r"'kg' cannot measure temperature"):
        to_canonical(Quantity.TEMPERATURE, 1, "kg")


def units_of(quantity):
    """Every unit the quantity is measured in, from what the error names."""
    with pytest.raises(UnknownUnit) as caught:
        to_canonical(quantity, 1, "no such unit")
    return str(caught.value).split("expected one of ")[1].split(", ")


@given(st.sampled_from(list(Quantity)), st.floats(-1e6, 1e6))
def test_the_canonical_unit_changes_nothing(quantity, value):
    """A value in the canonical unit stays as it is."""
    assert to_canonical(quantity, value, SPECS[quantity].unit) == value


@given(st.integers(0, 4_000_000_000_000))
def test_times_go_round(time_ms):
    """Milliseconds survive datetimes and ISO 8601."""
    assert to_ms(from_ms(time_ms, SHANGHAI)) == time_ms
    assert parse_iso(iso(time_ms)) == time_ms
    assert parse_iso(iso(time_ms, SHANGHAI)) == time_ms


def test_a_time_without_zone_needs_one():
    """A local time is read in the zone given and refused without."""
    assert parse_iso("2026-11-21T12:00:00", SHANGHAI) == parse_iso("2026-11-21T04:00:00Z")
    with pytest.raises(BadTime):
        parse_iso("2026-11-21T12:00:00")


@pytest.mark.parametrize(
    ("text", "ms"), [("90s", 90_000), ("15m", 900_000), ("1h30m", 5_400_000), ("2d", 172_800_000), (5, 5000)]
)
def test_durations(text, ms):
    """Durations are read with their units; a bare number is seconds."""
    assert parse_duration(text) == ms


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_durations_go_round(days, hours, minutes, seconds, ms):
    """A duration written out in its units is read back to the millisecond."""
    expected = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + ms
    assert parse_duration(f"{days}d{hours}h{minutes}m{seconds}s{ms}ms") == expected
    assert parse_duration(f" {days} D {hours}H ") == (days * 24 + hours) * 3_600_000


@given(
    st.sampled_from([(quantity, unit) for quantity in Quantity for unit in units_of(quantity)]),
    st.floats(-1e6, 1e6),
)
def test_units_go_round(measured, value):
    """What a unit makes of a value can be undone from what it makes of 0 and of 1: conversions are straight lines."""
    quantity, unit = measured
    zero, one = to_canonical(quantity, 0.0, unit), to_canonical(quantity, 1.0, unit)
    assert (to_canonical(quantity, value, unit) - zero) / (one - zero) == pytest.approx(value, abs=1e-6)


@given(st.text(max_size=12))
def test_no_text_breaks_durations(text):
    """Whatever is written, the answer is a number or the one error."""
    try:
        assert parse_duration(text) >= 0
    except BadDuration as error:
        assert repr(text) in str(error)
