"""Water: a burst, and a meter that never comes to rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from campus.device import Device, Kind
from campus.meter.flow import Flow
from campus.meter.register import Register
from campus.meter.step import Reason, Step
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.metering import HOUR_SPAN_MS, MeterParams, loss_word, meter_inputs, step_m3, usage_of
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, next_look_ms
from rules.verdict import OK, UNKNOWN, Facts, Verdict
from rules.words.fact import Ending, Fact
from rules.words.shared import COST_A_DAY, FLOW, LEAK, LIMIT_FLOW, LOSS_A_DAY

_LONGEST_GAP_MS = 12 * HOUR_MS
#: the mean hour is that of a week: every hour of every day weighs alike
_MEAN_H = 7 * 24
#: a flow said so long ago is no flow of now
_FRESH_MS = 3 * HOUR_MS


class BurstParams(MeterParams):
    """Flow that stays above *limit_m3h* for five minutes, by two readings, is a burst (DOMAIN.md 1.6: 0.5 × Q3 of the meter).

    Set it by the meter's plate. A kitchen fills basins side by side and has a larger meter than most (assumed: Q3 16, so
    8 m3/h). Until it is told, every reading must say so: people who draw together pause now and then, a burst does not.
    Once told, it is over when the flow is below *clear_share* of the limit.
    """

    limit_m3h: float = Field(default=6.0, gt=0)
    clear_share: float = Field(default=0.5, gt=0, le=1)
    least_confirmations: int = Field(default=2, ge=1, le=20)

    def contradiction(self) -> tuple[str, str] | None:
        """The limit lies below what the meter can pass at all."""
        if self.limit_m3h >= self.most_m3h:
            return "limit_m3h", f"less than most_m3h ({self.most_m3h:g} m3/h)"
        return None


class BurstMemory(msgspec.Struct):
    """The register, the flow behind it and the one the meter says itself (m³/h), and since when it is high."""

    register: Register = msgspec.field(default_factory=Register)
    flow: Flow = msgspec.field(default_factory=Flow)
    #: what the register's and the meter's own word was, and when
    counted_m3h: float = 0.0
    counted_ms: int = 0
    said_m3h: float = 0.0
    said_ms: int = 0
    #: readings in a row that were above the limit, and since when
    confirmations: int = 0
    since_ms: int = 0


class Burst(ReadingRule[BurstParams, BurstMemory]):
    """``water.burst``: more flow than the building can rightly use, for minutes on end."""

    name: ClassVar[str] = "water.burst"
    title = _("{place}「{device}」疑似爆管:用水量异常大")
    advice = (LEAK,)
    lines = (FLOW, LIMIT_FLOW, LOSS_A_DAY, COST_A_DAY)
    Params = BurstParams
    Memory = BurstMemory

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """A canteen's kitchen takes more."""
        return {"limit_m3h": 8.0} if use == "canteen" else {}

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The volume (m³) and, where it says one, the flow (m³/h) of a water meter."""
        if device.kind is not Kind.WATER_METER:
            return ()
        return (Input(device.id, Quantity.WATER_VOLUME), Input(device.id, Quantity.WATER_FLOW))

    def on_reading(
        self, state: BurstMemory, reading: Reading, context: Context[BurstParams]
    ) -> Verdict | None:
        """The greater of the counted and the said flow, each while it is fresh, against the limit."""
        params = context.params
        if reading.series.channel:  # a meter's maximum or an irrigation cycle is no flow of now
            return None
        limit_m3h = params.limit_m3h * (params.clear_share if self._is_told(state, reading, params) else 1.0)
        if reading.series.quantity is Quantity.WATER_FLOW:
            if reading.value > params.most_m3h:
                return UNKNOWN
            state.said_m3h, state.said_ms = reading.value, reading.time_ms
        else:
            doubt = _count(state, reading, context, limit_m3h)
            if doubt is not None:
                return doubt
        flow_m3h = max(
            state.counted_m3h if _is_fresh(state.counted_ms, reading) else 0.0,
            state.said_m3h if _is_fresh(state.said_ms, reading) else 0.0,
        )
        return self._judge(state, reading, context, flow_m3h, limit_m3h)

    def quiet(self, state: BurstMemory, series: Series, context: Context[BurstParams]) -> Quiet | None:
        """A look now and then is enough, unless more has passed than a minute at the limit would bring."""
        limit_m3h = context.params.limit_m3h
        if series.channel:
            return Quiet(-math.inf, math.inf, ALWAYS_MS)
        if series.quantity is Quantity.WATER_FLOW:
            return Quiet(-math.inf, limit_m3h, ALWAYS_MS)
        value = state.register.value
        if value is None or state.register.held is not None:
            return None
        return Quiet(value, value + limit_m3h / 60, next_look_ms(state.register.time_ms, 30 * MINUTE_MS))

    @staticmethod
    def _is_told(state: BurstMemory, reading: Reading, params: BurstParams) -> bool:
        """Whether it has lasted as long, by as many readings, as it takes to be told."""
        lasted_ms = reading.time_ms - state.since_ms
        return state.confirmations >= params.least_confirmations and lasted_ms > params.for_s * SECOND_MS

    def _judge(
        self,
        state: BurstMemory,
        reading: Reading,
        context: Context[BurstParams],
        flow_m3h: float,
        limit_m3h: float,
    ) -> Verdict:
        high = flow_m3h > limit_m3h
        if high and not state.confirmations:
            state.since_ms = reading.time_ms
        state.confirmations = state.confirmations + 1 if high else 0
        if not high and not state.since_ms:
            return OK
        facts: Facts = {"flow_m3h": round(flow_m3h, 3), "limit_m3h": context.params.limit_m3h}
        level = Level.CRITICAL if high else Level.OK
        return loss_word(level, facts, state.since_ms, reading, context, flow_m3h)


def _count(
    state: BurstMemory, reading: Reading, context: Context[BurstParams], limit_m3h: float
) -> Verdict | None:
    """Takes a register's value; a word where it says nothing of the flow now."""
    usage = usage_of(state.register, reading, context.device, context.params.most_m3h)
    if not usage.told:
        return UNKNOWN
    state.flow.add(usage)
    if not usage.flows:
        state.counted_m3h = 0.0
        return UNKNOWN
    rate = state.flow.against(limit_m3h, step_m3(context.device))
    state.counted_m3h = rate.per_hour if rate is not None else 0.0
    state.counted_ms = reading.time_ms
    return None


def _is_fresh(said_ms: int, reading: Reading) -> bool:
    return said_ms > 0 and reading.time_ms - said_ms <= _FRESH_MS


class NeverZeroParams(MeterParams):
    """No hour without use for *window_h* (24 h; dormitories 48 h) is a leak somewhere (DOMAIN.md 1.2, 1.6)."""

    window_h: float = Field(default=24, ge=2, le=24 * 14)
    for_s: float = Field(default=0, ge=0)
    #: an hour at rest says so once, and the next word comes an hour later: there is nothing to wait for
    keep_firing_for_s: float = Field(default=0, ge=0)
    #: an hour is at rest with no more than this, or than one step of the meter, or than this share of its mean hour: in a
    #: full dormitory somebody washes hands at any hour of the night, and less than that is no leak anybody could tell
    zero_m3: float = Field(default=0.0, ge=0)
    zero_share: float = Field(default=0.02, ge=0, lt=0.5)


class NeverZeroMemory(msgspec.Struct):
    """The hour under way, since when none was at rest, their volumes (m³), and the mean hour of a week."""

    register: Register = msgspec.field(default_factory=Register)
    hour_m3: float = 0.0
    covered_ms: int = 0
    rest_ms: int = 0
    hours_m3: list[float] = []
    #: the mean hour of the last week or so, and of how many hours
    mean_m3: float = 0.0
    known_h: int = 0


class NeverZero(ReadingRule[NeverZeroParams, NeverZeroMemory]):
    """``water.never_zero``: the smallest hour of the window is what leaks."""

    name: ClassVar[str] = "water.never_zero"
    title = _("{place}「{device}」疑似漏水:用水从不停")
    advice = (LEAK,)
    lines = (
        Fact("least_flow_m3h", _("最小小时流量 {value:.3f} m³/h")),
        Fact("hours", _("已连续 {value:.0f} 小时没有停过"), Ending.KEPT),
        LOSS_A_DAY,
        COST_A_DAY,
    )
    Params = NeverZeroParams
    Memory = NeverZeroMemory

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """In a dormitory somebody is up at any hour: two days."""
        return {"window_h": 48} if use == "dormitory" else {}

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """A meter of several buildings never rests, with people somewhere at any hour; its sub-meters are judged."""
        buildings = {one.place.building for one in campus.children(device.id)}
        return () if buildings - {device.place.building} else meter_inputs(device)

    def on_reading(
        self, state: NeverZeroMemory, reading: Reading, context: Context[NeverZeroParams]
    ) -> Verdict | None:
        """Collects hours; the smallest of a window without rest is what leaks. Unknown over gaps."""
        if reading.series.channel:
            return None
        usage = usage_of(state.register, reading, context.device, context.params.most_m3h)
        if not usage.told:
            return None
        if not usage.flows:
            _pass_gap(state, usage, reading, context)
            return UNKNOWN
        state.hour_m3 += usage.moved
        state.covered_ms += usage.elapsed_ms
        if state.covered_ms >= HOUR_SPAN_MS:
            _close_hour(state, reading, context)
        return self._judge(state, reading, context)

    def quiet(
        self, state: NeverZeroMemory, series: Series, context: Context[NeverZeroParams]
    ) -> Quiet | None:
        """A counter that goes forward, until its hour is full."""
        value = state.register.value
        if series.channel or value is None or state.register.held is not None:
            return Quiet(-math.inf, math.inf, ALWAYS_MS) if series.channel else None
        return Quiet(value, math.inf, state.register.time_ms + HOUR_SPAN_MS - state.covered_ms)

    def _judge(self, state: NeverZeroMemory, reading: Reading, context: Context[NeverZeroParams]) -> Verdict:
        params = context.params
        awake_h = (reading.time_ms - state.rest_ms) / HOUR_MS
        if not state.hours_m3 or awake_h < params.window_h:
            # The alert of a leak is over with the first hour at rest, not because a new window has just begun.
            return OK if not state.hours_m3 and state.covered_ms == 0 else Verdict(Level.UNKNOWN)
        least_m3h = min(state.hours_m3)
        facts: Facts = {
            "least_flow_m3h": round(least_m3h, 4),
            "hours": round(awake_h, 1),
            "window_h": params.window_h,
        }
        return loss_word(Level.WARNING, facts, state.rest_ms, reading, context, least_m3h)


def _pass_gap(
    state: NeverZeroMemory, usage: Step, reading: Reading, context: Context[NeverZeroParams]
) -> None:
    """What happened in a gap is unknown: hours of it count for nothing. Where it held little or was long, all starts anew."""
    state.hour_m3, state.covered_ms = 0.0, 0
    little_m3 = _rest_m3(state, context) * usage.elapsed_ms / HOUR_MS
    if usage.reason is not Reason.GAP or usage.elapsed_ms > _LONGEST_GAP_MS or usage.volume <= little_m3:
        state.rest_ms, state.hours_m3 = reading.time_ms, []
    else:
        state.rest_ms += usage.elapsed_ms


def _rest_m3(state: NeverZeroMemory, context: Context[NeverZeroParams]) -> float:
    """The most that an hour at rest takes."""
    params = context.params
    return max(params.zero_m3, step_m3(context.device), params.zero_share * state.mean_m3)


def _close_hour(state: NeverZeroMemory, reading: Reading, context: Context[NeverZeroParams]) -> None:
    """Ends an hour: at rest, or one more that was not."""
    params = context.params
    hour_m3 = state.hour_m3 * HOUR_MS / state.covered_ms
    rests = state.hour_m3 <= _rest_m3(state, context) + 1e-9
    state.known_h = min(state.known_h + 1, _MEAN_H)
    state.mean_m3 += (hour_m3 - state.mean_m3) / state.known_h
    state.hour_m3, state.covered_ms = 0.0, 0
    if rests:
        state.rest_ms, state.hours_m3 = reading.time_ms, []
    else:
        state.hours_m3 = [*state.hours_m3, round(hour_m3, 6)][-math.ceil(params.window_h) :]
