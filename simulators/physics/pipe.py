"""Pipes in the cold: a thermal mass, and water that supercools, jumps back to 0 °C, freezes, bursts and leaks on thaw.

The stages are DOMAIN.md 2.1 (Akyurt, Zaki and Habeebullah 2002), the time constant 2.3 (ASHRAE with an outside film).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import NamedTuple

from campus.clock import HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from simulators.physics.course import Course, Courses
from simulators.physics.model import Surroundings, Values

#: latent heat of water over its heat capacity: 334 kJ/kg / 4.19 kJ/(kg K)
_LATENT_K = 79.7
#: heat capacity of ice against water, by volume: 917 × 2.1 / (1000 × 4.19)
_ICE_SHARE = 0.46
#: how deep still water goes before it freezes (DOMAIN.md 2.1, typically -2 to -7 °C)
_NUCLEATION_C = (-6.0, -2.5)
#: a share of ice that closes the bore, so that pressure rises behind it; it opens again before all is melted (assumed)
_PLUGGED, _OPEN_AGAIN = 0.25, 0.05
#: the probe on the wall follows the water with this delay (assumed)
_WALL_TAU_MS = 3 * MINUTE_MS
_FINE_MS = 2 * MINUTE_MS
#: water drawn through cools or warms a pipe towards the supply's temperature; with this, 1 % of winter hours fall
#: by about 5 K as in the recorded pipe (docs/simulators.md)
_DRAWS_PER_HOUR, _DRAW_SHARE = 1.5, 0.6
_SUPPLY_WINTER_C, _SUPPLY_PER_K = 6.0, 0.35

Ambient = Callable[[int, Surroundings], float]


class Bore(NamedTuple):
    """A pipe's sizes in millimetres: bore, outer diameter, insulation."""

    bore_mm: float
    outer_mm: float
    insulation_mm: float = 0


#: GB/T 3091 steel pipes: nominal size to bore and outer diameter
STEEL = {15: (15.7, 21.3), 25: (27.3, 33.7), 50: (53.0, 60.3), 100: (106.3, 114.3)}
_CONDUCTIVITY_W_MK, _FILM_W_M2K = 0.038, 10.0
_WATER_J_M3K = 4.19e6


def time_constant_h(bore: Bore) -> float:
    """Hours in which still water in a pipe covers 63 % of the way to its surroundings (DOMAIN.md 2.3)."""
    jacket_mm = bore.outer_mm + 2 * bore.insulation_mm
    resistance = 1 / (_FILM_W_M2K * math.pi * jacket_mm / 1000)
    if bore.insulation_mm:
        resistance += math.log(jacket_mm / bore.outer_mm) / (2 * math.pi * _CONDUCTIVITY_W_MK)
    return _WATER_J_M3K * math.pi * (bore.bore_mm / 1000) ** 2 / 4 * resistance / 3600


class Incident(NamedTuple):
    """Something physics brought about by itself: ``pipe_cold`` (4 °C or less), ``pipe_frozen`` or ``pipe_burst``."""

    kind: str
    start_ms: int
    end_ms: int


class Pipe:
    """A pipe with a probe on its wall; *ambient* is the air around it, *feeds* the leaks of the meter before it."""

    def __init__(
        self, generator: random.Random, building: str, ambient: Ambient, *, tau_h: float, feeds: Courses
    ) -> None:
        self._generator = generator
        self._building = building
        self._ambient = ambient
        self._tau_ms = tau_h * HOUR_MS
        self._nucleation_c = generator.uniform(*_NUCLEATION_C)
        self._last_ms: int | None = None
        self._wall_c = 0.0
        self._feeds = feeds
        #: share 0..1 by which outdoor air reaches the pipe: a window left open, insulation torn off
        self.draught = Courses()
        #: m3/h that leaks after a burst, until the course's end; without it the pipe holds
        self.weak: Course | None = None
        self.incidents: list[Incident] = []
        self.water_c = 0.0
        #: share of the water that is ice
        self.ice = 0.0
        self._cold_ms = self._frozen_ms = 0
        self._burst = self._leaking = False

    def step(self, time_ms: int, around: Surroundings) -> Values:
        """The wall's temperature."""
        ambient_c = self._around_c(time_ms, around)
        if self._last_ms is None:
            self.water_c = self._wall_c = max(0.5, ambient_c)
        else:
            self._move(self._last_ms, time_ms, ambient_c, around)
        self._last_ms = time_ms
        self._note(time_ms)
        return {(Quantity.TEMPERATURE, ""): self._wall_c}

    def _around_c(self, time_ms: int, around: Surroundings) -> float:
        ambient_c = self._ambient(time_ms, around)
        if self.draught:
            ambient_c += min(1.0, self.draught.at(time_ms)) * (around.outdoor_c(time_ms) - ambient_c)
        return ambient_c

    def _move(self, from_ms: int, to_ms: int, ambient_c: float, around: Surroundings) -> None:
        if self.ice == 0 and self.water_c > 1 and ambient_c > self._nucleation_c:
            self._relax(to_ms - from_ms, ambient_c, self._tau_ms)
            self._draw(from_ms, to_ms, around)
            self._wall_c = self.water_c
            return
        while from_ms < to_ms:
            slice_ms = min(_FINE_MS, to_ms - from_ms)
            self._freeze(slice_ms, ambient_c)
            self._wall_c += (self.water_c - self._wall_c) * (1 - math.exp(-slice_ms / _WALL_TAU_MS))
            from_ms += slice_ms
            self._watch(from_ms)

    def _relax(self, slice_ms: float, ambient_c: float, tau_ms: float) -> None:
        self.water_c = ambient_c + (self.water_c - ambient_c) * math.exp(-slice_ms / tau_ms)

    def _draw(self, from_ms: int, to_ms: int, around: Surroundings) -> None:
        activity = around.activity(self._building, to_ms)
        if self._generator.random() < 1 - math.exp(-_DRAWS_PER_HOUR * activity * (to_ms - from_ms) / HOUR_MS):
            supply_c = _SUPPLY_WINTER_C + _SUPPLY_PER_K * max(0.0, around.outdoor_c(to_ms))
            self.water_c += _DRAW_SHARE * self._generator.random() * (supply_c - self.water_c)

    def _freeze(self, slice_ms: int, ambient_c: float) -> None:
        """Liquid, then supercooled, then ice and water at 0 °C, then ice; and back."""
        if self.ice == 0:
            self._relax(slice_ms, ambient_c, self._tau_ms)
            if self.water_c <= self._nucleation_c:
                self.ice, self.water_c = -self.water_c / _LATENT_K, 0.0
        elif self.ice < 1:
            self.ice -= ambient_c * slice_ms / (self._tau_ms * _LATENT_K)
            self.ice, self.water_c = min(1.0, max(0.0, self.ice)), 0.0
        else:
            self._relax(slice_ms, ambient_c, self._tau_ms * _ICE_SHARE)
            if self.water_c >= 0:
                self.ice, self.water_c = 0.999, 0.0

    def _watch(self, now_ms: int) -> None:
        """Pressure behind a plug breaks a weak pipe; it leaks once the plug is gone, until it is repaired."""
        weak = self.weak
        if weak is None or not weak.start_ms <= now_ms < weak.end_ms:
            return
        self._burst = self._burst or self.ice >= _PLUGGED
        if self._burst and not self._leaking and self.ice <= _OPEN_AGAIN:
            self._leaking = True
            self._feeds.append(weak._replace(start_ms=now_ms))
            self.incidents.append(Incident("pipe_burst", now_ms, weak.end_ms))

    def _note(self, now_ms: int) -> None:
        self._cold_ms = self._span("pipe_cold", now_ms, self._cold_ms, on=self.water_c <= 4)
        self._frozen_ms = self._span("pipe_frozen", now_ms, self._frozen_ms, on=self.ice > 0)

    def _span(self, kind: str, now_ms: int, since_ms: int, *, on: bool) -> int:
        if on:
            return since_ms or now_ms
        if since_ms:
            self.incidents.append(Incident(kind, since_ms, now_ms))
        return 0

    def finished(self) -> list[Incident]:
        """All incidents; what still goes on ends at the last moment asked."""
        last_ms = self._last_ms or 0
        going = [("pipe_cold", self._cold_ms), ("pipe_frozen", self._frozen_ms)]
        return [*self.incidents, *(Incident(kind, since, last_ms) for kind, since in going if since)]
