"""Water: a burst, and a meter that never comes to rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS
from campus.device import Device, Kind
from campus.meter.meter import meter_of
from campus.meter.register import Register
from campus.meter.step import Event, Step
from campus.quantity import Quantity
from campus.reading import Reading
from rules import rule
from rules.level import Level
from rules.rule import Context, Input, ReadingRule, RuleParams
from rules.verdict import Evidence, Facts, Verdict, Witness

#: litres a meter shows at the finest where the register does not say (a 1 L step)
_FINEST_M3 = 0.001


class MeterParams(RuleParams):
    """*most_m3h* is what the meter can pass at all, its overload flow Q4 (DOMAIN.md 1.1)."""

    most_m3h: float = Field(default=200, gt=0)


class BurstParams(MeterParams):
    """Flow above *limit_m3h* for five minutes is a burst (DOMAIN.md 1.6). Set it to half of Q3 of the meter."""

    limit_m3h: float = Field(default=6.0, gt=0)
    clear_share: float = Field(default=0.5, gt=0, le=1)


class BurstState(rule.Memory):
    register: Register = msgspec.field(default_factory=Register)
    high: bool = False
    since_ms: int = 0


class Burst(ReadingRule):
    """``water.burst``: more flow than the building can rightly use, for minutes on end."""

    name: ClassVar[str] = "water.burst"
    Params: ClassVar[type[RuleParams]] = BurstParams
    Memory: ClassVar[type[msgspec.Struct]] = BurstState

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:  # noqa: ARG002 - the protocol's signature
        if device.kind is not Kind.WATER_METER:
            return ()
        return (Input(device.id, Quantity.WATER_VOLUME), Input(device.id, Quantity.WATER_FLOW))

    def start(self, device: Device) -> BurstState:  # noqa: ARG002 - the protocol's signature
        return BurstState()

    def on_reading(self, state: BurstState, reading: Reading, context: Context) -> Verdict | None:
        params: BurstParams = context.params
        if reading.series.channel:  # a meter's maximum or an irrigation cycle is no flow of now
            return None
        flow_m3h = _flow(state.register, reading, context.device, params)
        if flow_m3h is None:
            return None
        limit_m3h = params.limit_m3h * (params.clear_share if state.high else 1.0)
        high = flow_m3h > limit_m3h
        if high and not state.high:
            state.since_ms = reading.time_ms
        state.high = high
        facts: Facts = {"flow_m3h": round(flow_m3h, 3), "limit_m3h": params.limit_m3h}
        return _verdict(
            Level.CRITICAL if high else Level.OK, facts, state.since_ms, reading, context, flow_m3h
        )


class NeverZeroParams(MeterParams):
    """No hour without use for *window_h* (24 h; dormitories 48 h) is a leak somewhere (DOMAIN.md 1.2, 1.6)."""

    window_h: float = Field(default=24, ge=2, le=24 * 14)
    for_s: float = 0
    #: an hour with no more than this (and no more than one step of the meter) is an hour at rest
    zero_m3: float = Field(default=0.0, ge=0)


class NeverZeroState(rule.Memory):
    register: Register = msgspec.field(default_factory=Register)
    hour_ms: int = 0
    hour_m3: float = 0.0
    covered_ms: int = 0
    rest_ms: int = 0
    hours_m3: list[float] = msgspec.field(default_factory=list)


class NeverZero(ReadingRule):
    """``water.never_zero``: the smallest hour of the window is what leaks."""

    name: ClassVar[str] = "water.never_zero"
    Params: ClassVar[type[RuleParams]] = NeverZeroParams
    Memory: ClassVar[type[msgspec.Struct]] = NeverZeroState

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:  # noqa: ARG002 - the protocol's signature
        return (Input(device.id, Quantity.WATER_VOLUME),) if device.kind is Kind.WATER_METER else ()

    def start(self, device: Device) -> NeverZeroState:  # noqa: ARG002 - the protocol's signature
        return NeverZeroState()

    def on_reading(self, state: NeverZeroState, reading: Reading, context: Context) -> Verdict | None:
        params: NeverZeroParams = context.params
        if reading.series.channel:
            return None
        usage = _usage(state.register, reading, context.device, params)
        if not usage.told:
            return None
        if not state.hour_ms or not usage.flows:
            # What happened in a gap is unknown: the window starts again.
            state.hour_ms = state.rest_ms = reading.time_ms
            state.hour_m3, state.covered_ms, state.hours_m3 = 0.0, 0, []
            return Verdict(Level.UNKNOWN)
        state.hour_m3 += usage.moved
        state.covered_ms += usage.elapsed_ms
        if state.covered_ms < HOUR_MS:
            return None
        return self._close_hour(state, reading, context)

    def _close_hour(self, state: NeverZeroState, reading: Reading, context: Context) -> Verdict:
        params: NeverZeroParams = context.params
        hour_m3 = state.hour_m3 * HOUR_MS / state.covered_ms
        state.hour_ms, state.hour_m3, state.covered_ms = reading.time_ms, 0.0, 0
        if hour_m3 <= max(params.zero_m3, _step_m3(context.device)) + 1e-9:
            state.rest_ms, state.hours_m3 = reading.time_ms, []
            return Verdict(Level.OK)
        state.hours_m3 = [*state.hours_m3, round(hour_m3, 6)][-int(params.window_h) :]
        awake_h = (reading.time_ms - state.rest_ms) / HOUR_MS
        least_m3h = min(state.hours_m3)
        facts: Facts = {
            "least_flow_m3h": round(least_m3h, 4),
            "hours": round(awake_h, 1),
            "window_h": params.window_h,
        }
        level = Level.WARNING if awake_h >= params.window_h else Level.OK
        return _verdict(level, facts, state.rest_ms, reading, context, least_m3h)


def _usage(register: Register, reading: Reading, device: Device, params: MeterParams) -> Step:
    meter = meter_of(device, reading.series.quantity, most_per_hour=params.most_m3h)
    return register.read(reading.value, reading.time_ms, meter)


def _flow(register: Register, reading: Reading, device: Device, params: MeterParams) -> float | None:
    """The flow now: as the meter says, else from its register; None where that says nothing."""
    if reading.series.quantity is Quantity.WATER_FLOW:
        return reading.value if reading.value <= params.most_m3h else None
    usage = _usage(register, reading, device, params)
    return usage.per_hour if usage.flows and usage.event is not Event.JITTER else None


def _step_m3(device: Device) -> float:
    return device.pulse_weight or _FINEST_M3


def _verdict(
    level: Level, facts: Facts, since_ms: int, reading: Reading, context: Context, flow_m3h: float
) -> Verdict:
    price = context.campus.site.tariffs.water_yuan_m3
    if level is not Level.OK:
        facts["loss_m3_day"] = round(flow_m3h * 24, 2)
        if price:
            facts["cost_yuan_day"] = round(flow_m3h * 24 * price, 1)
    witness = Witness(str(reading.series), reading.time_ms, reading.value)
    return Verdict(level, Evidence(facts, since_ms, (witness,), "water.leak"))
