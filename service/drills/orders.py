"""An order for an exercise, worked out: its scenario found, its devices chosen, all that speaks against it said."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from paho.mqtt.client import topic_matches_sub

from alerts.drills.drill import DrillLog, DrillOrder, DrillPlan, DrillState, PlannedExpectation, PlannedFault
from api.ports import DrillRefused, DrillScenario
from campus.campus import Campus
from campus.clock import MINUTE_MS
from campus.site import Site
from service.drills import checks
from service.drills.ports import DrillPorts
from simulators.drills.exercise import WARM_UP_MS, Exercise, by_the_clock
from simulators.drills.exercise import exercise as exercise_of
from simulators.errors import NoSuchPlace, ScenarioProblems
from simulators.faults.scenario import Scenario, read_scenarios

#: after the last expectation people still have so long for what they do about it
REACTION_MS = 30 * MINUTE_MS


class Ready(NamedTuple):
    """An exercise, what is kept of it, and the name of the broker it is published to."""

    exercise: Exercise
    plan: DrillPlan
    broker: str


class Orders:
    """Looks at orders; begins nothing."""

    def __init__(self, ports: DrillPorts, log: DrillLog) -> None:
        self._ports = ports
        self._log = log

    def scenarios(self, language: str) -> list[DrillScenario]:
        """Those with something to find, the most common first."""
        try:
            known = self._known()
        except ScenarioProblems:  # said to whoever orders one; the ready ones are listed nevertheless
            known = read_scenarios()
        return [
            DrillScenario(
                name=scenario.name,
                title=scenario.title.of(language),
                description=scenario.description.of(language),
                rules=tuple(
                    sorted(
                        {rule for fault in scenario.faults for want in fault.expect for rule in want.rules}
                    )
                ),
                minutes=_minutes(scenario),
                fast=not by_the_clock(scenario),
            )
            for scenario in known.values()
            if any(fault.expect for fault in scenario.faults)
        ]

    def worked_out(self, order: DrillOrder, begin_ms: int, *, but: int = 0) -> Ready:
        """The exercise of an order that begins at *begin_ms*, ready to run.

        Raises :class:`DrillRefused`. *but* is the order's own number, where it has one.
        """
        now_ms, campus = self._ports.now_ms(), self._ports.campus()
        scenario = self._scenario(order.scenario)
        checks.check_order(order, now_ms, campus)
        checks.check_scenario(scenario, order, campus.site.language)
        exercise = _exercise(order, scenario, campus, begin_ms)
        ends_ms = exercise.last_ms + REACTION_MS
        checks.check_exercise(exercise, order, campus, now_ms, ends_ms)
        others = self._log.find(states=(DrillState.PLANNED, DrillState.RUNNING))
        checks.check_alone(others, begin_ms, ends_ms, but=but)
        topics = checks.rehearse(_exercise(order, scenario, campus, begin_ms), campus)
        broker = self._hearing(campus.site, topics)
        if broker is None:
            raise DrillRefused(checks.UNHEARD, topic=min(topics, default=""))
        people = tuple(
            campus.people[person].name if person in campus.people else person for person in order.people
        )
        return Ready(exercise, plan_of(exercise, campus, people, ends_ms), broker)

    def _hearing(self, site: Site, topics: Collection[str]) -> str | None:
        """The name of the broker at which all of *topics* are subscribed to; None where there is none."""
        for name in site.all_brokers:
            filters = self._ports.subscriptions.topics(name)
            if all(
                any(topic_matches_sub(topic_filter, topic) for topic_filter in filters) for topic in topics
            ):
                return name
        return None

    def _known(self) -> dict[str, Scenario]:
        """All scenarios; a school's own take the place of ready ones of the same name."""
        own = self._ports.scenarios
        return read_scenarios() | (read_scenarios(own) if own is not None and own.is_dir() else {})

    def _scenario(self, name: str) -> Scenario:
        try:
            known = self._known()
        except ScenarioProblems as error:
            raise DrillRefused(checks.BAD_SCENARIO, problems=checks.scenario_text(error)) from error
        if name not in known:
            raise DrillRefused(checks.NO_SCENARIO, name=name)
        return known[name]


def _exercise(order: DrillOrder, scenario: Scenario, campus: Campus, begin_ms: int) -> Exercise:
    try:
        return exercise_of(
            campus, scenario, begin_ms=begin_ms, speed=order.speed, seed=order.seed, device=order.device
        )
    except NoSuchPlace as error:
        title = scenario.title.of(campus.site.language)
        raise DrillRefused(checks.NO_PLACE, title=title) from error


def _minutes(scenario: Scenario) -> int:
    """How long it takes in real time, from the first fault to its last expectation, with the warm-up and reactions."""
    first_ms = 0 if by_the_clock(scenario) else min(fault.start.after_ms for fault in scenario.faults)
    last_ms = max(fault.start.after_ms + want.within for fault in scenario.faults for want in fault.expect)
    return (last_ms - first_ms + WARM_UP_MS + REACTION_MS) // MINUTE_MS


def plan_of(exercise: Exercise, campus: Campus, people: tuple[str, ...], ends_ms: int) -> DrillPlan:
    """What is kept of an exercise."""
    language = campus.site.language
    devices = [campus.device(device_id) for device_id in exercise.copies.values()]
    return DrillPlan(
        title=exercise.scenario.title.of(language),
        description=exercise.scenario.description.of(language),
        copies=exercise.copies,
        names={copy: campus.device(real).name for copy, real in exercise.copies.items()},
        buildings=tuple(dict.fromkeys(device.place.building for device in devices if device.place.building)),
        people=people,
        faults=tuple(
            PlannedFault(label.kind, label.devices, label.start_ms, label.end_ms) for label in exercise.labels
        ),
        expect=tuple(
            PlannedExpectation(
                expectation.rules, expectation.level, label.start_ms, expectation.by_ms, expectation.subjects
            )
            for label in exercise.labels
            for expectation in label.expect
        ),
        ends_ms=ends_ms,
    )
