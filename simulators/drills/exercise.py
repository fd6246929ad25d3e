"""An exercise worked out: which devices are copied for it, what happens to the copies, and when, on the wall's clock."""

from __future__ import annotations

from typing import NamedTuple

from campus.campus import Campus
from campus.clock import MINUTE_MS
from campus.device import Device
from campus.drill import PREFIX
from simulators.campus.label import Expectation, Label
from simulators.campus.stage import Stage
from simulators.campus.world import World
from simulators.drills.copies import drill_campus
from simulators.errors import NoSuchPlace
from simulators.faults import fault as faults
from simulators.faults.fault import AnyFault, Where
from simulators.faults.scenario import Scenario

#: of the world's time: all is well for so long before the first fault begins, so that nobody judges by a first reading
WARM_UP_MS = 5 * MINUTE_MS
_OF_BUILDINGS = (faults.HeatingFailure, faults.PowerCut, faults.Crowd)
_OF_NO_DEVICE = (faults.ColdSnap, faults.GatewayDown)


class Exercise(NamedTuple):
    """*copies* are the drill devices' ids and the real ones' they stand for; *labels* are on the wall's clock."""

    scenario: Scenario
    stage: Stage
    copies: dict[str, str]
    labels: tuple[Label, ...]
    begin_ms: int
    speed: int

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What a good monitor says, all of it."""
        return tuple(one for label in self.labels for one in label.expect)

    @property
    def last_ms(self) -> int:
        """When the last of it should have been said."""
        return max((one.by_ms for one in self.expectations), default=self.begin_ms)


def exercise(
    campus: Campus, scenario: Scenario, *, begin_ms: int, speed: int, seed: int, device: str = ""
) -> Exercise:
    """*scenario* on copies of the devices it is about, or of *device* and what belongs to it.

    Raises :class:`simulators.errors.NoSuchPlace` where the campus has nothing it could happen to. The same arguments give
    the same exercise to the byte.
    """
    if device:
        scenario = _aimed(scenario, campus.device(device))
    start_ms = begin_ms + _warm_up_ms(scenario)
    real = World(campus, seed=seed)
    found = real.begin(scenario, start_ms)
    named = {one for label in found for one in (*label.devices, *_subjects(label))}
    chosen = [one for one in campus.devices if one in named and one in real.fleet.devices]
    if not chosen:
        raise NoSuchPlace(scenario.name, "faults", "any device", "a device that can be simulated")
    world = World(drill_campus(campus, chosen), seed=seed)
    stage = Stage(world, begin_ms=begin_ms, speed=speed)
    labels = tuple(_on_wall(one, stage) for one in world.begin(_on_copies(scenario), start_ms))
    copies = {PREFIX + one: one for one in chosen}
    return Exercise(scenario, stage, copies, labels, begin_ms, speed)


def by_the_clock(scenario: Scenario) -> bool:
    """Whether a fault of it begins at a time of the day, which cannot be compressed."""
    return any(one.start.clock is not None for one in scenario.faults)


def _warm_up_ms(scenario: Scenario) -> int:
    """What to add to the beginning: the idle time before a scenario's first fault is cut down to the warm-up."""
    if by_the_clock(scenario):
        return 0
    return WARM_UP_MS - min(one.start.after_ms for one in scenario.faults)


def _subjects(label: Label) -> set[str]:
    return {one for expectation in label.expect for one in expectation.subjects}


def _aimed(scenario: Scenario, device: Device) -> Scenario:
    """The scenario at one device, or at its building where a fault is about buildings."""

    def aimed(fault: AnyFault) -> AnyFault:
        if isinstance(fault, _OF_NO_DEVICE) or fault.place.same_as is not None:
            return fault
        if isinstance(fault, _OF_BUILDINGS):
            return fault.model_copy(update={"place": Where(building=device.place.building)})
        return fault.model_copy(update={"place": Where(device=device.id)})

    return scenario.model_copy(update={"faults": [aimed(one) for one in scenario.faults]})


def _on_copies(scenario: Scenario) -> Scenario:
    """Ids of devices become those of their copies."""

    def copied(fault: AnyFault) -> AnyFault:
        if not fault.place.device:
            return fault
        place = fault.place.model_copy(update={"device": PREFIX + fault.place.device})
        return fault.model_copy(update={"place": place})

    return scenario.model_copy(update={"faults": [copied(one) for one in scenario.faults]})


def _on_wall(label: Label, stage: Stage) -> Label:
    return label._replace(
        start_ms=stage.wall_ms(label.start_ms),
        end_ms=stage.wall_ms(label.end_ms),
        expect=tuple(one._replace(by_ms=stage.wall_ms(one.by_ms)) for one in label.expect),
    )
