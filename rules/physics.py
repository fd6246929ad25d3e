"""How bodies follow what surrounds them: the formulas of DOMAIN.md 2.3 and 3.3."""

from __future__ import annotations

import math
from collections.abc import Sequence

from campus.clock import HOUR_MS

#: water: density times specific heat, kJ/(m3·K)
_WATER_KJ_M3K = 1000 * 4.19
_FEWEST_POINTS = 4


def hours_to_reach(target_c: float, start_c: float, ambient_c: float, tau_h: float) -> float:
    """Hours until a body at *start_c* with time constant *tau_h* reaches *target_c*; infinite when it never does.

    ``t = tau · ln((start − ambient) / (target − ambient))``.
    """
    if (start_c - target_c) * (target_c - ambient_c) < 0 or target_c == ambient_c:
        return math.inf
    if start_c == target_c:
        return 0.0
    return tau_h * math.log((start_c - ambient_c) / (target_c - ambient_c))


def pipe_tau_h(
    bore_m: float, outside_m: float, insulation_m: float, conductivity_w_mk: float, film_w_m2k: float = 0.0
) -> float:
    """Time constant in hours of still water in an insulated pipe (ASHRAE Fundamentals, DOMAIN.md 2.3).

    *film_w_m2k* adds the resistance of the outer air film; 0 leaves it out, as ASHRAE does.
    """
    outer_m = outside_m + 2 * insulation_m
    resistance = math.log(outer_m / outside_m) / (2 * math.pi * conductivity_w_mk)
    if film_w_m2k:
        resistance += 1 / (film_w_m2k * math.pi * outer_m)
    heat_kj_mk = _WATER_KJ_M3K * math.pi * (bore_m / 2) ** 2
    return heat_kj_mk * resistance / 3.6


def fitted_tau_h(points: Sequence[tuple[int, float]], ambient_c: float) -> float | None:
    """The time constant of a falling curve, by regression of ln(T − Ta) on time; None where the curve says nothing."""
    usable = [
        (time_ms / HOUR_MS, math.log(value - ambient_c))
        for time_ms, value in points
        if value - ambient_c > 0.2
    ]
    slope = _slope(usable)
    return -1 / slope if slope is not None and slope < -1e-4 else None


def slope_per_hour(points: Sequence[tuple[int, float]]) -> float | None:
    """The straight line through *points*, in their unit an hour; None for fewer than four or no span."""
    return _slope([(time_ms / HOUR_MS, value) for time_ms, value in points])


def _slope(points: Sequence[tuple[float, float]]) -> float | None:
    if len(points) < _FEWEST_POINTS:
        return None
    xs, ys = zip(*points, strict=True)
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    from_mean = [x - mean_x for x in xs]
    spread = sum([x * x for x in from_mean])
    if spread <= 0:
        return None
    return float(sum([x * (y - mean_y) for x, y in zip(from_mean, ys, strict=True)]) / spread)
