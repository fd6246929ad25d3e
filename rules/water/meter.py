"""Water meters that say what cannot be, or stop saying anything: backflow, and a meter that stands (DOMAIN.md 1.1, 1.6)."""

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
from rules.level import Level
from rules.metering import HOUR_SPAN_MS, MeterParams, Spans, meter_inputs
from rules.night import kind_of_day, midnight_ms
from rules.rule import Context, Input, Quiet, ReadingRule, RuleParams
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact


class BackflowParams(RuleParams):
    """So much water backwards within a day is more than a shock in the pipe; from half an m3 it is critical."""

    warning_m3: float = Field(default=0.02, gt=0)
    critical_m3: float = Field(default=0.5, gt=0)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=48 * 3600, gt=0)


class BackflowMemory(msgspec.Struct):
    """What the meter's backwards counter, or its flow, said over the last day, by the hour."""

    counter_m3: float | None = None
    flow_m3h: float = 0.0
    flow_ms: int = 0
    hours: list[tuple[int, float]] = []
    since_ms: int = 0


_BACKFLOW_ADVICE = Advice(
    "water.backflow", _("请水工检查止回阀和泵;倒流可能污染生活用水,查清之前该支路的水先放掉一会儿再用。")
)


class Backflow(ReadingRule[BackflowParams, BackflowMemory]):
    """``water.backflow``: water runs backwards through the meter: dirt may come with it."""

    name: ClassVar[str] = "water.backflow"
    title = _("{place}「{device}」发生倒流")
    advice = (_BACKFLOW_ADVICE,)
    lines = (Fact("backflow_m3_day", _("一天倒流 {value:.2f} m³")),)
    Params = BackflowParams
    Memory = BackflowMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The counter of what ran backwards (m³), and the flow (m³/h), of a water meter."""
        if device.kind is not Kind.WATER_METER:
            return ()
        return (Input(device.id, Quantity.WATER_BACKFLOW_VOLUME), Input(device.id, Quantity.WATER_FLOW))

    def on_reading(
        self, state: BackflowMemory, reading: Reading, context: Context[BackflowParams]
    ) -> Verdict | None:
        """Sums up what ran backwards in the last 24 hours."""
        if reading.series.channel:
            return None
        back_m3 = _backwards_m3(state, reading)
        hour_ms = reading.time_ms - reading.time_ms % HOUR_MS
        state.hours = [one for one in state.hours if reading.time_ms - one[0] < DAY_MS]
        if back_m3 > 0:
            if state.hours and state.hours[-1][0] == hour_ms:
                state.hours[-1] = (hour_ms, state.hours[-1][1] + back_m3)
            else:
                state.hours.append((hour_ms, back_m3))
        return self._word(state, reading, context)

    def quiet(self, state: BackflowMemory, series: Series, context: Context[BackflowParams]) -> Quiet | None:
        """A counter that stands and a flow forward, for ever; nothing while the last day had any backwards."""
        if state.hours:
            return None
        if series.quantity is Quantity.WATER_FLOW:
            return Quiet(0.0, math.inf, 1 << 62) if state.flow_m3h >= 0 else None
        return Quiet(state.counter_m3, state.counter_m3, 1 << 62) if state.counter_m3 is not None else None

    def _word(self, state: BackflowMemory, reading: Reading, context: Context[BackflowParams]) -> Verdict:
        params = context.params
        total_m3 = sum(volume for _, volume in state.hours)
        if total_m3 < params.warning_m3:
            state.since_ms = 0
            return OK
        state.since_ms = state.since_ms or reading.time_ms
        facts: Facts = {"backflow_m3_day": round(total_m3, 3), "limit_m3": params.warning_m3}
        level = Level.CRITICAL if total_m3 >= params.critical_m3 else Level.WARNING
        witness = Witness.of(reading)
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), _BACKFLOW_ADVICE.key))


def _backwards_m3(state: BackflowMemory, reading: Reading) -> float:
    """What ran backwards since the last word: by the counter, or by the flow that held since."""
    if reading.series.quantity is Quantity.WATER_FLOW:
        elapsed_ms = reading.time_ms - state.flow_ms if state.flow_ms else 0
        back_m3 = max(0.0, -state.flow_m3h) * elapsed_ms / HOUR_MS if elapsed_ms <= HOUR_MS else 0.0
        state.flow_m3h, state.flow_ms = reading.value, reading.time_ms
        return back_m3 if state.counter_m3 is None else 0.0
    before, state.counter_m3 = state.counter_m3, reading.value
    return reading.value - before if before is not None and reading.value > before else 0.0


class StandsParams(MeterParams):
    """No use on *days* days on which the building is used, where each of *history_days* before had some.

    Without a calendar nobody knows who is away: then *unknown_days*.
    """

    days: int = Field(default=3, ge=1, le=14)
    unknown_days: int = Field(default=14, ge=1, le=28)
    history_days: int = Field(default=10, ge=3, le=28)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=48 * 3600, gt=0)


class StandsMemory(msgspec.Struct):
    """The day under way, and how the last days of use were."""

    spans: Spans = msgspec.field(default_factory=Spans)
    day_ms: int = 0
    volume_m3: float = 0.0
    covered_ms: int = 0
    used: int = 0
    idle: int = 0
    since_ms: int = 0


_STANDS_ADVICE = Advice(
    "water.stands",
    _("到现场放水看表走不走;不走就换表,走而没有数据就查脉冲线和采集器。在修好之前,这里漏水是看不见的。"),
)


class Stands(ReadingRule[StandsParams, StandsMemory]):
    """``water.stands``: a meter or its pulse cable is dead, or the meter is blocked: zero proves nothing."""

    name: ClassVar[str] = "water.stands"
    title = _("{place}「{device}」长期不走,表或信号线可能坏了")
    advice = (_STANDS_ADVICE,)
    lines = (Fact("idle_days", _("已 {value:.0f} 天没有走")),)
    Params = StandsParams
    Memory = StandsMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The volume of a water meter, m³."""
        return meter_inputs(device)

    def on_reading(
        self, state: StandsMemory, reading: Reading, context: Context[StandsParams]
    ) -> Verdict | None:
        """Collects days, and judges each when the next begins; any use ends it at once."""
        if reading.series.channel:
            return None
        span = state.spans.add(reading, context, HOUR_SPAN_MS)
        if span is None:
            return None
        day_ms = midnight_ms(span.end_ms, context)
        verdict = None
        if day_ms != state.day_ms:
            if state.day_ms and state.covered_ms >= 18 * HOUR_MS:
                verdict = self._close(state, reading, context)
            state.day_ms, state.volume_m3, state.covered_ms = day_ms, 0.0, 0
        state.volume_m3 += span.volume_m3
        state.covered_ms += span.end_ms - span.start_ms
        if span.volume_m3 > 0 and state.since_ms:
            state.since_ms = state.idle = 0
            verdict = OK
        return verdict

    def quiet(self, state: StandsMemory, series: Series, context: Context[StandsParams]) -> Quiet | None:
        """A counter that goes forward, until its hour is full."""
        return None if series.channel else state.spans.quiet(HOUR_SPAN_MS)

    def _close(self, state: StandsMemory, reading: Reading, context: Context[StandsParams]) -> Verdict | None:
        params = context.params
        if state.volume_m3 > 0:
            state.used, state.idle, state.since_ms = min(state.used + 1, 366), 0, 0
            return OK
        kind = kind_of_day(state.day_ms, context)
        if kind == "closed":
            return None
        needed = params.unknown_days if kind == "unknown" else params.days
        state.idle += 1
        if state.idle < needed or state.used < params.history_days:
            return UNKNOWN
        state.since_ms = state.since_ms or state.day_ms
        facts: Facts = {"idle_days": state.idle, "limit_days": needed}
        witness = Witness.of(reading)
        return Verdict(Level.NOTICE, Evidence(facts, state.since_ms, (witness,), _STANDS_ADVICE.key))


class BudgetParams(MeterParams):
    """*budget_m3_day* for this meter, or a quota a person and year (水利部 用水定额) for *persons*; 0 for none.

    The quota's figures differ by place and kind of school and are the site's to set.
    """

    budget_m3_day: float = Field(default=0, ge=0)
    quota_m3_person_year: float = Field(default=0, ge=0)
    persons: int = Field(default=0, ge=0)
    #: a year has about so many days of school to use a year's quota in
    days_a_year: int = Field(default=250, ge=1, le=366)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)

    def limit_m3(self) -> float:
        """What a day may use; 0 where nobody said."""
        return self.budget_m3_day or self.quota_m3_person_year * self.persons / self.days_a_year


class BudgetMemory(msgspec.Struct):
    """What the day has used so far."""

    spans: Spans = msgspec.field(default_factory=Spans)
    day_ms: int = 0
    volume_m3: float = 0.0


_OVER_BUDGET_ADVICE = Advice(
    "water.over_budget", _("对照各分表找出用得多的地方;合理的用量增加,请在规则里调整定额。")
)


class OverBudget(ReadingRule[BudgetParams, BudgetMemory]):
    """``water.over_budget``: today has used more than a day may."""

    name: ClassVar[str] = "water.over_budget"
    title = _("{place}「{device}」今日用水超过定额")
    advice = (_OVER_BUDGET_ADVICE,)
    lines = (
        Fact("used_m3", _("今日已用 {value:.1f} m³"), Ending.KEPT),
        Fact("budget_m3", _("定额 {value:.1f} m³"), Ending.KEPT),
    )
    Params = BudgetParams
    Memory = BudgetMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The volume of a water meter, m³."""
        return meter_inputs(device)

    def on_reading(
        self, state: BudgetMemory, reading: Reading, context: Context[BudgetParams]
    ) -> Verdict | None:
        """Sums up the local day against its budget; nothing where nobody set one."""
        limit_m3 = context.params.limit_m3()
        if reading.series.channel or not limit_m3:
            return None
        span = state.spans.add(reading, context, HOUR_SPAN_MS)
        if span is None:
            return None
        day_ms = midnight_ms(span.end_ms, context)
        if day_ms != state.day_ms:
            state.day_ms, state.volume_m3 = day_ms, 0.0
        state.volume_m3 += span.volume_m3
        if state.volume_m3 <= limit_m3:
            return OK
        facts: Facts = {"used_m3": round(state.volume_m3, 2), "budget_m3": round(limit_m3, 2)}
        witness = Witness.of(reading)
        return Verdict(Level.NOTICE, Evidence(facts, day_ms, (witness,), _OVER_BUDGET_ADVICE.key))

    def quiet(self, state: BudgetMemory, series: Series, context: Context[BudgetParams]) -> Quiet | None:
        """A counter that goes forward, until its hour is full; all of it where there is no budget."""
        if series.channel or not context.params.limit_m3():
            return Quiet(-math.inf, math.inf, 1 << 62)
        return state.spans.quiet(HOUR_SPAN_MS)
