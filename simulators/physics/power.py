"""Electricity through a meter: a base load, what people switch on, three phases, leakage to earth, and a register.

The noise was fitted to 80 university buildings (docs/simulators.md): an hour departs from its usual value by 9 %, with a
correlation of 0.66 from hour to hour, and a day by 10 %.
"""

from __future__ import annotations

import functools
import math
import random
from typing import NamedTuple

from campus.clock import DAY_MS, HOUR_MS
from campus.quantity import Quantity
from simulators.physics.course import Course, Courses
from simulators.physics.model import Surroundings, Values

_NOMINAL_V = 228.0
_VOLTAGE_SPREAD_V = 1.5
_DROP_V_PER_ROOT_KW = 0.4
_HOUR_SPREAD, _HOUR_KEPT, _DAY_SPREAD = 0.09, 0.66, 0.10
#: air-conditioning starts at this temperature outdoors and is at its full *cooling_kw* this much higher (assumed)
_COOLING_FROM_C, _COOLING_OVER_K = 25.0, 8.0
#: a lost neutral moves each phase by up to this share of its unbalance (DOMAIN.md 4: the neutral's fault; assumed size)
_NEUTRAL_SWING = 0.9
#: what of the leakage to earth comes with the load, in mA a kW (natural leakage is 100 to 200 mA a building, DOMAIN.md 4)
_LEAKAGE_MA_KW = 1.5


class ElectricLoad(NamedTuple):
    """What hangs on a circuit: kW day and night, kW of a busy building, kW of cooling on a hot day, power factors."""

    base_kw: float
    used_kw: float
    cooling_kw: float = 0.0
    base_factor: float = 0.88
    used_factor: float = 0.95


class Circuit:
    """One metered circuit. *phases* are ``("",)`` or ``("a", "b", "c")``."""

    def __init__(
        self,
        generator: random.Random,
        building: str,
        load: ElectricLoad,
        *,
        phases: tuple[str, ...] = ("",),
        start_kwh: float = 0,
        earth_ma: float | None = None,
    ) -> None:
        self._generator = generator
        self._building = building
        self._load = load
        self._total = "" if len(phases) == 1 else "total"
        uneven = [generator.uniform(0.85, 1.15) for _ in phases]
        self._phases = [
            (phase, share / sum(uneven), index)
            for index, (phase, share) in enumerate(zip(phases, uneven, strict=True))
        ]
        self._energy_kwh = start_kwh
        self._earth_ma = earth_ma
        self._noise = 0.0
        self._volts = [0.0] * len(phases)
        self._last_ms: int | None = None
        day_seed = generator.random()
        self._day_factor = functools.lru_cache(maxsize=4)(
            lambda day: max(0.5, random.Random(f"{day_seed}:{day}").gauss(1, _DAY_SPREAD))
        )
        #: kW that run on regardless of anybody: lights left on, a heater on an overloaded line
        self.extra_kw = Courses()
        #: share of the load whose breaker has tripped
        self.tripped = Courses()
        #: mA to earth on top of the usual
        self.leakage_ma = Courses()
        #: 0..1, how far the neutral is lost
        self.neutral_lost = Courses()
        #: index of a phase that is gone, with when
        self._phase_lost: list[tuple[int, Course]] = []
        #: V by which the supply is lower (higher where below 0)
        self.sag_v = Courses()

    @property
    def three_phase(self) -> bool:
        """Whether it has three phases."""
        return len(self._phases) == 3

    @property
    def watches_earth(self) -> bool:
        """Whether it measures residual current."""
        return self._earth_ma is not None

    def lose_phase(self, index: int, course: Course) -> None:
        """Takes one phase away for a while."""
        self._phase_lost.append((index, course))

    def step(self, time_ms: int, around: Surroundings) -> Values:
        """Register, power, and each phase's voltage, current and power factor."""
        last_ms = time_ms if self._last_ms is None else self._last_ms
        self._last_ms = time_ms
        elapsed_ms = time_ms - last_ms
        power_kw, factor = self._power(time_ms, elapsed_ms, around)
        if self.extra_kw:
            power_kw += self.extra_kw.at(time_ms)
        if self.tripped:
            power_kw *= 1 - min(1.0, self.tripped.at(time_ms))
        self._energy_kwh += power_kw * elapsed_ms / HOUR_MS
        values = {
            (Quantity.ENERGY, self._total): round(self._energy_kwh, 3),
            (Quantity.ACTIVE_POWER, self._total): round(power_kw, 4),
        }
        for phase, share, index in self._phases:
            self._phase(values, phase, power_kw * share, factor, index, time_ms)
        if self._earth_ma is not None:
            earth_ma = self._earth_ma + _LEAKAGE_MA_KW * power_kw + self.leakage_ma.at(time_ms)
            values[Quantity.RESIDUAL_CURRENT, ""] = round(max(0.0, self._generator.gauss(earth_ma, 2)), 1)
        return values

    def _power(self, time_ms: int, elapsed_ms: int, around: Surroundings) -> tuple[float, float]:
        """Power in kW and power factor; the noise keeps its memory whatever the step."""
        kept = _HOUR_KEPT ** (elapsed_ms / HOUR_MS)
        self._noise = kept * self._noise + math.sqrt(1 - kept * kept) * self._generator.gauss(0, _HOUR_SPREAD)
        load = self._load
        busy = around.activity(self._building, time_ms)
        used_kw = load.used_kw * busy * self._day_factor(time_ms // DAY_MS)
        if load.cooling_kw and busy > 0.1:
            over_k = around.outdoor_c(time_ms) - _COOLING_FROM_C
            used_kw += load.cooling_kw * busy * min(1.0, max(0.0, over_k / _COOLING_OVER_K))
        used_kw *= max(0.2, 1 + self._noise)
        base_kw = load.base_kw * max(0.5, 1 + 0.5 * self._noise)
        total_kw = base_kw + used_kw
        factor = (base_kw * load.base_factor + used_kw * load.used_factor) / total_kw if total_kw else 1.0
        return total_kw, factor

    def _phase(
        self, values: dict[tuple[Quantity, str], float], phase: str, power_kw: float, factor: float, index: int, time_ms: int
    ) -> None:  # fmt: skip
        wander = 0.95 * self._volts[index] + self._generator.uniform(-1, 1) * 0.5 * _VOLTAGE_SPREAD_V
        self._volts[index] = wander
        voltage_v = _NOMINAL_V + wander - _DROP_V_PER_ROOT_KW * math.sqrt(power_kw)
        if self.sag_v or self.neutral_lost or self._phase_lost:
            voltage_v = self._disturbed(voltage_v, index, time_ms)
        alive = voltage_v > 50
        values[Quantity.VOLTAGE, phase] = round(max(0.0, voltage_v), 1)
        values[Quantity.CURRENT, phase] = round(power_kw * 1000 / (voltage_v * factor), 3) if alive else 0.0
        values[Quantity.POWER_FACTOR, phase] = round(factor, 3)
        if phase:
            values[Quantity.ACTIVE_POWER, phase] = round(power_kw if alive else 0.0, 4)

    def _disturbed(self, voltage_v: float, index: int, time_ms: int) -> float:
        voltage_v -= self.sag_v.at(time_ms)
        lost = min(1.0, self.neutral_lost.at(time_ms))
        if lost:
            # Without its neutral the star point moves: the phase with the smaller load takes the larger voltage.
            unbalance = 1 / len(self._phases) - self._phases[index][1] + (0.12 if index == 0 else -0.06)
            voltage_v *= 1 + lost * _NEUTRAL_SWING * 3 * unbalance
        if any(one == index and course.at(time_ms) for one, course in self._phase_lost):
            return 12.0
        return voltage_v
