"""Gas that flows where nobody is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS
from campus.device import Device, Kind
from campus.meter.register import Register
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.metering import usage_of
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.shared import COST_A_DAY, FLOW, LIMIT_FLOW


class GasClosedParams(RuleParams):
    """Gas through a meter of a closed building: more than *limit_m3h* over half an hour, twice (pilot flames pass)."""

    limit_m3h: float = Field(default=0.1, gt=0)
    after_closing_min: float = Field(default=60, ge=0)
    most_m3h: float = Field(default=400, gt=0)
    least_spans: int = Field(default=2, ge=1, le=12)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=1500, ge=0)


class GasMemory(msgspec.Struct):
    """The half hour under way."""

    register: Register = msgspec.field(default_factory=Register)
    volume_m3: float = 0.0
    covered_ms: int = 0
    high: int = 0
    since_ms: int = 0


_RUNNING_CLOSED_ADVICE = Advice("gas.running_closed", _("到厨房看灶具和阀门,有气味先关总阀、开窗。"))


class GasClosed(ReadingRule[GasClosedParams, GasMemory]):
    """``gas.running_closed``: gas flows in a kitchen that is closed."""

    name: ClassVar[str] = "gas.running_closed"
    title = _("{place}「{device}」关闭时段仍在用气")
    advice = (_RUNNING_CLOSED_ADVICE,)
    lines = (FLOW, LIMIT_FLOW, COST_A_DAY)
    Params = GasClosedParams
    Memory = GasMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """A boiler house is never closed; a meter there burns gas whenever it is cold."""
        building = campus.site.building(device.place.building)
        heats = building is not None and building.use == "boiler_house"
        if device.kind is not Kind.GAS_METER or heats:
            return ()
        return (Input(device.id, Quantity.GAS_VOLUME),)

    def on_reading(
        self, state: GasMemory, reading: Reading, context: Context[GasClosedParams]
    ) -> Verdict | None:
        """Collects half an hour of gas, and judges it where the building is closed."""
        params = context.params
        if reading.series.channel:
            return None
        usage = usage_of(state.register, reading, context.device, params.most_m3h)
        if not usage.flows:
            if usage.told:
                state.volume_m3, state.covered_ms, state.high = 0.0, 0, 0
            return UNKNOWN if usage.told else None
        state.volume_m3 += usage.moved
        state.covered_ms += usage.elapsed_ms
        if state.covered_ms < 28 * MINUTE_MS:
            return None
        flow_m3h, start_ms = state.volume_m3 * HOUR_MS / state.covered_ms, reading.time_ms - state.covered_ms
        state.volume_m3, state.covered_ms = 0.0, 0
        return self._judge(state, reading, context, flow_m3h, start_ms)

    def quiet(self, state: GasMemory, series: Series, context: Context[GasClosedParams]) -> Quiet | None:
        """A counter that goes forward, until its half hour is full."""
        value = state.register.value
        if series.channel or value is None or state.register.held is not None:
            return Quiet(-math.inf, math.inf, ALWAYS_MS) if series.channel else None
        return Quiet(value, value + 50, state.register.time_ms + 28 * MINUTE_MS - state.covered_ms)

    def _judge(
        self,
        state: GasMemory,
        reading: Reading,
        context: Context[GasClosedParams],
        flow_m3h: float,
        start_ms: int,
    ) -> Verdict | None:
        params = context.params
        building, hours = context.device.place.building, context.campus.hours
        opening = hours.opening(building, reading.time_ms)
        if opening is Opening.UNKNOWN:
            return UNKNOWN
        if opening is Opening.OPEN:
            state.high = state.since_ms = 0
            return OK
        if start_ms < hours.changed_ms(building, reading.time_ms) + params.after_closing_min * MINUTE_MS:
            return None
        state.high = state.high + 1 if flow_m3h > params.limit_m3h else 0
        state.since_ms = (state.since_ms or start_ms) if state.high else 0
        facts: Facts = {"flow_m3h": round(flow_m3h, 2), "limit_m3h": params.limit_m3h}
        price = context.campus.site.tariffs.gas_yuan_m3
        if state.high and price:
            facts["cost_yuan_day"] = round(24 * flow_m3h * price, 1)
        level = Level.OK
        if state.high:
            level = Level.CRITICAL if state.high >= params.least_spans else Level.UNKNOWN
        witness = Witness.of(reading)
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), _RUNNING_CLOSED_ADVICE.key))
