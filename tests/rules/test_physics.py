"""The formulas against the vectors of DOMAIN.md."""

import math

import pytest

from rules.physics import fitted_tau_h, hours_to_reach, pipe_tau_h, slope_per_hour

INCH = 0.0254


@pytest.mark.parametrize(("ambient_f", "hours"), [(-18, 1.38), (20, 4.58)])
def test_ashrae_time_to_freeze(ambient_f, hours):
    """2-inch pipe, 1.5-inch insulation, k 0.30 Btu·in/(h·ft²·°F), from 42 °F (DOMAIN 2.3)."""
    conductivity = 0.30 * 0.1442279
    tau_h = pipe_tau_h(2.067 * INCH, 2.375 * INCH, 1.5 * INCH, conductivity)
    celsius = (ambient_f - 32) / 1.8
    assert hours_to_reach(0, (42 - 32) / 1.8, celsius, tau_h) == pytest.approx(hours, rel=0.02)


def test_freezer_warm_up():
    """From -18 to -12 °C at 25 °C with tau 38 h takes 5.8 h (DOMAIN 3.3)."""
    assert hours_to_reach(-12, -18, 25, 38) == pytest.approx(5.8, abs=0.1)


def test_what_is_never_reached():
    """A body never passes what surrounds it."""
    assert hours_to_reach(0, 8, 5, 2) == math.inf
    assert hours_to_reach(0, 0, 5, 2) == 0


def test_the_time_constant_is_found_again():
    """Fitting an exponential gives its own time constant; too few points give nothing."""
    points = [(minute * 60_000, -10 + 18 * math.exp(-minute / 60 / 3.0)) for minute in range(0, 120, 5)]
    assert fitted_tau_h(points, -10) == pytest.approx(3.0)
    assert fitted_tau_h(points[:3], -10) is None
    assert slope_per_hour([(0, 5.0), (0, 5.0), (0, 5.0), (0, 5.0)]) is None
