"""Helpers for rules: readings from short tables, and an engine that is fed with them."""

from __future__ import annotations

import pytest

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from rules.catalogue import catalogue
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from rules.level import State

#: 2026-11-21T04:00:00Z
START_MS = 1_795_233_600_000


KNOWN_FACTS = {fact.key for rule in catalogue().values() for fact in rule.lines}


def undeclared(transition):
    """What a transition says that its rule has no words for: facts that have a line elsewhere, and its advice."""
    rule, evidence = catalogue().get(transition.rule), transition.evidence
    if rule is None:
        return set()
    facts = (set(evidence.facts) & KNOWN_FACTS) - {fact.key for fact in rule.lines}
    return facts | ({evidence.advice} - {"", *(one.key for one in rule.advice)})


@pytest.fixture(autouse=True, scope="module")
def every_rule_has_its_words():
    """Whatever fires in a test of this room, its rule declares the lines and the advice that it needs."""
    advance = Engine.advance

    def checked(self, *args, **kwargs):
        found = advance(self, *args, **kwargs)
        assert {one.rule: said for one in found if (said := undeclared(one))} == {}
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "advance", checked)
        yield


class Feed:
    """Feeds an engine minute by minute and remembers the transitions."""

    def __init__(self, campus, rules=None):
        self.engine = Engine(campus, RuleSettings(rules))
        self.transitions = []

    def at(
        self, minute, device=None, quantity=Quantity.TEMPERATURE, value=None, channel="", quality=Quality.GOOD
    ):
        time_ms = START_MS + round(minute * 60_000)
        readings = []
        if value is not None:
            readings = [
                Reading(Series(device, Quantity(quantity), channel), float(value), time_ms, time_ms, quality)
            ]
        found = self.engine.advance(time_ms, readings)
        self.transitions += found
        return found

    def told(self, rule):
        """(minute, state, severity) of what people would hear of."""
        return [
            ((one.time_ms - START_MS) // 60_000, one.to_state.value, one.severity.value)
            for one in self.transitions
            if one.rule == rule and one.to_state in {State.FIRING, State.RESOLVED}
        ]


@pytest.fixture
def feed(campus):
    return Feed(campus)


@pytest.fixture
def make_feed(campus):
    return lambda rules=None, on=None: Feed(on or campus, rules)
