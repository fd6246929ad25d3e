"""A world on the wall's clock: it begins now, and may run faster than life for an exercise that takes minutes.

Only time is compressed. What devices measure at a moment stays true (°C, kW, A, m3/h); what they count advances as much
slower as time runs faster, so that a flow worked out from a register is the true one and no month's use passes in an hour.
"""

from __future__ import annotations

from collections.abc import Iterator

from campus.campus import Campus
from campus.quantity import Quantity
from simulators.campus.simulated import Report
from simulators.campus.world import World
from simulators.physics.model import Values

_COUNTED = {Quantity.WATER_VOLUME, Quantity.ENERGY, Quantity.GAS_VOLUME}


class Stage:
    """*world* seen from the wall: both clocks agree at *begin_ms*, from then on the world's runs *speed* times as fast."""

    def __init__(self, world: World, *, begin_ms: int, speed: int = 1) -> None:
        self._world = world
        self._begin_ms = begin_ms
        self._speed = speed
        self._first: dict[tuple[str, Quantity, str], float] = {}

    @property
    def campus(self) -> Campus:
        return self._world.campus

    @property
    def seed(self) -> int:
        return self._world.seed

    def world_ms(self, wall_ms: int) -> int:
        """The world's time at a moment of the wall's."""
        return self._begin_ms + (wall_ms - self._begin_ms) * self._speed

    def wall_ms(self, world_ms: int) -> int:
        """The wall's time at a moment of the world's."""
        return self._begin_ms + (world_ms - self._begin_ms) // self._speed

    def everyone(self, time_ms: int) -> Iterator[Report]:
        """One report of every device at a moment of the wall's."""
        return map(self._staged, self._world.everyone(self.world_ms(time_ms)))

    def run(self, from_ms: int, to_ms: int) -> Iterator[Report]:
        """All reports of a span of the wall's time, stamped with the wall's time."""
        return map(self._staged, self._world.run(self.world_ms(from_ms), self.world_ms(to_ms)))

    def _staged(self, report: Report) -> Report:
        if self._speed == 1:
            return report
        return report._replace(
            sent_ms=self.wall_ms(report.sent_ms),
            time_ms=self.wall_ms(report.time_ms),
            values=self._slowed(report.simulated.device.id, report.values),
        )

    def _slowed(self, device: str, values: Values) -> Values:
        return {
            (quantity, channel): self._counted((device, quantity, channel), value)
            if quantity in _COUNTED
            else value
            for (quantity, channel), value in values.items()
        }

    def _counted(self, key: tuple[str, Quantity, str], value: float) -> float:
        first = self._first.setdefault(key, value)
        return first + (value - first) / self._speed
