"""A rule that fails or is set aside on one device: the others judge on, and it is known who judges."""

from __future__ import annotations

from campus.campus import Campus
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from rules.cold.above_limit import AboveLimit
from rules.engine.engine import Engine
from rules.engine.instance import mark_of
from rules.engine.settings import RuleSettings
from rules.level import State

START_MS = 1_795_000_000_000
AT_ONCE = RuleSettings({"defaults": {"cold.above_limit": {"for_s": 0, "critical_for_s": 0}}})


def freezer(name):
    return Device(id=name, name=name, kind="cold_storage", place=Place(site="s"), profile="freezer")


CAMPUS = Campus(site=Site.model_validate({"id": "s", "name": "s"}), devices=[freezer("a"), freezer("b")])


def warm(device, second=0):
    time_ms = START_MS + second * 1000
    return Reading(Series(device, Quantity.TEMPERATURE), 9.0, time_ms, time_ms)


def fired(engine):
    """Which freezers fire after both were warm."""
    found = engine.advance(START_MS + 2000, [warm("a"), warm("b", 1)])
    return {one.subject for one in found if one.to_state is State.FIRING and one.rule == AboveLimit.name}


class Recorded(list):
    """Marks that remember what was written into the first."""

    def __init__(self):
        super().__init__([0, 0])
        self.seen = set()

    def __setitem__(self, index, value):
        super().__setitem__(index, value)
        self.seen.add(value)


class NeverDue(AboveLimit):
    """Fails wherever the engine asks when it wants to be asked."""

    def due_ms(self, state, params):
        raise ValueError("no time")


class NoInputs(AboveLimit):
    """Fails where the engine asks what it wants to hear."""

    def inputs(self, device, campus):
        if device.id == "a":
            raise ValueError("no inputs")
        return super().inputs(device, campus)


def test_a_rule_set_aside_is_off_for_one_device():
    """The rule judges the other device as ever."""
    assert fired(Engine(CAMPUS, AT_ONCE)) == {"a", "b"}
    assert fired(Engine(CAMPUS, AT_ONCE, set_aside={"cold.above_limit/a"})) == {"b"}


def test_who_judges_is_marked_while_it_does():
    """Each pair of rule and device stands in the marks while it judges, and nobody afterwards."""
    marks = Recorded()
    fired(Engine(CAMPUS, AT_ONCE, marks=marks))
    assert {mark_of("cold.above_limit", "a"), mark_of("cold.above_limit", "b")} <= marks.seen
    assert marks[0] == 0


def test_a_rule_that_cannot_begin_stops_no_other():
    """An exception while a rule is made for one device is told, and the rule judges the other device."""
    engine = Engine(CAMPUS, AT_ONCE, rules={AboveLimit.name: NoInputs()})
    assert [str(one) for one in engine.faults] == ["cold.above_limit/a: ValueError: no inputs"]
    assert fired(engine) == {"b"}


def test_a_rule_that_cannot_say_when_stops_no_other():
    """An exception outside a rule's verdict is told of as well, and the step goes on."""
    rules = {AboveLimit.name: AboveLimit(), "never": NeverDue()}
    engine = Engine(CAMPUS, AT_ONCE, rules=rules)
    assert fired(engine) == {"a", "b"}
    assert {one.reason for one in engine.faults} == {"ValueError: no time"}
