"""A small leak that stays: CUSUM over each day's smallest hour (DOMAIN.md 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS
from campus.device import Device
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.metering import HOUR_SPAN_MS, MeterParams, Spans, loss_word, meter_inputs, step_m3
from rules.night import kind_of_day, midnight_ms
from rules.rule import Context, Input, Quiet, ReadingRule
from rules.usual import Slots, quantile
from rules.verdict import OK, UNKNOWN, Facts, Verdict
from rules.water.words import RESOLUTION, USUAL_FLOW
from rules.words.fact import Ending, Fact
from rules.words.shared import COST_A_DAY, LEAK, LOSS_A_DAY


class RiseParams(MeterParams):
    """One-sided CUSUM with k = *allowance* and h = *limit*, in spreads of the day's smallest hour.

    Its spread is that of most days, or how far above the middle one day in ten lies, where that is more: where people
    are up at night the smallest hour is often nearly nothing and now and then much.

    A rise of less than *least_m3h* is not told, however sure. *clean_days* in a row no higher than usual end it (two, as
    for small leaks at night): the sum alone would take weeks to forget a leak that was repaired.
    """

    allowance: float = Field(default=0.5, ge=0)
    limit: float = Field(default=5, gt=0)
    #: one odd day counts for no more than this, so that a party is no leak
    most_a_day: float = Field(default=2.5, gt=0)
    least_m3h: float = Field(default=0.003, gt=0)
    learn_days: int = Field(default=14, ge=5, le=28)
    clean_days: int = Field(default=2, ge=1, le=7)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=48 * 3600, gt=0)


class RiseMemory(msgspec.Struct):
    """The day under way, the smallest hours of days that were normal, and the sum."""

    spans: Spans = msgspec.field(default_factory=Spans)
    day_ms: int = 0
    least_m3h: float | None = None
    covered_ms: int = 0
    days: Slots = msgspec.field(default_factory=Slots)
    total: float = 0.0
    clean: int = 0
    told: bool = False
    #: days since the sum left 0: what comes back to 0 was chance, and as usual as any
    doubtful: list[tuple[str, float]] = []
    excess_m3h: list[float] = []
    since_ms: int = 0


class Rise(ReadingRule[RiseParams, RiseMemory]):
    """``water.rise``: the day's smallest flow has risen and stays so; with the day since when."""

    name: ClassVar[str] = "water.rise"
    title = _("{place}「{device}」最小用水持续变大,疑似小漏")
    advice = (LEAK,)
    lines = (
        Fact("rise_m3h", _("最小流量升高 {value:.3f} m³/h")),
        USUAL_FLOW,
        RESOLUTION,
        Fact("days", _("已持续 {value:.0f} 天"), Ending.KEPT),
        LOSS_A_DAY,
        COST_A_DAY,
    )
    Params = RiseParams
    Memory = RiseMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The volume of a water meter, m³."""
        return meter_inputs(device)

    def on_reading(self, state: RiseMemory, reading: Reading, context: Context[RiseParams]) -> Verdict | None:
        """Keeps the day's smallest hour, and judges it when the next day begins."""
        if reading.series.channel:
            return None
        span = state.spans.add(reading, context, HOUR_SPAN_MS)
        if span is None:
            return None
        day_ms = midnight_ms(span.end_ms, context)
        verdict = None
        if day_ms != state.day_ms:
            if state.day_ms:
                verdict = self._close(state, reading, context)
            state.day_ms, state.least_m3h, state.covered_ms = day_ms, None, 0
        flow_m3h = span.flow_m3h
        state.least_m3h = flow_m3h if state.least_m3h is None else min(state.least_m3h, flow_m3h)
        state.covered_ms += span.end_ms - span.start_ms
        return verdict

    def quiet(self, state: RiseMemory, series: Series, context: Context[RiseParams]) -> Quiet | None:
        """A counter that goes forward, until its hour is full."""
        return None if series.channel else state.spans.quiet(HOUR_SPAN_MS)

    def _close(self, state: RiseMemory, reading: Reading, context: Context[RiseParams]) -> Verdict:
        params = context.params
        least_m3h = state.least_m3h
        if least_m3h is None or state.covered_ms < 18 * HOUR_MS:
            return UNKNOWN
        kind = kind_of_day(state.day_ms, context)
        known = state.days.expected(kind, params.learn_days)
        if known is None:
            state.days.learn(kind, least_m3h, 28)
            return UNKNOWN
        usual_m3h, sigma_m3h = known
        tail_m3h = quantile(sorted(state.days.values[kind]), 0.9) - usual_m3h
        unit_m3h = max(sigma_m3h, tail_m3h) + max(step_m3(context.device), params.least_m3h / 2)
        residual = min(params.most_a_day, (least_m3h - usual_m3h) / unit_m3h - params.allowance)
        state.total = max(0.0, state.total + residual)
        state.clean = 0 if residual > 0 else state.clean + 1
        state.doubtful = [*state.doubtful, (kind, least_m3h)][-28:]
        if state.total > params.limit:
            state.told = True
        if not state.total or (state.told and state.clean >= params.clean_days):
            return self._settle(state)
        state.since_ms = state.since_ms or state.day_ms
        state.excess_m3h = [*state.excess_m3h, round(least_m3h - usual_m3h, 5)][-14:]
        state.total = min(state.total, 2 * params.limit)
        return self._word(state, usual_m3h, reading, context)

    def _settle(self, state: RiseMemory) -> Verdict:
        """All is as usual again; the days of a rise that was told are none to learn from, but for those that ended it."""
        lessons = state.doubtful[-state.clean :] if state.told and state.clean else state.doubtful
        for kind, least_m3h in lessons:
            state.days.learn(kind, least_m3h, 28)
        state.total, state.clean, state.told, state.doubtful = 0.0, 0, False, []
        state.since_ms, state.excess_m3h = 0, []
        return OK

    def _word(
        self, state: RiseMemory, usual_m3h: float, reading: Reading, context: Context[RiseParams]
    ) -> Verdict:
        params = context.params
        rise_m3h = sorted(state.excess_m3h)[len(state.excess_m3h) // 2]
        facts: Facts = {
            "rise_m3h": round(rise_m3h, 4),
            "usual_flow_m3h": round(usual_m3h, 4),
            "days": len(state.excess_m3h),
            "resolution_m3h": round(step_m3(context.device), 4),
        }
        risen = state.total > params.limit and rise_m3h >= params.least_m3h
        level = Level.WARNING if risen else Level.UNKNOWN
        return loss_word(level, facts, state.since_ms, reading, context, rise_m3h)
