"""One pipe probe's curve: how it falls, when it will be at 0 °C, and the signs of ice (DOMAIN.md 2.1, 2.3, 2.4)."""

from __future__ import annotations

import math

import msgspec

from campus.clock import HOUR_MS, MINUTE_MS
from rules.physics import fitted_tau_h, hours_to_reach, slope_per_hour

#: slower than this is no fall a forecast could stand on
FALLING_K_H = -0.3
_KEPT_MS = 3 * HOUR_MS
_RECENT_MS = 30 * MINUTE_MS
_SPACING_MS = 3 * MINUTE_MS
_KEPT_POINTS = 64
_FEWEST_POINTS = 4
#: signs of ice: so long at or below 0 °C; after that, standing within ±0.5 °C for so long; a rise of 1.5 K into that band
_ZERO_MS = 10 * MINUTE_MS
_PLATEAU_MS = 20 * MINUTE_MS
_PLATEAU_K = 0.5
_RECALESCENCE_K = 1.5
#: what stands still moves less than this within a plateau: the resolution of common probes (assumed)
_STILL_K = 0.2
_FREEZING_AIR_C = -1.0
_WARM_C = 12.0


class Pipe(msgspec.Struct):
    """What is remembered of one probe: its last three hours, the level it is at, and since when it is how cold."""

    points: list[tuple[int, float]] = []
    slope_k_h: float = 0.0
    recent_k_h: float = 0.0
    rank: int = 0
    since_ms: int = 0
    lowest_c: float = 0.0
    minutes: int | None = None
    last_c: float | None = None
    last_ms: int = 0
    zero_ms: int = 0
    plateau_ms: int = 0
    plateau_c: float = 0.0
    frozen: bool = False

    def take(self, time_ms: int, value_c: float, ambient_c: float | None, *, shows_ice: bool = True) -> None:
        """Adds a value to the curve. The air about a pipe never *shows_ice*: it may freeze before the water does."""
        self.last_c, self.last_ms = value_c, time_ms
        if not self.points or time_ms - self.points[-1][0] >= _SPACING_MS:
            kept = [point for point in self.points if point[0] >= time_ms - _KEPT_MS]
            self.points = [*kept, (time_ms, value_c)][-_KEPT_POINTS:]
            self.slope_k_h = self.recent_k_h = 0.0
            if value_c < _WARM_C:  # how a warm pipe cools foretells nothing
                recent = [point for point in self.points if point[0] >= time_ms - _RECENT_MS]
                self.slope_k_h = slope_per_hour(self.points) or 0.0
                self.recent_k_h = slope_per_hour(max(recent, self.points[-_FEWEST_POINTS:], key=len)) or 0.0
        if shows_ice:
            self._look_for_ice(time_ms, value_c, ambient_c)

    def cold_ms(self, limit_c: float) -> int:
        """For how long every point has been at or below *limit_c*, as far back as the curve is kept."""
        since_ms = self.last_ms
        for time_ms, value_c in reversed(self.points):
            if value_c > limit_c:
                break
            since_ms = time_ms
        return self.last_ms - since_ms

    def settle(self, rank: int, time_ms: int, value_c: float, minutes: float) -> None:
        """Keeps the level that was found."""
        if rank and not self.rank:
            self.since_ms, self.lowest_c = time_ms, value_c
        self.lowest_c = min(self.lowest_c, value_c) if rank else self.lowest_c
        self.frozen = self.frozen and rank > 0
        self.minutes = round(minutes) if minutes < math.inf else None
        self.rank = rank

    def minutes_to_0c(
        self, value_c: float, ambient_c: float | None, tau_h: float = 0.0, forecast_c: float = math.inf
    ) -> float:
        """Minutes until 0 °C as the curve goes on: by time constant where the air is known, else by the slope.

        The whole curve and its last half hour must fall: water drawn through a pipe cools it once and then no more.
        *tau_h* is the time constant by the pipe's own data, for where the curve does not give one (0: no data). What is
        fitted to the air of now is reckoned with the air that is foretold, where that is colder.
        """
        if value_c <= 0 or self.slope_k_h > FALLING_K_H or self.recent_k_h > FALLING_K_H:
            return math.inf
        if ambient_c is not None and ambient_c < value_c:
            fitted_h = fitted_tau_h(self.points, ambient_c) or tau_h
            if fitted_h:
                return hours_to_reach(0.0, value_c, min(ambient_c, forecast_c), fitted_h) * 60
        return value_c / -self.slope_k_h * 60

    def _look_for_ice(self, time_ms: int, value_c: float, ambient_c: float | None) -> None:
        """Ice gives off heat: it holds a pipe at 0 °C, or lifts a supercooled one there, while the air would take it down.

        A pipe that still falls, or that heat or a dripping tap holds just above 0 °C, has no ice yet (DOMAIN.md 2.1).
        """
        self.zero_ms = (self.zero_ms or time_ms) if value_c <= 0 else 0
        near_zero = abs(value_c) <= _PLATEAU_K
        stands = near_zero and self.plateau_ms > 0 and abs(value_c - self.plateau_c) <= _STILL_K
        if not stands:
            self.plateau_ms, self.plateau_c = (time_ms, value_c) if near_zero else (0, 0.0)
        freezing = ambient_c is not None and ambient_c < _FREEZING_AIR_C
        supercooled = self.rank > 0 and self.lowest_c < 0
        self.frozen = (
            self.frozen
            or (self.zero_ms > 0 and time_ms - self.zero_ms >= _ZERO_MS)
            or (freezing and near_zero and supercooled and value_c - self.lowest_c >= _RECALESCENCE_K)
            or (freezing and stands and supercooled and time_ms - self.plateau_ms >= _PLATEAU_MS)
        )
