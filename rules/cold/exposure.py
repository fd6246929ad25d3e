"""How long and how much too warm: the exposure log of a cabinet (DOMAIN.md 3.4). For the record, never to clear an alarm."""

from __future__ import annotations

import math

import msgspec

from campus.clock import HOUR_MS, MINUTE_MS

#: USP <1079>: activation energy 83.144 kJ/mol over the gas constant, K
_DH_R_K = 83.144 / 8.3144e-3
_ZERO_C_K = 273.15
#: nothing is known of a longer gap; it counts as unknown, not as safe
_MOST_GAP_MS = 2 * HOUR_MS


class Exposure(msgspec.Struct):
    """Time above *limit_c*, degree-minutes above it, and what the mean kinetic temperature needs, since *from_ms*.

    Between two readings the temperature goes straight, so that crossings are interpolated.
    """

    limit_c: float
    from_ms: int = 0
    last_ms: int = 0
    last_c: float = 0.0
    above_ms: float = 0.0
    degree_ms: float = 0.0
    kinetic: float = 0.0
    known_ms: int = 0
    unknown_ms: int = 0
    highest_c: float = -math.inf

    def add(self, time_ms: int, value_c: float) -> None:
        """Takes a reading; one no newer than the last is nothing."""
        if not self.last_ms:
            self.from_ms = self.last_ms = time_ms
            self.last_c = self.highest_c = value_c
            return
        elapsed_ms = time_ms - self.last_ms
        if elapsed_ms <= 0:
            return
        if elapsed_ms > _MOST_GAP_MS:
            self.unknown_ms += elapsed_ms
        else:
            self._pass(elapsed_ms, value_c)
        self.last_ms, self.last_c = time_ms, value_c
        self.highest_c = max(self.highest_c, value_c)

    @property
    def minutes_above(self) -> float:
        """Minutes above the limit."""
        return self.above_ms / MINUTE_MS

    @property
    def degree_minutes(self) -> float:
        """Kelvin above the limit times minutes."""
        return self.degree_ms / MINUTE_MS

    @property
    def mean_kinetic_c(self) -> float | None:
        """The mean kinetic temperature (USP <1160>), °C; None before two readings."""
        if not self.known_ms:
            return None
        return _DH_R_K / -math.log(self.kinetic / self.known_ms) - _ZERO_C_K

    def _pass(self, elapsed_ms: int, value_c: float) -> None:
        before, after = self.last_c - self.limit_c, value_c - self.limit_c
        if before > 0 and after > 0:
            self.above_ms += elapsed_ms
            self.degree_ms += (before + after) / 2 * elapsed_ms
        elif before > 0 or after > 0:
            high = max(before, after)
            above_ms = elapsed_ms * high / (abs(before) + abs(after))
            self.above_ms += above_ms
            self.degree_ms += high / 2 * above_ms
        self.known_ms += elapsed_ms
        self.kinetic += (
            (math.exp(-_DH_R_K / (self.last_c + _ZERO_C_K)) + math.exp(-_DH_R_K / (value_c + _ZERO_C_K)))
            / 2
            * elapsed_ms
        )
