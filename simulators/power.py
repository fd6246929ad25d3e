"""Electricity through a meter: a base load, what people switch on, three phases, and a register."""

from __future__ import annotations

import math
import random

from campus.clock import HOUR_MS
from campus.quantity import Quantity
from simulators.model import Values, World

_NOMINAL_V = 228.0
_POWER_FACTOR = 0.92


class Circuit:
    """A load of *base_kw* day and night and up to *used_kw* while the building is busy.

    ``left_on_kw`` is what somebody forgot to switch off; ``residual_ma`` what leaks to earth.
    """

    def __init__(
        self,
        generator: random.Random,
        building: str,
        *,
        base_kw: float,
        used_kw: float,
        phases: tuple[str, ...] = ("",),
        start_kwh: float = 0,
    ) -> None:
        self._generator = generator
        self._building = building
        self._base_kw = base_kw
        self._used_kw = used_kw
        self._phases = phases
        self._energy_kwh = start_kwh
        self._last_ms: int | None = None
        self.left_on_kw = 0.0
        self.residual_ma: float | None = None

    def step(self, time_ms: int, world: World) -> Values:
        busy = world.activity(self._building, time_ms)
        power_kw = self._base_kw + self.left_on_kw + self._used_kw * busy * self._generator.uniform(0.85, 1.1)
        if self._last_ms is not None:
            self._energy_kwh += power_kw * (time_ms - self._last_ms) / HOUR_MS
        self._last_ms = time_ms
        values = {(Quantity.ENERGY, self._total): round(self._energy_kwh, 3)}
        values[Quantity.ACTIVE_POWER, self._total] = round(power_kw, 4)
        for phase in self._phases:
            values |= self._phase(phase, power_kw / len(self._phases))
        if self.residual_ma is not None:
            values[Quantity.RESIDUAL_CURRENT, ""] = round(self._generator.gauss(self.residual_ma, 2), 1)
        return values

    @property
    def _total(self) -> str:
        return "" if len(self._phases) == 1 else "total"

    def _phase(self, phase: str, power_kw: float) -> dict[tuple[Quantity, str], float]:
        share_kw = power_kw * self._generator.uniform(0.9, 1.1)
        voltage_v = self._generator.gauss(_NOMINAL_V, 1.2) - 0.4 * math.sqrt(max(share_kw, 0))
        values = {
            (Quantity.VOLTAGE, phase): round(voltage_v, 1),
            (Quantity.CURRENT, phase): round(share_kw * 1000 / voltage_v / _POWER_FACTOR, 3),
        }
        if phase:
            values[Quantity.ACTIVE_POWER, phase] = round(share_kw, 4)
        return values
