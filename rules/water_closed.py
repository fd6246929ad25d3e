"""Water that runs where nobody is (DOMAIN.md 1.6 RUNNING-CLOSED)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.device import Device
from campus.opening import Opening
from campus.reading import Reading, Series
from rules.level import Level
from rules.metering import MeterParams, Span, Spans, loss_word, meter_inputs, step_m3
from rules.rule import Context, Input, Quiet, ReadingRule, RuleParams
from rules.usual import quantile
from rules.verdict import Facts, Verdict

_SPAN_MS = 28 * MINUTE_MS
_UNKNOWN = Verdict(Level.UNKNOWN)
_OK = Verdict(Level.OK)
_KEPT_SPANS = 240
_ENOUGH_SPANS = 60
#: longer than any irrigation or filling that a timer starts; what runs longer is never learned (assumed)
_LONGEST_RUN_MS = 2 * HOUR_MS
#: a timer has run within so many days, or it is forgotten: sprinklers rest in the rain, and all winter
_TIMER_DAYS = 8
#: a span is half an hour and begins anywhere; with a lost message it is longer
_SLACK_MS = 45 * MINUTE_MS
_KEPT_RUNS = 16


class ClosedParams(MeterParams):
    """Flow above *limit_m3h* (1 L/min) half hour after half hour, *after_closing_min* after closing.

    What runs in closed hours as a rule (urinal flushes, tanks) is learned: the limit is then *factor* times its 90 %
    quantile, where that is more. One bucket is no leak: *least_spans* half hours in a row are. What came at the same
    time of the day *timer_runs* times in a week, no less strong, and ended by itself is a timer's (irrigation,
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
    """Water that ran for a while, at most at *flow_m3h*."""

    start_ms: int
    end_ms: int
    flow_m3h: float

    def foretells(self, span: Span) -> bool:
        """Whether *span* lies as this did, some days later: at the same time, give or take the length of a span."""
        days = round((span.start_ms - self.start_ms) / DAY_MS)
        shift_ms = days * DAY_MS
        return (
            0 < days <= _TIMER_DAYS
            and self.start_ms + shift_ms - _SLACK_MS <= span.start_ms
            and span.end_ms <= self.end_ms + shift_ms + _SLACK_MS
        )


class ClosedMemory(msgspec.Struct):
    """The half hour under way, those that were normal, how many in a row were not, and runs that ended by themselves."""

    spans: Spans = msgspec.field(default_factory=Spans)
    normal_m3h: list[float] = []
    high: int = 0
    since_ms: int = 0
    run: Run | None = None
    runs: list[Run] = []


class RunningClosed(ReadingRule):
    """``water.running_closed``: water runs in a building that is closed."""

    name: ClassVar[str] = "water.running_closed"
    Params: ClassVar[type[RuleParams]] = ClosedParams
    Memory: ClassVar[type[msgspec.Struct]] = ClosedMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """A meter that others hang on serves more than one building, and is judged by them."""
        return () if campus.children(device.id) and not device.parent else meter_inputs(device)

    def on_reading(self, state: ClosedMemory, reading: Reading, context: Context) -> Verdict | None:
        if reading.series.channel:
            return None
        params: ClosedParams = context.params
        resolvable_ms = round(2 * step_m3(context.device) / params.limit_m3h * 60 * MINUTE_MS)
        span = state.spans.add(reading, context, max(_SPAN_MS, resolvable_ms))
        if state.spans.broken:
            state.high, state.run = 0, None
        if span is None:
            return None
        building, hours = context.device.place.building, context.campus.hours
        opening = hours.opening(building, span.end_ms)
        if opening is Opening.UNKNOWN:
            return _UNKNOWN
        closed_ms = hours.changed_ms(building, span.end_ms)
        if opening is Opening.OPEN:
            if span.flow_m3h <= params.limit_m3h:
                _keep_run(state, span, high=False)
            state.high, state.run = 0, None  # whether it still runs cannot be told while the building is used
            return _UNKNOWN if state.since_ms else _OK
        if span.start_ms < closed_ms + params.after_closing_min * MINUTE_MS:
            return None
        return self._judge(state, span, reading, context)

    def quiet(self, state: ClosedMemory, series: Series, context: Context) -> Quiet | None:  # noqa: ARG002 - the protocol's signature
        return None if series.channel else state.spans.quiet(_SPAN_MS)

    def _judge(self, state: ClosedMemory, span: Span, reading: Reading, context: Context) -> Verdict:
        params: ClosedParams = context.params
        usual_m3h = 0.0
        if len(state.normal_m3h) >= _ENOUGH_SPANS:
            usual_m3h = quantile(sorted(state.normal_m3h), 0.9)
        limit_m3h = max(params.limit_m3h, params.factor * usual_m3h)
        flow_m3h = span.flow_m3h
        high = flow_m3h > limit_m3h
        _keep_run(state, span, high=high)
        if not high:
            state.high, state.since_ms = 0, 0
            state.normal_m3h = [*state.normal_m3h, round(flow_m3h, 4)][-_KEPT_SPANS:]
        elif state.high == 0 and _is_timer(state, span, params):
            return _OK
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


def _keep_run(state: ClosedMemory, span: Span, *, high: bool) -> None:
    """Notes water that runs, and keeps the run when it is over; a long one is no timer's."""
    if high:
        run = state.run or Run(span.start_ms, span.end_ms, span.flow_m3h)
        state.run = Run(run.start_ms, span.end_ms, max(run.flow_m3h, round(span.flow_m3h, 4)))
    elif state.run is not None:
        if state.run.end_ms - state.run.start_ms <= _LONGEST_RUN_MS:
            state.runs = [*state.runs, state.run][-_KEPT_RUNS:]
        state.run = None


def _is_timer(state: ClosedMemory, span: Span, params: ClosedParams) -> bool:
    """Whether enough runs of the last days have come at this time of the day, and none is left behind by this one.

    The strongest of them counts: a span that holds only part of a run dilutes its flow.
    """
    alike = [run.flow_m3h for run in state.runs if run.foretells(span)]
    return len(alike) >= params.timer_runs and span.flow_m3h <= params.factor * max(alike)
