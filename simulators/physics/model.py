"""What every simulated device is: a small physical model that is asked for its values at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from campus.quantity import Quantity

#: values by quantity and channel, in canonical units
Values = Mapping[tuple[Quantity, str], float]


class Surroundings(Protocol):
    """What the models share: the weather and whether a building is in use."""

    def outdoor_c(self, time_ms: int) -> float: ...

    def activity(self, building: str, time_ms: int) -> float:
        """0 (nobody) to 1 (full) for a building at a time."""
        ...

    def indoor_c(self, building: str, time_ms: int) -> float:
        """The air of a building's rooms."""
        ...


class Model(Protocol):
    """One device's physics. *step* moves from the last time asked to *time_ms* and returns what is true then."""

    def step(self, time_ms: int, around: Surroundings) -> Values: ...
