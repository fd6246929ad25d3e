"""Water through a meter: people drawing it at random, a leak that never stops, a register that counts pulses."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from campus.clock import HOUR_MS, SECOND_MS
from campus.quantity import Quantity
from simulators.model import Values, World

#: a draw from a tap or a flush lasts about this long
_DRAW_S = 25.0


class WaterUse:
    """Random draws whose rate follows the building's activity, plus *leak_m3h*.

    *draws_per_hour* at full activity and *draw_m3h* each give the demand; the register is cut to *step_m3* and
    wraps at *modulus_m3* (0 for never).
    """

    def __init__(
        self,
        generator: random.Random,
        building: str,
        *,
        draws_per_hour: float,
        draw_m3h: float = 0.36,
        step_m3: float = 0.001,
        modulus_m3: float = 0,
        leak_m3h: float = 0,
        start_m3: float = 0,
        with_flow: bool = False,
    ) -> None:
        self._generator = generator
        self._building = building
        self._draws_per_hour = draws_per_hour
        self._draw_m3h = draw_m3h
        self._step_m3 = step_m3
        self._modulus_m3 = modulus_m3
        self._with_flow = with_flow
        self._volume_m3 = start_m3
        self._last_ms: int | None = None
        self.leak_m3h = leak_m3h
        #: what has passed in truth, without register and steps
        self.total_m3 = start_m3

    def step(self, time_ms: int, world: World) -> Values:
        elapsed_ms = 0 if self._last_ms is None else max(0, time_ms - self._last_ms)
        self._last_ms = time_ms
        used_m3 = self._drawn_m3(elapsed_ms, world.activity(self._building, time_ms))
        used_m3 += self.leak_m3h * elapsed_ms / HOUR_MS
        self._volume_m3 += used_m3
        self.total_m3 += used_m3
        if self._modulus_m3:
            self._volume_m3 %= self._modulus_m3
        shown = math.floor(self._volume_m3 / self._step_m3 + 1e-9) * self._step_m3
        values = {(Quantity.WATER_VOLUME, ""): round(shown, 6)}
        if self._with_flow:
            values[Quantity.WATER_FLOW, ""] = round(used_m3 * HOUR_MS / elapsed_ms, 4) if elapsed_ms else 0.0
        return values

    def _drawn_m3(self, elapsed_ms: int, activity: float) -> float:
        expected = self._draws_per_hour * activity * elapsed_ms / HOUR_MS
        draws = _poisson(self._generator, expected)
        one_m3 = self._draw_m3h * _DRAW_S * SECOND_MS / HOUR_MS
        return sum(self._generator.uniform(0.4, 1.6) * one_m3 for _ in range(draws))


class Sum:
    """A parent meter: what its children measured together, plus what is lost between (*loss_m3h*)."""

    def __init__(
        self, children: Sequence[WaterUse | Sum], *, step_m3: float = 0.01, loss_m3h: float = 0
    ) -> None:
        self._children = children
        self._step_m3 = step_m3
        self._loss_m3h = loss_m3h
        self._lost_m3 = 0.0
        self._last_ms: int | None = None

    def step(self, time_ms: int, world: World) -> Values:  # noqa: ARG002 - the model's signature
        elapsed_ms = 0 if self._last_ms is None else max(0, time_ms - self._last_ms)
        self._last_ms = time_ms
        self._lost_m3 += self._loss_m3h * elapsed_ms / HOUR_MS
        return {
            (Quantity.WATER_VOLUME, ""): round(
                math.floor(self.total_m3 / self._step_m3 + 1e-9) * self._step_m3, 6
            )
        }

    @property
    def total_m3(self) -> float:
        """What has passed in truth."""
        return self._lost_m3 + sum(child.total_m3 for child in self._children)


def _poisson(generator: random.Random, expected: float) -> int:
    """Knuth's product of uniforms; a normal approximation where that would take long."""
    if expected > 50:
        return max(0, round(generator.gauss(expected, math.sqrt(expected))))
    limit = math.exp(-expected)
    count, product = 0, generator.random()
    while product > limit:
        count += 1
        product *= generator.random()
    return count
