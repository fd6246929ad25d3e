"""Rooms, heating pipes and the open air: each probe follows what surrounds it with its own time constant."""

from __future__ import annotations

import math
import random

from campus.clock import HOUR_MS
from campus.quantity import Quantity
from simulators.physics.course import Courses
from simulators.physics.model import Surroundings, Values
from simulators.physics.pipe import Ambient

#: the sensor's step: DS18B20 and the usual radio probes give 0.06 to 0.1 K
RESOLUTION_C = 0.1
NOISE_K = 0.05

#: the heating curve: supply and return at 0 °C outdoors and what each kelvin of cold adds (assumed)
_SUPPLY_C, _SUPPLY_PER_K = 50.0, 0.7
_RETURN_C, _RETURN_PER_K = 38.0, 0.35
#: no heating above this outdoors, in °C; what stands in the pipes then (assumed)
_HEATING_LIMIT_C, _STANDING_C = 14.0, 24.0


def outdoor(time_ms: int, around: Surroundings) -> float:
    """The ambient of a probe in the open."""
    return around.outdoor_c(time_ms)


def room(building: str, outdoor_share: float = 0.0) -> Ambient:
    """The air of a building's rooms; a space at its edge takes *outdoor_share* of the weather."""

    def ambient(time_ms: int, around: Surroundings) -> float:
        indoor_c = around.indoor_c(building, time_ms)
        return (
            indoor_c + outdoor_share * (around.outdoor_c(time_ms) - indoor_c) if outdoor_share else indoor_c
        )

    return ambient


def heating(lost: Courses, *, returning: bool = False) -> Ambient:
    """The water of a heating circuit by its curve; what is *lost* (0..1) leaves it to the boiler house's air."""
    base_c, per_k = (_RETURN_C, _RETURN_PER_K) if returning else (_SUPPLY_C, _SUPPLY_PER_K)

    def ambient(time_ms: int, around: Surroundings) -> float:
        outdoor_c = around.outdoor_c(time_ms)
        if outdoor_c >= _HEATING_LIMIT_C:
            return _STANDING_C
        share = 1 - min(1.0, lost.at(time_ms)) if lost else 1.0
        return _STANDING_C + share * (base_c - per_k * outdoor_c - _STANDING_C)

    return ambient


class Mass:
    """First-order response to *ambient* with time constant *tau_h*."""

    def __init__(
        self, generator: random.Random, ambient: Ambient, *, tau_h: float, humidity: bool = False
    ) -> None:
        self._generator = generator
        self._ambient = ambient
        self._tau_ms = tau_h * HOUR_MS
        self._humidity_percent = 45.0 if humidity else None
        self._last_ms = 0
        self.temperature_c: float | None = None

    def step(self, time_ms: int, around: Surroundings) -> Values:
        """The temperature, and a humidity that wanders about 45 %."""
        ambient_c = self._ambient(time_ms, around)
        if self.temperature_c is None:
            self.temperature_c = ambient_c
        decay = math.exp(-(time_ms - self._last_ms) / self._tau_ms) if self._last_ms else 1.0
        self.temperature_c = ambient_c + (self.temperature_c - ambient_c) * decay
        self._last_ms = time_ms
        values = {(Quantity.TEMPERATURE, ""): self.temperature_c}
        if self._humidity_percent is not None:
            wandered = 0.98 * self._humidity_percent + 0.9 + self._generator.uniform(-1.0, 1.0)
            self._humidity_percent = min(95.0, max(20.0, wandered))
            values[Quantity.HUMIDITY, ""] = round(self._humidity_percent, 1)
        return values


def measured(generator: random.Random, truth_c: float) -> float:
    """What a probe says of *truth_c*: a little noise, cut to its resolution."""
    return round(round((truth_c + generator.gauss(0, NOISE_K)) / RESOLUTION_C) * RESOLUTION_C, 2)
