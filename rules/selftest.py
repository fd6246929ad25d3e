"""The rule of the self-test: an odd number is an alarm, an even one is well. It judges the internal device only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus import selftest
from campus.campus import Campus
from campus.device import Device
from campus.reading import Reading
from rules.level import Level
from rules.rule import Context, Input, ReadingRule, RuleParams
from rules.verdict import Evidence, Transition, Verdict

_MARK = "mark"


class SelfTestParams(RuleParams):
    """At once, in both directions."""

    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)


class SelfTestMemory(msgspec.Struct):
    """Nothing: each number speaks for itself."""


class SelfTest(ReadingRule[SelfTestParams, SelfTestMemory]):
    """See :mod:`campus.selftest`. It is in no catalogue: only the running service's engine has it."""

    name: ClassVar[str] = selftest.RULE
    title = selftest.RULE
    Params = SelfTestParams
    Memory = SelfTestMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The internal device's number."""
        return (
            [Input(selftest.DEVICE_ID, selftest.SERIES.quantity)] if device.id == selftest.DEVICE_ID else []
        )

    def on_reading(
        self, state: SelfTestMemory, reading: Reading, context: Context[SelfTestParams]
    ) -> Verdict | None:
        """An odd number is a notice that carries it as its mark, an even one is well."""
        if int(reading.value) % 2:
            return Verdict(Level.NOTICE, Evidence(facts={_MARK: reading.value}, since_ms=reading.time_ms))
        return Verdict(Level.OK)


def mark_of(transition: Transition) -> int:
    """The mark that a transition of this rule stands on."""
    return int(transition.evidence.facts.get(_MARK, 0))
