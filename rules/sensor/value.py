"""A sensor whose values cannot be, never change, or leap: it is the probe that is ill, not what it watches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS
from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.probe import NEVER_C
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams, next_look_ms
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Fact

#: what can be at such a place on a campus, °C (wider than any weather or plant)
_RANGES_C: dict[Role, tuple[float, float]] = {
    Role.OUTDOOR: (-55.0, 60.0),
    Role.ROOM: (-40.0, 70.0),
    Role.CABINET_AIR: (-50.0, 70.0),
    Role.PRODUCT: (-50.0, 110.0),
    Role.PIPE_WALL: (-50.0, 110.0),
    Role.PIPE_SPACE: (-50.0, 70.0),
}
#: what no place of the kind does between two readings a few minutes apart, K
_LEAPS_K = {Kind.COLD_STORAGE: 25.0, Kind.CLIMATE: 15.0, Kind.PIPE_PROBE: 30.0}


class ImplausibleParams(RuleParams):
    """One value that cannot be is a notice, *warning_words* in a row a warning."""

    warning_words: int = Field(default=4, ge=1, le=100)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=3 * 3600, ge=0)
    max_gap_s: float = Field(default=24 * 3600, gt=0)


class ImplausibleMemory(msgspec.Struct):
    """How many values in a row could not be."""

    words: int = 0
    since_ms: int = 0


PROBE = Advice("sensor.implausible", _("看探头是否脱落、断线或进水;坏了就换,登记表里更新校准日期。"))


class Implausible(ReadingRule[ImplausibleParams, ImplausibleMemory]):
    """``sensor.implausible``: a value that means "no probe", or that cannot be at such a place."""

    name: ClassVar[str] = "sensor.implausible"
    title = _("{place}「{device}」读数不合理,探头可能坏了")
    advice = (PROBE,)
    lines = (Fact("impossible_c", _("读数 {value} °C")),)
    Params = ImplausibleParams
    Memory = ImplausibleMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The temperatures of any device but gateways, °C."""
        return () if device.kind is Kind.GATEWAY else (Input(device.id, Quantity.TEMPERATURE),)

    def on_reading(
        self, state: ImplausibleMemory, reading: Reading, context: Context[ImplausibleParams]
    ) -> Verdict | None:
        """A value outside of what such a place can have, or a sentinel, is a notice, several in a row a warning."""
        low_c, high_c = _range_c(context.device)
        possible = low_c <= reading.value <= high_c and reading.value not in NEVER_C
        if possible and reading.quality is Quality.SUSPECT and reading.value == 0.0:
            return UNKNOWN  # ice, or no probe: a rule that knows the values before tells them apart
        if possible:
            state.words = state.since_ms = 0
            return OK
        state.words = min(state.words + 1, 1000)
        state.since_ms = state.since_ms or reading.time_ms
        facts: Facts = {"impossible_c": reading.value if math.isfinite(reading.value) else "NaN"}
        if reading.series.channel:
            facts["channel"] = reading.series.channel
        level = Level.WARNING if state.words >= context.params.warning_words else Level.NOTICE
        witness = Witness.of(reading)
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), PROBE.key))

    def on_suspect(
        self, state: ImplausibleMemory, reading: Reading, context: Context[ImplausibleParams]
    ) -> Verdict | None:
        """As any other: these are what it looks for."""
        return self.on_reading(state, reading, context)

    def quiet(
        self, state: ImplausibleMemory, series: Series, context: Context[ImplausibleParams]
    ) -> Quiet | None:
        """Any possible value, for ever; nothing while the last were impossible."""
        low_c, high_c = _range_c(context.device)
        # 85 °C is a sentinel where it comes doubtful; a good one within the range goes by here
        return None if state.words else Quiet(low_c, min(high_c, 84.9), ALWAYS_MS)


def _range_c(device: Device) -> tuple[float, float]:
    if device.kind is Kind.COLD_STORAGE:
        return _RANGES_C.get(device.role, _RANGES_C[Role.CABINET_AIR])
    return _RANGES_C.get(device.role, (-60.0, 180.0))


class JumpParams(RuleParams):
    """So great a step between two readings no more than *within_min* apart is the probe's; 0 for the kind's own."""

    step_k: float = Field(default=0, ge=0)
    within_min: float = Field(default=20, gt=0)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=6 * 3600, ge=0)
    max_gap_s: float = Field(default=12 * 3600, gt=0)


class JumpMemory(msgspec.Struct):
    """The last value by channel."""

    last: dict[str, tuple[int, float]] = {}


class Jump(ReadingRule[JumpParams, JumpMemory]):
    """``sensor.jump``: a leap no air or pipe makes: a loose plug, a probe pulled out."""

    name: ClassVar[str] = "sensor.jump"
    title = _("{place}「{device}」读数突变,探头可能松动")
    advice = (PROBE,)
    lines = (Fact("from_c", _("从 {value:.1f} °C")), Fact("to_c", _("到 {value:.1f} °C")))
    Params = JumpParams
    Memory = JumpMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The temperatures of what has a usual pace, °C."""
        return (Input(device.id, Quantity.TEMPERATURE),) if device.kind in _LEAPS_K else ()

    def on_reading(self, state: JumpMemory, reading: Reading, context: Context[JumpParams]) -> Verdict | None:
        """Compares with the value before, if that is not long ago, channel by channel."""
        channel = reading.series.channel
        before = state.last.get(channel)
        if before is not None or len(state.last) < 8:
            state.last[channel] = (reading.time_ms, reading.value)
        if before is None or channel == "device":
            return None
        elapsed_ms, step_k = reading.time_ms - before[0], reading.value - before[1]
        limit_k = _leap_k(context)
        if elapsed_ms > context.params.within_min * MINUTE_MS or abs(step_k) < limit_k:
            return OK
        facts: Facts = {"from_c": before[1], "to_c": reading.value, "limit_k": limit_k}
        witness = Witness.of(reading)
        return Verdict(Level.NOTICE, Evidence(facts, reading.time_ms, (witness,), PROBE.key))

    def quiet(self, state: JumpMemory, series: Series, context: Context[JumpParams]) -> Quiet | None:
        """Within half a leap of the last value, with a look every ten minutes."""
        time_ms, value = state.last.get(series.channel, (0, 0.0))
        half_k = _leap_k(context) / 2
        return Quiet(value - half_k, value + half_k, next_look_ms(time_ms))


def _leap_k(context: Context[JumpParams]) -> float:
    return context.params.step_k or _LEAPS_K.get(context.device.kind, 30.0)


class StuckParams(RuleParams):
    """The very same value for *factor* times the longest run it has ever had, and *least_h* hours.

    A run that was told is none of the sensor's own.
    """

    least_h: float = Field(default=24, gt=0)
    factor: float = Field(default=4, ge=1)
    learn_h: float = Field(default=72, gt=0)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=24 * 3600, gt=0)


class StuckMemory(msgspec.Struct):
    """The value it has, since when, and the longest run so far."""

    value: float | None = None
    since_ms: int = 0
    first_ms: int = 0
    looked_ms: int = 0
    longest_ms: int = 0


class Stuck(ReadingRule[StuckParams, StuckMemory]):
    """``sensor.stuck``: a temperature that does not even flicker any more."""

    name: ClassVar[str] = "sensor.stuck"
    title = _("{place}「{device}」读数长时间不变")
    advice = (PROBE,)
    lines = (Fact("same_c", _("一直是 {value:.1f} °C")), Fact("same_hours", _("已 {value:.0f} 小时")))
    Params = StuckParams
    Memory = StuckMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The temperatures of what has a usual pace, °C."""
        return (Input(device.id, Quantity.TEMPERATURE),) if device.kind in _LEAPS_K else ()

    def on_reading(
        self, state: StuckMemory, reading: Reading, context: Context[StuckParams]
    ) -> Verdict | None:
        """Counts how long the value has been the very same; a notice after *factor* times its longest run."""
        if reading.series.channel:
            return None
        params = context.params
        if reading.time_ms - state.looked_ms > 6 * HOUR_MS:  # who knows what it did meanwhile
            state.value, state.since_ms = reading.value, reading.time_ms
        state.first_ms = state.first_ms or reading.time_ms
        state.looked_ms = reading.time_ms
        ran_ms = reading.time_ms - state.since_ms
        limit_ms = max(params.least_h * HOUR_MS, params.factor * state.longest_ms)
        learned = state.since_ms - state.first_ms >= params.learn_h * HOUR_MS
        stuck = learned and ran_ms >= limit_ms
        if reading.value != state.value:
            state.longest_ms = state.longest_ms if stuck else max(state.longest_ms, ran_ms)
            state.value, state.since_ms = reading.value, reading.time_ms
            return OK
        if not stuck:
            return None
        facts: Facts = {"same_c": reading.value, "same_hours": round(ran_ms / HOUR_MS)}
        witness = Witness.of(reading)
        return Verdict(Level.NOTICE, Evidence(facts, state.since_ms, (witness,), PROBE.key))

    def quiet(self, state: StuckMemory, series: Series, context: Context[StuckParams]) -> Quiet | None:
        """Any value, until the next look: twenty minutes at most."""
        if series.channel:
            return Quiet(-math.inf, math.inf, ALWAYS_MS)
        return Quiet(-math.inf, math.inf, next_look_ms(state.looked_ms, 20 * MINUTE_MS))
