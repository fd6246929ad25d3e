"""Water that runs where nobody is (DOMAIN.md 1.6 RUNNING-CLOSED)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.device import Device
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.metering import MeterParams, Span, Spans, loss_word, meter_inputs, step_m3
from rules.rule import Context, Input, Quiet, ReadingRule
from rules.usual import quantile
from rules.verdict import OK, UNKNOWN, Facts, Verdict
from rules.water.words import USUAL_FLOW
from rules.words.shared import COST_A_DAY, FLOW, LEAK, LIMIT_FLOW, LOSS_A_DAY

_SPAN_MS = 28 * MINUTE_MS
_KEPT_SPANS = 240
_ENOUGH_SPANS = 60
#: longer than any irrigation or filling that a timer starts; what runs longer is never learned (assumed)
_LONGEST_RUN_MS = 2 * HOUR_MS
#: a timer shows within so many days, some of them of rain; once known it is so for a year: sprinklers rest all winter
_TIMER_DAYS = 8
_KNOWN_DAYS = 400
#: a span is half an hour and begins anywhere; with a lost message it is longer
_SLACK_MS = 45 * MINUTE_MS
_KEPT_RUNS = 16
_KEPT_TIMERS = 4


class ClosedParams(MeterParams):
    """Flow above *limit_m3h* (1 L/min) half hour after half hour, *after_closing_min* after closing.

    What runs in closed hours as a rule (urinal flushes, tanks) is learned: the limit is then *factor* times its 90 %
    quantile, where that is more. One bucket is no leak: *least_spans* half hours in a row are. What came at the same
    time of the day *timer_runs* times in a week, brought no less, and ended by itself is a timer's (irrigation,
    DOMAIN.md 1.6), and no leak as long as it ends then.
    """

    limit_m3h: float = Field(default=0.06, gt=0)
    factor: float = Field(default=1.5, ge=1)
    after_closing_min: float = Field(default=30, ge=0)
    least_spans: int = Field(default=2, ge=1, le=12)
    timer_runs: int = Field(default=3, ge=2, le=8)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=1500, ge=0)


class Run(msgspec.Struct, frozen=True, array_like=True):
    """Water that ran for a while, and how much: that does not depend on where the spans lie, as their flow does."""

    start_ms: int
    end_ms: int
    volume_m3: float

    def foretells(self, start_ms: int, end_ms: int, within_days: int = _TIMER_DAYS) -> bool:
        """Whether the time lies as this run did, some days later, give or take the length of a span."""
        days = round((start_ms - self.start_ms) / DAY_MS)
        shift_ms = days * DAY_MS
        return (
            0 < days <= within_days
            and self.start_ms + shift_ms - _SLACK_MS <= start_ms
            and end_ms <= self.end_ms + shift_ms + _SLACK_MS
        )


class ClosedMemory(msgspec.Struct):
    """The half hour under way, those that were normal, how many in a row were not, and runs that ended by themselves."""

    spans: Spans = msgspec.field(default_factory=Spans)
    normal_m3h: list[float] = []
    high: int = 0
    since_ms: int = 0
    run: Run | None = None
    runs: list[Run] = []
    #: the last run of each timer that is known
    timers: list[Run] = []


class RunningClosed(ReadingRule[ClosedParams, ClosedMemory]):
    """``water.running_closed``: water runs in a building that is closed."""

    name: ClassVar[str] = "water.running_closed"
    title = _("{place}「{device}」楼已关闭仍在用水")
    advice = (LEAK,)
    lines = (FLOW, LIMIT_FLOW, USUAL_FLOW, LOSS_A_DAY, COST_A_DAY)
    Params = ClosedParams
    Memory = ClosedMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """A meter that others hang on serves more than one building, and is judged by them."""
        return () if campus.children(device.id) and not device.parent else meter_inputs(device)

    def on_reading(
        self, state: ClosedMemory, reading: Reading, context: Context[ClosedParams]
    ) -> Verdict | None:
        """Collects half an hour, and judges it where the building is closed; unknown where nobody knows the hours."""
        if reading.series.channel:
            return None
        params = context.params
        resolvable_ms = round(2 * step_m3(context.device) / params.limit_m3h * 60 * MINUTE_MS)
        span = state.spans.add(reading, context, max(_SPAN_MS, resolvable_ms))
        if state.spans.broken:
            state.high, state.run = 0, None
        if span is None:
            return None
        building, hours = context.device.place.building, context.campus.hours
        opening = hours.opening(building, span.end_ms)
        if opening is Opening.UNKNOWN:
            return UNKNOWN
        closed_ms = hours.changed_ms(building, span.end_ms)
        if opening is Opening.OPEN:
            if span.flow_m3h <= params.limit_m3h:
                _keep_run(state, span, params, high=False)
            state.high, state.run = 0, None  # whether it still runs cannot be told while the building is used
            return UNKNOWN if state.since_ms else OK
        if span.start_ms < closed_ms + params.after_closing_min * MINUTE_MS:
            return None
        return self._judge(state, span, reading, context)

    def quiet(self, state: ClosedMemory, series: Series, context: Context[ClosedParams]) -> Quiet | None:
        """A counter that goes forward, until its half hour is full."""
        return None if series.channel else state.spans.quiet(_SPAN_MS)

    def _judge(
        self, state: ClosedMemory, span: Span, reading: Reading, context: Context[ClosedParams]
    ) -> Verdict:
        params = context.params
        usual_m3h = 0.0
        if len(state.normal_m3h) >= _ENOUGH_SPANS:
            usual_m3h = quantile(sorted(state.normal_m3h), 0.9)
        limit_m3h = max(params.limit_m3h, params.factor * usual_m3h)
        flow_m3h = span.flow_m3h
        high = flow_m3h > limit_m3h
        _keep_run(state, span, params, high=high)
        if not high:
            state.high, state.since_ms = 0, 0
            state.normal_m3h = [*state.normal_m3h, round(flow_m3h, 4)][-_KEPT_SPANS:]
        elif state.high == 0 and state.run is not None and _is_timer(state, state.run, params):
            return OK
        else:
            state.high += 1
            state.since_ms = state.since_ms or span.start_ms
        facts: Facts = {
            "flow_m3h": round(flow_m3h, 3),
            "limit_m3h": round(limit_m3h, 3),
            "usual_flow_m3h": round(usual_m3h, 3),
        }
        level = Level.OK
        if state.high:
            level = Level.CRITICAL if state.high >= params.least_spans else Level.UNKNOWN
        return loss_word(level, facts, state.since_ms, reading, context, flow_m3h)


def _keep_run(state: ClosedMemory, span: Span, params: ClosedParams, *, high: bool) -> None:
    """Notes water that runs, and keeps the run when it is over; a long one is no timer's."""
    run = state.run
    if high:
        volume_m3 = round((run.volume_m3 if run else 0.0) + span.volume_m3, 4)
        state.run = Run(run.start_ms if run else span.start_ms, span.end_ms, volume_m3)
    elif run is not None:
        state.run = None
        if run.end_ms - run.start_ms > _LONGEST_RUN_MS:
            return
        if _is_timer(state, run, params):
            others = [one for one in state.timers if not one.foretells(run.start_ms, run.end_ms, _KNOWN_DAYS)]
            state.timers = [*others, run][-_KEPT_TIMERS:]
        state.runs = [*state.runs, run][-_KEPT_RUNS:]


def _is_timer(state: ClosedMemory, run: Run, params: ClosedParams) -> bool:
    """Whether a timer runs at this time of the day, as is known or as enough runs of the last days say, and brings so much."""
    known = [one.volume_m3 for one in state.timers if one.foretells(run.start_ms, run.end_ms, _KNOWN_DAYS)]
    alike = [one.volume_m3 for one in state.runs if one.foretells(run.start_ms, run.end_ms)]
    enough = known if len(alike) < params.timer_runs else [*known, *alike]
    return bool(enough) and run.volume_m3 <= params.factor * max(enough)
