"""Water at night: more than this meter's nights usually take (DOMAIN.md 1.2, 1.6 NIGHT-EXCESS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.device import Device
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.metering import HOUR_SPAN_MS, MeterParams, Span, Spans, loss_word, meter_inputs, step_m3
from rules.night import kind_of_day, window
from rules.rule import Context, Input, Quiet, ReadingRule
from rules.usual import quantile, spread
from rules.verdict import UNKNOWN, Facts, Verdict
from rules.water.words import RESOLUTION, USUAL_FLOW
from rules.words.fact import Fact
from rules.words.shared import COST_A_DAY, LEAK, LIMIT_FLOW, LOSS_A_DAY

#: dormitories are used at night, canteens start before dawn (DOMAIN.md 1.2)
_WINDOWS: dict[str, dict[str, float]] = {
    "dormitory": {"from_h": 2, "to_h": 5},
    "canteen": {"from_h": 22, "to_h": 3},
}
#: how far the hour that is looked at moves on within the night
_STEP_MS = 14 * MINUTE_MS
_SLACK_MS = 10 * MINUTE_MS
#: a meter whose step is greater than this shows no drip within an hour: its whole night is one span
_COARSE_M3 = 0.02
#: a leak drips now more, now less: what was told is over when this share of the limit is not passed either
_CLEAR_SHARE = 0.5


class NightParams(MeterParams):
    """Excess of the night's smallest hour over the usual (20 % quantile of the last nights of the same kind).

    More than *excess_m3h* (0.3 L/min) on two of three nights is a warning, *critical_m3h* (5 L/min) on one critical.
    Where people are about at night some nights take more than others, and few of them much more: the limit is then
    three times their spread, or *factor* times as far above the usual as one night in ten lies, where that is more.
    """

    from_h: float = Field(default=0, ge=0, lt=24)
    to_h: float = Field(default=5, gt=0, le=12)
    excess_m3h: float = Field(default=0.018, gt=0)
    critical_m3h: float = Field(default=0.3, gt=0)
    factor: float = Field(default=1.5, ge=0)
    learn_nights: int = Field(default=7, ge=3, le=28)
    keep_nights: int = Field(default=28, ge=7, le=60)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=48 * 3600, gt=0)


class NightMemory(msgspec.Struct):
    """The night under way with its last hour, and the nights that were normal, by the kind of day before them."""

    spans: Spans = msgspec.field(default_factory=Spans)
    start_ms: int = 0
    hour: list[Span] = []
    least_m3h: float | None = None
    total_m3: float = 0.0
    covered_ms: int = 0
    nights_m3h: dict[str, list[float]] = {}
    bad: list[bool] = []
    #: an excess was told and is not over: nothing is learned of it, and half the limit ends it
    told: bool = False
    #: the last night, where it alone was bad and the next one will tell
    doubt: tuple[str, float] | None = None
    since_ms: int = 0


class NightExcess(ReadingRule[NightParams, NightMemory]):
    """``water.night_excess``: what runs all night and did not use to."""

    name: ClassVar[str] = "water.night_excess"
    title = _("{place}「{device}」夜间用水比平时多")
    advice = (LEAK,)
    lines = (
        LIMIT_FLOW,
        Fact("night_flow_m3h", _("夜间最小流量 {value:.3f} m³/h")),
        USUAL_FLOW,
        Fact("excess_m3h", _("多出 {value:.3f} m³/h")),
        RESOLUTION,
        LOSS_A_DAY,
        COST_A_DAY,
    )
    Params = NightParams
    Memory = NightMemory

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """The hours in which a dormitory or a canteen's kitchen is at rest."""
        return _WINDOWS.get(use, {})

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The volume of a water meter, m³."""
        return meter_inputs(device)

    def on_reading(
        self, state: NightMemory, reading: Reading, context: Context[NightParams]
    ) -> Verdict | None:
        """Collects the night in steps of a quarter of an hour, and judges it once when it is over."""
        if reading.series.channel:
            return None
        span = state.spans.add(reading, context, _span_ms(state, reading.time_ms, context))
        if state.spans.broken:
            state.hour = []
        if span is None:
            return None
        params = context.params
        start_ms, end_ms = window(span.end_ms, params.from_h, params.to_h, context)
        verdict = self._close(state, reading, context) if start_ms != state.start_ms else None
        if start_ms != state.start_ms:
            state.start_ms, state.least_m3h, state.total_m3, state.covered_ms = start_ms, None, 0.0, 0
            state.hour = []
        if span.start_ms >= start_ms - _SLACK_MS and span.end_ms <= end_ms + _SLACK_MS:
            _note(state, span)
        elif span.start_ms >= end_ms and state.covered_ms:
            verdict = self._close(state, reading, context) or verdict
        return verdict

    def quiet(self, state: NightMemory, series: Series, context: Context[NightParams]) -> Quiet | None:
        """A counter that goes forward, until its span is full or the next night begins."""
        if series.channel:
            return None
        time_ms, params = context.now_ms, context.params
        quiet = state.spans.quiet(_span_ms(state, time_ms, context))
        night_ms = window(time_ms, params.from_h, params.to_h, context)[0] + DAY_MS
        return quiet and Quiet(quiet.low, quiet.high, min(quiet.until_ms, night_ms))

    def _close(self, state: NightMemory, reading: Reading, context: Context[NightParams]) -> Verdict | None:
        """Judges the night that is over, once."""
        params = context.params
        hours = (params.to_h - params.from_h) % 24
        covered_h, least_m3h = state.covered_ms / HOUR_MS, state.least_m3h
        state.covered_ms = 0
        if least_m3h is None or covered_h < 0.6 * hours:
            return UNKNOWN
        step = step_m3(context.device)
        flow_m3h = state.total_m3 / covered_h if step > _COARSE_M3 else least_m3h
        resolution_m3h = 2 * step / (covered_h if step > _COARSE_M3 else 1.0)
        kind = kind_of_day(state.start_ms - 6 * HOUR_MS, context)
        own = state.nights_m3h.get(kind, [])
        nights = own
        if (
            len(own) < params.learn_nights
        ):  # until enough of this kind are known, those of every kind have to do
            nights = [one for several in state.nights_m3h.values() for one in several]
        if len(nights) < params.learn_nights:
            state.nights_m3h[kind] = [*own, round(flow_m3h, 5)]
            return UNKNOWN
        usual_m3h = quantile(sorted(nights), 0.2)
        tail_m3h = params.factor * (quantile(sorted(nights), 0.9) - usual_m3h)
        limit_m3h = max(params.excess_m3h, resolution_m3h, 3 * spread(nights), tail_m3h)
        excess_m3h = flow_m3h - usual_m3h
        bad = excess_m3h > limit_m3h * (_CLEAR_SHARE if state.told else 1.0)
        state.bad = [*state.bad, bad][-3:]
        if bad:
            state.since_ms = state.since_ms or state.start_ms
            lone = not any(state.bad[-2:-1]) and excess_m3h <= params.critical_m3h
            state.doubt = (kind, round(flow_m3h, 5)) if lone else None
        elif not state.told:
            self._learn(state, kind, flow_m3h, params)
        facts: Facts = {
            "night_flow_m3h": round(flow_m3h, 4),
            "usual_flow_m3h": round(usual_m3h, 4),
            "excess_m3h": round(excess_m3h, 4),
            "limit_m3h": round(limit_m3h, 4),
            "resolution_m3h": round(resolution_m3h, 4),
        }
        return self._word(state, facts, excess_m3h, reading, context)

    def _learn(self, state: NightMemory, kind: str, flow_m3h: float, params: NightParams) -> None:
        """A normal night; and so was the one before, if it was in doubt: a leak does not pause."""
        known = [one for one in (state.doubt, (kind, round(flow_m3h, 5))) if one is not None]
        state.doubt = None
        for which, value in known:
            state.nights_m3h[which] = [*state.nights_m3h.get(which, ()), value][-params.keep_nights :]

    def _word(
        self,
        state: NightMemory,
        facts: Facts,
        excess_m3h: float,
        reading: Reading,
        context: Context[NightParams],
    ) -> Verdict:
        """Small leaks need two clean nights to be over, as Smartvatten has it."""
        level = Level.UNKNOWN
        if state.bad[-1] and excess_m3h > context.params.critical_m3h:
            level = Level.CRITICAL
        elif sum(state.bad) >= 2:
            level = Level.WARNING if state.bad[-1] else Level.UNKNOWN
        elif not any(state.bad[-2:]):
            level = Level.OK
        verdict = loss_word(level, facts, state.since_ms, reading, context, max(0.0, excess_m3h))
        if level is Level.OK:
            state.since_ms, state.told = 0, False
        elif level is not Level.UNKNOWN:
            state.told = True
        return verdict


def _span_ms(state: NightMemory, time_ms: int, context: Context[NightParams]) -> int:
    """By day an hour is near enough; at night, and until it is judged, the hour moves on in small steps."""
    params = context.params
    start_ms, end_ms = window(time_ms, params.from_h, params.to_h, context)
    at_night = start_ms <= time_ms <= end_ms + _SLACK_MS
    return _STEP_MS if at_night or state.covered_ms else HOUR_SPAN_MS


def _note(state: NightMemory, span: Span) -> None:
    """Takes a step of the night, and the hour that ends with it, wherever that lies (DOMAIN.md 1.2: the least of all)."""
    state.total_m3 += span.volume_m3
    state.covered_ms += span.end_ms - span.start_ms
    if state.hour and state.hour[-1].end_ms != span.start_ms:
        state.hour = []
    state.hour = [*state.hour, span]
    while span.end_ms - state.hour[0].end_ms >= HOUR_SPAN_MS:
        state.hour = state.hour[1:]
    hour = Span(state.hour[0].start_ms, span.end_ms, sum(one.volume_m3 for one in state.hour))
    if hour.end_ms - hour.start_ms >= HOUR_SPAN_MS:
        least_m3h = hour.flow_m3h
        state.least_m3h = least_m3h if state.least_m3h is None else min(state.least_m3h, least_m3h)
