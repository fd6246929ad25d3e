"""Pipes, rooms and cabinets as thermal masses: each follows what surrounds it with its own time constant."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from campus.clock import HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from simulators.model import Values, World

#: the sensor's step: DS18B20 and the usual radio probes give 0.06 to 0.1 K
_RESOLUTION_C = 0.1
_NOISE_K = 0.05

Ambient = Callable[[int, World], float]


def outdoor(time_ms: int, world: World) -> float:
    """The ambient of a probe in the open."""
    return world.outdoor_c(time_ms)


def heated(inside_c: float, leakage: float = 0.08) -> Ambient:
    """The ambient in a heated space: its set temperature, pulled a little by the weather."""
    return lambda time_ms, world: inside_c + leakage * (world.outdoor_c(time_ms) - inside_c)


class Mass:
    """First-order response to *ambient* with time constant *tau_h* (DOMAIN.md 2.3: DN25 with 20 mm: 2.5 h)."""

    def __init__(
        self,
        generator: random.Random,
        ambient: Ambient,
        *,
        tau_h: float,
        humidity: bool = False,
        channel: str = "",
    ) -> None:
        self._generator = generator
        self._ambient = ambient
        self._tau_ms = tau_h * HOUR_MS
        self._humidity = humidity
        self._channel = channel
        self._last_ms = 0
        self.temperature_c: float | None = None

    def step(self, time_ms: int, world: World) -> Values:
        ambient_c = self._ambient(time_ms, world)
        if self.temperature_c is None:
            self.temperature_c = ambient_c
        decay = math.exp(-(time_ms - self._last_ms) / self._tau_ms) if self._last_ms else 1.0
        self.temperature_c = ambient_c + (self.temperature_c - ambient_c) * decay
        self._last_ms = time_ms
        values = {(Quantity.TEMPERATURE, self._channel): measured(self._generator, self.temperature_c)}
        if self._humidity:
            values[Quantity.HUMIDITY, ""] = round(min(95.0, max(20.0, self._generator.gauss(45, 2))), 1)
        return values


class Cabinet:
    """A fridge or freezer: thermostat ripple, warm-up when the compressor is off, defrost every few hours.

    Between *set_c* ± 1.5 K the compressor runs about 40 % of the time (DOMAIN.md 3.2); *tau_h* is the warm-up
    time constant of DOMAIN.md 3.3. ``broken`` stops the compressor, ``door_open`` adds the room's air.
    """

    _SWING_K = 1.5
    _DEFROST_EVERY_MS = 8 * HOUR_MS
    _DEFROST_MS = 20 * MINUTE_MS
    _DEFROST_RISE_K = 5.0

    def __init__(
        self, generator: random.Random, *, set_c: float, room_c: float = 24.0, tau_h: float = 12.0
    ) -> None:
        self._generator = generator
        self._set_c = set_c
        self._room_c = room_c
        self._tau_h = tau_h
        self._phase_ms = generator.randrange(self._DEFROST_EVERY_MS)
        self._cooling = generator.random() < 0.5
        self._last_ms: int | None = None
        self.temperature_c = set_c + generator.uniform(-self._SWING_K, self._SWING_K)
        self.broken = False
        self.door_open = False

    def step(self, time_ms: int, world: World) -> Values:  # noqa: ARG002 - the model's signature
        last_ms = self._last_ms if self._last_ms is not None else time_ms
        self._last_ms = time_ms
        while last_ms < time_ms:
            slice_ms = min(MINUTE_MS, time_ms - last_ms)
            self._minute(last_ms, slice_ms)
            last_ms += slice_ms
        return {(Quantity.TEMPERATURE, ""): measured(self._generator, self.temperature_c)}

    def _minute(self, now_ms: int, slice_ms: int) -> None:
        tau_ms = (self._tau_h / (6 if self.door_open else 1)) * HOUR_MS
        gain_k = (self._room_c - self.temperature_c) * (1 - math.exp(-slice_ms / tau_ms))
        if self.broken:
            self.temperature_c += gain_k
            return
        if (now_ms + self._phase_ms) % self._DEFROST_EVERY_MS < self._DEFROST_MS:
            self.temperature_c += self._DEFROST_RISE_K * slice_ms / self._DEFROST_MS
            self._cooling = True
            return
        if self.temperature_c >= self._set_c + self._SWING_K:
            self._cooling = True
        elif self.temperature_c <= self._set_c - self._SWING_K:
            self._cooling = False
        # A compressor with twice the heat gain at its set point, and a half more, gives the usual 40 % duty.
        pull_k = 2.5 * (self._room_c - self._set_c) * (1 - math.exp(-slice_ms / (self._tau_h * HOUR_MS)))
        self.temperature_c += gain_k - (pull_k if self._cooling else 0.0)


def measured(generator: random.Random, truth_c: float) -> float:
    """What a probe says of *truth_c*: a little noise, cut to its resolution."""
    return round(round((truth_c + generator.gauss(0, _NOISE_K)) / _RESOLUTION_C) * _RESOLUTION_C, 2)
