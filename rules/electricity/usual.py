"""Electricity against its own past: the nights' base load, and what leaks to earth (DOMAIN.md 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS
from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.electricity.words import EARTH_LEAK, LIMIT_RESIDUAL, RESIDUAL, WASTE_A_DAY
from rules.level import Level
from rules.night import window
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams, next_look_ms
from rules.usual import Hourly, median, quantile
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import COST_A_DAY

_TOTAL = {"", "total"}


class BaseloadParams(RuleParams):
    """BASELOAD-RISE: the median of the last *nights* against that of the *history_nights* before (DOMAIN.md 4)."""

    from_h: float = Field(default=0, ge=0, lt=24)
    to_h: float = Field(default=5, gt=0, le=12)
    nights: int = Field(default=7, ge=3, le=14)
    history_nights: int = Field(default=56, ge=14, le=90)
    learn_nights: int = Field(default=21, ge=7, le=56)
    factor: float = Field(default=1.25, ge=1)
    margin_kw: float = Field(default=0.3, ge=0)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=72 * 3600, gt=0)


class BaseloadMemory(msgspec.Struct):
    """The night under way, and the nights before."""

    start_ms: int = 0
    total_kw: float = 0.0
    count: int = 0
    looked_ms: int = 0
    nights_kw: list[float] = []
    since_ms: int = 0


_BASELOAD_RISE_ADVICE = Advice(
    "electricity.baseload_rise", _("夜里挨个回路看:新增的常开设备、坏掉的温控、忘关的循环泵最常见。")
)


class BaseloadRise(ReadingRule[BaseloadParams, BaseloadMemory]):
    """``electricity.baseload_rise``: the load nobody switches has grown for a week, and costs every hour of the year."""

    name: ClassVar[str] = "electricity.baseload_rise"
    title = _("{place}「{device}」夜间基础用电变大")
    advice = (_BASELOAD_RISE_ADVICE,)
    lines = (
        Fact("baseload_kw", _("夜间基础功率 {value:.2f} kW")),
        Fact("usual_kw", _("平时 {value:.2f} kW"), Ending.KEPT),
        WASTE_A_DAY,
        COST_A_DAY,
    )
    Params = BaseloadParams
    Memory = BaseloadMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The power of an electricity meter, kW."""
        return (Input(device.id, Quantity.ACTIVE_POWER),) if device.kind is Kind.ELECTRICITY_METER else ()

    def on_reading(
        self, state: BaseloadMemory, reading: Reading, context: Context[BaseloadParams]
    ) -> Verdict | None:
        """Adds to the night under way, and judges it once when it is over."""
        if reading.series.channel not in _TOTAL:
            return None
        params = context.params
        state.looked_ms = reading.time_ms
        start_ms, end_ms = window(reading.time_ms, params.from_h, params.to_h, context)
        verdict = None
        if start_ms != state.start_ms:
            verdict = self._close(state, reading, context)
            state.start_ms, state.total_kw, state.count = start_ms, 0.0, 0
        if start_ms <= reading.time_ms < end_ms:
            state.total_kw += reading.value
            state.count += 1
        elif state.count:
            verdict = self._close(state, reading, context) or verdict
            state.count = 0
        return verdict

    def quiet(self, state: BaseloadMemory, series: Series, context: Context[BaseloadParams]) -> Quiet | None:
        """Asleep by day, and every few minutes at night."""
        if series.channel not in _TOTAL:
            return Quiet(-math.inf, math.inf, ALWAYS_MS)
        params = context.params
        start_ms, end_ms = window(state.looked_ms, params.from_h, params.to_h, context)
        if state.looked_ms >= end_ms and not state.count:
            return Quiet(-math.inf, math.inf, start_ms + DAY_MS)
        return Quiet(-math.inf, math.inf, next_look_ms(state.looked_ms))

    def _close(
        self, state: BaseloadMemory, reading: Reading, context: Context[BaseloadParams]
    ) -> Verdict | None:
        if not state.count:
            return None
        params = context.params
        night_kw = state.total_kw / state.count
        kept = params.nights + params.history_nights
        state.nights_kw = [*state.nights_kw, round(night_kw, 4)][-kept:]
        before, last = state.nights_kw[: -params.nights], state.nights_kw[-params.nights :]
        if len(before) < params.learn_nights:
            return UNKNOWN
        usual_kw, now_kw = median(before), median(last)
        rise_kw = now_kw - usual_kw
        # A load that has been as high in the history is its season, not a rise.
        highest_kw = max(usual_kw, quantile(sorted(before), 0.9))
        risen = now_kw > params.factor * highest_kw and rise_kw > params.margin_kw
        state.since_ms = (state.since_ms or state.start_ms - (params.nights // 2) * DAY_MS) if risen else 0
        facts: Facts = {"baseload_kw": round(now_kw, 3), "usual_kw": round(usual_kw, 3)}
        if risen:
            facts["waste_kwh_day"] = round(24 * rise_kw, 1)
            price = context.campus.site.tariffs.electricity_yuan_kwh
            if price:
                facts["cost_yuan_day"] = round(24 * rise_kw * price, 1)
        level = Level.NOTICE if risen else Level.OK
        witness = Witness.of(reading)
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), _BASELOAD_RISE_ADVICE.key))


class ResidualRiseParams(RuleParams):
    """A residual current *notice_ma* above its own usual, or a step of *step_ma* that stays (DOMAIN.md 4)."""

    notice_ma: float = Field(default=100, gt=0)
    step_ma: float = Field(default=50, gt=0)
    learn_days: float = Field(default=7, ge=2, le=21)
    for_s: float = Field(default=900, ge=0)
    keep_firing_for_s: float = Field(default=3600, ge=0)


class ResidualRiseMemory(msgspec.Struct):
    """The usual hours, and the last hour of values."""

    usual: Hourly = msgspec.field(default_factory=Hourly)
    looked_ms: int = 0
    since_ms: int = 0


class ResidualRise(ReadingRule[ResidualRiseParams, ResidualRiseMemory]):
    """``electricity.residual_rise``: insulation that begins to fail, long before any detector trips."""

    name: ClassVar[str] = "electricity.residual_rise"
    title = _("{place}「{device}」漏电流比平时变大")
    advice = (EARTH_LEAK,)
    lines = (RESIDUAL, Fact("usual_ma", _("平时 {value:.0f} mA"), Ending.KEPT), LIMIT_RESIDUAL)
    Params = ResidualRiseParams
    Memory = ResidualRiseMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The residual current of an electricity meter, mA."""
        return (Input(device.id, Quantity.RESIDUAL_CURRENT),) if device.kind is Kind.ELECTRICITY_METER else ()

    def on_reading(
        self, state: ResidualRiseMemory, reading: Reading, context: Context[ResidualRiseParams]
    ) -> Verdict | None:
        """Compares with the usual hours and learns from what is not high; unknown while learning."""
        params = context.params
        state.looked_ms = reading.time_ms
        usual = state.usual
        known = usual.learned(params.learn_days)
        # A step counts where the usual itself is steady: within a third of the step.
        steady = usual.high - usual.low < params.step_ma / 3
        limit_ma = usual.high + (params.step_ma if steady else params.notice_ma)
        high = known and reading.value > limit_ma
        usual.add(reading.time_ms, reading.value, learn=not high, days=14)
        if not known:
            return UNKNOWN
        if not high:
            state.since_ms = 0
            return OK
        state.since_ms = state.since_ms or reading.time_ms
        facts: Facts = {
            "residual_ma": round(reading.value, 1),
            "usual_ma": round(usual.middle, 1),
            "limit_ma": round(limit_ma, 1),
        }
        witness = Witness.of(reading)
        return Verdict(Level.NOTICE, Evidence(facts, state.since_ms, (witness,), EARTH_LEAK.key))

    def quiet(
        self, state: ResidualRiseMemory, series: Series, context: Context[ResidualRiseParams]
    ) -> Quiet | None:
        """Up to a step above the usual, until the next look: ten minutes at most."""
        params = context.params
        high = state.usual.high + params.step_ma if state.usual.means else math.inf
        return Quiet(-math.inf, high, next_look_ms(state.looked_ms))


class CrossCheckParams(RuleParams):
    """Energy counted over *span_h* against the power told meanwhile: more than *share* apart is a wrong meter or ratio."""

    share: float = Field(default=0.15, gt=0)
    span_h: float = Field(default=6, gt=0)
    least_kwh: float = Field(default=2.0, gt=0)
    words: int = Field(default=3, ge=1, le=12)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=48 * 3600, gt=0)


class CrossCheckMemory(msgspec.Struct):
    """The span under way: the counter at its start, and the energy by power since."""

    start_kwh: float | None = None
    start_ms: int = 0
    power_kw: float = 0.0
    power_ms: int = 0
    power_kwh: float = 0.0
    known_ms: int = 0
    bad: int = 0
    since_ms: int = 0


_CROSSCHECK_ADVICE = Advice("electricity.crosscheck", _("核对互感器变比和接线,看是否有一相没有计上。"))


class CrossCheck(ReadingRule[CrossCheckParams, CrossCheckMemory]):
    """``electricity.crosscheck``: the counter and the power of one meter do not agree: a transformer ratio, a phase lost."""

    name: ClassVar[str] = "electricity.crosscheck"
    title = _("{place}「{device}」电量与功率对不上")
    advice = (_CROSSCHECK_ADVICE,)
    lines = (
        Fact("counted_kwh", _("电表计了 {value:.1f} kWh")),
        Fact("by_power_kwh", _("按功率应为 {value:.1f} kWh")),
    )
    Params = CrossCheckParams
    Memory = CrossCheckMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The counter (kWh) and the power (kW) of an electricity meter."""
        if device.kind is not Kind.ELECTRICITY_METER:
            return ()
        return (Input(device.id, Quantity.ENERGY), Input(device.id, Quantity.ACTIVE_POWER))

    def on_reading(
        self, state: CrossCheckMemory, reading: Reading, context: Context[CrossCheckParams]
    ) -> Verdict | None:
        """Sums up the power in trapezia, and compares when the counter closes a span."""
        if reading.series.channel not in _TOTAL:
            return None
        if reading.series.quantity is Quantity.ACTIVE_POWER:
            elapsed_ms = reading.time_ms - state.power_ms if state.power_ms else 0
            if 0 < elapsed_ms <= HOUR_MS:
                state.power_kwh += (state.power_kw + reading.value) / 2 * elapsed_ms / HOUR_MS
                state.known_ms += elapsed_ms
            state.power_kw, state.power_ms = reading.value, reading.time_ms
            return None
        return self._count(state, reading, context)

    def quiet(
        self, state: CrossCheckMemory, series: Series, context: Context[CrossCheckParams]
    ) -> Quiet | None:
        """A counter until its span ends; a power within a tenth of the last, with a look every ten minutes."""
        if series.channel not in _TOTAL:
            return Quiet(-math.inf, math.inf, ALWAYS_MS)
        if series.quantity is Quantity.ENERGY:
            end_ms = state.start_ms + round(context.params.span_h * HOUR_MS)
            return Quiet(state.start_kwh or 0.0, math.inf, end_ms) if state.start_ms else None
        if state.start_kwh is None:  # a meter without a counter
            return Quiet(-math.inf, math.inf, next_look_ms(state.power_ms, HOUR_MS))
        tenth_kw = 0.1 * abs(state.power_kw)  # a steady load need not be told again and again
        return Quiet(state.power_kw - tenth_kw, state.power_kw + tenth_kw, next_look_ms(state.power_ms))

    def _count(
        self, state: CrossCheckMemory, reading: Reading, context: Context[CrossCheckParams]
    ) -> Verdict | None:
        params = context.params
        started = state.start_kwh is not None and reading.value >= (state.start_kwh or 0.0)
        span_ms = reading.time_ms - state.start_ms
        if started and span_ms < params.span_h * HOUR_MS:
            return None
        counted_kwh = reading.value - (state.start_kwh or 0.0)
        told_kwh, known_ms = state.power_kwh, state.known_ms
        state.start_kwh, state.start_ms = reading.value, reading.time_ms
        state.power_kwh, state.known_ms = 0.0, 0
        if not started or known_ms < 0.9 * span_ms or span_ms > 2 * params.span_h * HOUR_MS:
            return UNKNOWN
        if max(counted_kwh, told_kwh) < params.least_kwh:
            return None
        apart = abs(counted_kwh - told_kwh) / max(counted_kwh, told_kwh)
        state.bad = state.bad + 1 if apart > params.share else 0
        state.since_ms = (state.since_ms or reading.time_ms - span_ms) if state.bad else 0
        facts: Facts = {
            "counted_kwh": round(counted_kwh, 2),
            "by_power_kwh": round(told_kwh, 2),
            "apart_percent": round(100 * apart),
        }
        level = Level.OK
        if state.bad:
            level = Level.NOTICE if state.bad >= params.words else Level.UNKNOWN
        witness = Witness.of(reading)
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), _CROSSCHECK_ADVICE.key))
