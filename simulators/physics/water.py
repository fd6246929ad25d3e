"""Water meters: what flows through, and what the register shows of it in whole pulses (DOMAIN.md 1.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from campus.clock import HOUR_MS
from campus.quantity import Quantity
from simulators.physics.course import Courses
from simulators.physics.demand import Demand
from simulators.physics.model import Surroundings, Values


class Register:
    """A counter of whole *step_m3* that wraps at *modulus_m3* (0 for never) and starts anew when the meter is swapped."""

    def __init__(self, *, step_m3: float, modulus_m3: float = 0, start_m3: float = 0) -> None:
        self._step_m3 = step_m3
        self._modulus_m3 = modulus_m3
        self._volume_m3 = start_m3
        self._swaps: list[tuple[int, float]] = []
        #: above 0 while the meter is blocked: water passes, the register stands
        self.blocked = Courses()

    def swap(self, time_ms: int, shown_m3: float) -> None:
        """A new meter is put in, that shows *shown_m3*."""
        self._swaps = sorted([*self._swaps, (time_ms, shown_m3)])

    def add(self, volume_m3: float, from_ms: int, to_ms: int) -> None:
        """Counts what passed in a span."""
        if self.blocked:
            volume_m3 *= 1 - min(1.0, self.blocked.mean(from_ms, to_ms))
        self._volume_m3 += volume_m3
        if self._modulus_m3:
            self._volume_m3 %= self._modulus_m3
        while self._swaps and self._swaps[0][0] <= to_ms:
            self._volume_m3 = self._swaps.pop(0)[1]

    @property
    def shown_m3(self) -> float:
        """What can be read."""
        return round(math.floor(self._volume_m3 / self._step_m3 + 1e-9) * self._step_m3, 6)


class WaterMeter:
    """*demands* of one building drawn through one meter, and *leaks* (m3/h) that never ask whether anybody is there."""

    def __init__(
        self, building: str, demands: Sequence[Demand], register: Register, *, with_flow: bool = False
    ) -> None:
        self.building = building
        self.register = register
        self.leaks = Courses()
        #: what has passed in truth, whatever the register says
        self.total_m3 = 0.0
        self._demands = demands
        self._with_flow = with_flow
        self._last_ms: int | None = None
        self._asked_ms: int | None = None
        self._asked_m3 = 0.0

    def step(self, time_ms: int, around: Surroundings) -> Values:
        """The register, and the mean flow since the last time asked."""
        self.advance(time_ms, around)
        values = {(Quantity.WATER_VOLUME, ""): self.register.shown_m3}
        if self._with_flow:
            elapsed_ms = time_ms - (time_ms if self._asked_ms is None else self._asked_ms)
            passed_m3 = self.total_m3 - self._asked_m3
            values[Quantity.WATER_FLOW, ""] = (
                round(passed_m3 * HOUR_MS / elapsed_ms, 4) if elapsed_ms else 0.0
            )
        self._asked_ms, self._asked_m3 = time_ms, self.total_m3
        return values

    def advance(self, time_ms: int, around: Surroundings) -> None:
        """Lets water pass until *time_ms*; a parent meter asks, too."""
        last_ms = time_ms if self._last_ms is None else self._last_ms
        self._last_ms = max(last_ms, time_ms)
        if time_ms <= last_ms:
            return
        passed_m3 = self._passed_m3(last_ms, time_ms, around)
        if self.leaks:
            passed_m3 += self.leaks.mean(last_ms, time_ms) * (time_ms - last_ms) / HOUR_MS
        self.total_m3 += passed_m3
        self.register.add(passed_m3, last_ms, time_ms)

    def _passed_m3(self, last_ms: int, time_ms: int, around: Surroundings) -> float:
        activity = around.activity(self.building, (last_ms + time_ms) // 2)
        return sum(one.volume_m3(last_ms, time_ms, activity) for one in self._demands)


class ParentMeter(WaterMeter):
    """What its *children* measure together, plus what is lost in the pipes between (its own ``leaks``)."""

    def __init__(
        self, building: str, children: Sequence[WaterMeter], register: Register, *, with_flow: bool
    ) -> None:
        super().__init__(building, (), register, with_flow=with_flow)
        self._children = children
        self._children_m3 = 0.0

    def _passed_m3(self, last_ms: int, time_ms: int, around: Surroundings) -> float:  # noqa: ARG002 - as the parent class
        for child in self._children:
            child.advance(time_ms, around)
        total_m3 = sum(child.total_m3 for child in self._children)
        passed_m3, self._children_m3 = total_m3 - self._children_m3, total_m3
        return passed_m3
