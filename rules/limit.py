"""A value beyond its limits, with a dead-band: what many rules are, over whichever quantity."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS, SECOND_MS
from campus.device import Device
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from rules.level import Level
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams
from rules.verdict import OK, Evidence, Facts, Verdict, Witness

NEVER = math.inf
LEVELS = (Level.OK, Level.NOTICE, Level.WARNING, Level.CRITICAL)
#: a channel not heard for so long no longer speaks for the subject
_STALE_MS = 3 * HOUR_MS
_MOST_CHANNELS = 12


class Bounds(msgspec.Struct, frozen=True):
    """Limits of notice, warning and critical, upwards and downwards; a level held ends *dead_band* inside its limit."""

    above: tuple[float, float, float] = (NEVER, NEVER, NEVER)
    below: tuple[float, float, float] = (-NEVER, -NEVER, -NEVER)
    dead_band: float = 0.0

    def rank(self, value: float, held: int = 0) -> int:
        """How bad *value* is, from 0 to 3, where *held* was the level so far."""
        for rank in (3, 2, 1):
            slack = self.dead_band if held >= rank else 0.0
            if value > self.above[rank - 1] - slack or value < self.below[rank - 1] + slack:
                return rank
        return 0

    def limit(self, value: float, rank: int) -> float:
        """The limit *value* is judged by at *rank* (the first there is, for 0)."""
        pairs = [
            (self.above[one], self.below[one])
            for one in ((rank - 1,) if rank else (0, 1, 2))
            if math.isfinite(self.above[one]) or math.isfinite(self.below[one])
        ]
        if not pairs:
            return 0.0
        above, below = pairs[0]
        return min((one for one in (above, below) if math.isfinite(one)), key=lambda one: abs(one - value))


class LimitParams(RuleParams):
    """Delays of the two louder levels; a rule's own params add the limits."""

    critical_for_s: float = Field(default=300, ge=0)


class Channel(msgspec.Struct):
    """One channel's level, since when, how far it went, and its last word."""

    rank: int = 0
    since_ms: int = 0
    worst: float = 0.0
    last: float = 0.0
    last_ms: int = 0


class LimitMemory(msgspec.Struct):
    """The channels of one device."""

    channels: dict[str, Channel] = {}


L = TypeVar("L", bound=LimitParams)


class LimitRule(ReadingRule[L, LimitMemory], abc.ABC, Generic[L]):
    """A rule that is a table: which quantity, on which devices, within which bounds. The worst channel counts.

    *value_fact* and *limit_fact* name the numbers in the evidence; the first *advice* is the one it gives.
    """

    quantity: ClassVar[Quantity]
    value_fact: ClassVar[str]
    limit_fact: ClassVar[str]
    Memory = LimitMemory

    @abc.abstractmethod
    def applies(self, device: Device) -> bool:
        """Whether *device* is a subject of this rule."""

    def hears(self, channel: str) -> bool:
        """Whether a channel counts; a box's own temperature never does."""
        return channel != "device"

    @abc.abstractmethod
    def bounds(self, context: Context[L]) -> Bounds:
        """The limits of this subject now."""

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """Its quantity, on the devices it applies to."""
        return (Input(device.id, self.quantity),) if self.applies(device) else ()

    def delay_s(self, params: L, level: Level, state: LimitMemory) -> float:
        """One delay for critical, in seconds, and one for all else."""
        return float(params.critical_for_s if level is Level.CRITICAL else params.for_s)

    def on_reading(self, state: LimitMemory, reading: Reading, context: Context[L]) -> Verdict | None:
        """Takes one channel's value and judges by the worst that still speaks; at most twelve channels."""
        name = reading.series.channel
        if not self.hears(name):
            return None
        if reading.quality is Quality.SUSPECT:
            return Verdict(Level.UNKNOWN)
        one = state.channels.get(name)
        if one is None:
            if len(state.channels) >= _MOST_CHANNELS:
                return None
            one = state.channels[name] = Channel()
        bounds = self.bounds(context)
        # Only a level that was held long enough to be told of has a dead-band: it ends an alert, and starts none.
        delay_s = self.delay_s(context.params, LEVELS[one.rank], state)
        told = one.rank > 0 and reading.time_ms - one.since_ms >= SECOND_MS * delay_s
        rank = bounds.rank(reading.value, one.rank if told else 0)
        if rank and not one.rank:
            one.since_ms, one.worst = reading.time_ms, reading.value
        one.rank, one.last, one.last_ms = rank, reading.value, reading.time_ms
        one.worst = _further(one.worst, reading.value, bounds) if rank else 0.0
        return self._verdict(state, reading, bounds, context)

    def quiet(self, state: LimitMemory, series: Series, context: Context[L]) -> Quiet | None:
        """Within the bounds for ever, as long as no channel is beyond them."""
        if not self.hears(series.channel):
            return Quiet(-NEVER, NEVER, ALWAYS_MS)
        if any(one.rank for one in state.channels.values()):
            return None
        bounds = self.bounds(context)
        return Quiet(max(bounds.below), min(bounds.above), ALWAYS_MS)

    def facts(self, one: Channel, context: Context[L]) -> Facts:
        """What this rule adds to the numbers compared."""
        return {}

    def _verdict(self, state: LimitMemory, reading: Reading, bounds: Bounds, context: Context[L]) -> Verdict:
        """The worst of the channels that still speak; where only silent ones were bad, nobody knows."""
        if not any(one.rank for one in state.channels.values()):
            last = state.channels[reading.series.channel]
            return self._word(last, reading, bounds, context) if last.since_ms else OK
        fresh = [one for one in state.channels.values() if reading.time_ms - one.last_ms <= _STALE_MS]
        worst = max(fresh, key=lambda one: (one.rank, one.last_ms))
        return self._word(worst, reading, bounds, context) if worst.rank else Verdict(Level.UNKNOWN)

    def _word(self, one: Channel, reading: Reading, bounds: Bounds, context: Context[L]) -> Verdict:
        facts: Facts = {
            self.value_fact: round(one.last, 3),
            self.limit_fact: round(bounds.limit(one.last, one.rank), 3),
            **self.facts(one, context),
        }
        if one.rank:
            facts[f"worst_{self.value_fact}"] = round(one.worst, 3)
        witness = Witness.of(reading)
        return Verdict(LEVELS[one.rank], Evidence(facts, one.since_ms, (witness,), self.advice[0].key))


def _further(worst: float, value: float, bounds: Bounds) -> float:
    low = max((one for one in bounds.below if math.isfinite(one)), default=-NEVER)
    return min(worst, value) if value < low else max(worst, value)
