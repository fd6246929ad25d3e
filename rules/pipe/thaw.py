"""Pipes and the meter that feeds them: a pipe that was frozen is watched as it thaws; water that stands freezes first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, from_ms
from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.metering import MeterParams, Span, Spans, loss_word, step_m3
from rules.pipe.kept_up import KeptUp
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, next_look_ms
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import COST_A_DAY, FLOW, LEAK, LIMIT_FLOW, LOSS_A_DAY, OUTDOOR, TEMPERATURE

_SPAN_MS = 10 * MINUTE_MS
_MOST_PIPES = 16
_MANY_M3H = {"dormitory": 3.0, "canteen": 2.0}
_PIPE_ROLES = {Role.PIPE_WALL, Role.PIPE_SPACE}


def pipes_of(meter: Device, campus: Campus) -> tuple[Device, ...]:
    """The pipe probes behind *meter*: those registered under it, else those of its building if it is that one's main."""
    if meter.kind is not Kind.WATER_METER:
        return ()
    probes = [
        one for one in campus.devices.values() if one.kind is Kind.PIPE_PROBE or one.role in _PIPE_ROLES
    ]
    own = [one for one in probes if one.parent == meter.id]
    parent = campus.devices.get(meter.parent)
    inner = parent is not None and parent.place.building == meter.place.building
    if not own and not inner and meter.place.building:
        own = [one for one in probes if not one.parent and one.place.building == meter.place.building]
    return tuple(own[:_MOST_PIPES])


class ThawParams(MeterParams):
    """For *watch_h* after a pipe was at or below 0 °C, flow without a pause of ten minutes for *steady_min* is told.

    The limit is much below that of a burst: what ice split runs as soon as it melts. Where people are, it also has to be
    more than this meter's hour usually keeps up for as long, by *usual_share*; before that is known (two days of that hour,
    without a frozen pipe), more than *unknown_m3h*, and a warning.
    """

    watch_h: float = Field(default=48, gt=0)
    limit_m3h: float = Field(default=0.12, gt=0)
    usual_share: float = Field(default=1.5, ge=1)
    unknown_m3h: float = Field(default=1.0, gt=0)
    frozen_c: float = 0.0
    steady_min: float = Field(default=60, ge=10)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=1800, ge=0)


class ThawMemory(msgspec.Struct):
    """Until when it watches, and since when water has not paused."""

    spans: Spans = msgspec.field(default_factory=Spans)
    frozen: dict[str, int] = {}
    until_ms: int = 0
    pipe: str = ""
    running_ms: int = 0
    #: the flows of the newest spans, as many as *steady_min* takes
    newest_m3h: list[float] = []
    usual: KeptUp = msgspec.field(default_factory=KeptUp)


class ThawWatch(ReadingRule[ThawParams, ThawMemory]):
    """``water.thaw``: the meter that feeds a pipe which was frozen does not come to rest."""

    name: ClassVar[str] = "water.thaw"
    title = _("{place}「{device}」化冻后用水不停,疑似冻裂")
    advice = (LEAK,)
    lines = (
        FLOW,
        LIMIT_FLOW,
        Fact("running_minutes", _("已连续 {value:.0f} 分钟不停"), Ending.KEPT),
        LOSS_A_DAY,
        COST_A_DAY,
    )
    Params = ThawParams
    Memory = ThawMemory

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """Where many wash or cook together water may run for an hour on end."""
        return {"unknown_m3h": _MANY_M3H[use]} if use in _MANY_M3H else {}

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The volume of a meter (m³) and the temperatures of the pipes behind it (°C); nothing without pipes."""
        pipes = pipes_of(device, campus)
        own = (Input(device.id, Quantity.WATER_VOLUME),) if pipes else ()
        return (*own, *(Input(one.id, Quantity.TEMPERATURE) for one in pipes))

    def on_reading(self, state: ThawMemory, reading: Reading, context: Context[ThawParams]) -> Verdict | None:
        """A frozen pipe starts the watch; while it lasts, flow without a pause is told."""
        if reading.series.device != context.device.id:
            _hear_pipe(state, reading, context)
            return None
        if reading.series.channel:
            return None
        span = state.spans.add(reading, context, _SPAN_MS)
        if state.spans.broken:
            state.running_ms, state.newest_m3h = 0, []
        return self._judge(state, span, reading, context) if span is not None else None

    def quiet(self, state: ThawMemory, series: Series, context: Context[ThawParams]) -> Quiet | None:
        """Pipes above freezing, for ever; the counter until its ten minutes are full."""
        if series.device != context.device.id:
            return Quiet(context.params.frozen_c + 0.01, math.inf, ALWAYS_MS)
        return None if series.channel else state.spans.quiet(_SPAN_MS)

    def _judge(
        self, state: ThawMemory, span: Span, reading: Reading, context: Context[ThawParams]
    ) -> Verdict | None:
        params = context.params
        flow_m3h = span.flow_m3h
        kept_up_m3h = _kept_up(state, span, params)
        if span.end_ms > state.until_ms:
            state.running_ms = 0
            if kept_up_m3h is not None:
                state.usual.learn(_hour(span, context), kept_up_m3h)
            return OK
        limit_m3h, level = self._limit(state, span, context)
        state.running_ms = (state.running_ms or span.start_ms) if flow_m3h > limit_m3h else 0
        ran_min = (span.end_ms - state.running_ms) / MINUTE_MS if state.running_ms else 0.0
        if ran_min < params.steady_min:
            return OK
        facts: Facts = {
            "flow_m3h": round(flow_m3h, 3),
            "limit_m3h": round(limit_m3h, 3),
            "running_minutes": round(ran_min),
            "pipe": state.pipe,
        }
        return loss_word(level, facts, state.running_ms, reading, context, flow_m3h)

    @staticmethod
    def _limit(state: ThawMemory, span: Span, context: Context[ThawParams]) -> tuple[float, Level]:
        """What flow is no use of people's now, in m3/h, and how sure that is."""
        params = context.params
        least_m3h = max(params.limit_m3h, step_m3(context.device) * HOUR_MS / _SPAN_MS)
        hours = context.campus.hours
        if hours.opening(context.device.place.building, span.start_ms) is Opening.CLOSED:
            return least_m3h, Level.CRITICAL
        usual_m3h = state.usual.most(_hour(span, context))
        if usual_m3h is None:
            return max(least_m3h, params.unknown_m3h), Level.WARNING
        return max(least_m3h, params.usual_share * usual_m3h + params.limit_m3h), Level.CRITICAL


def _kept_up(state: ThawMemory, span: Span, params: ThawParams) -> float | None:
    """The least flow of the last *steady_min*, in m3/h; None before so much was seen in a row."""
    state.newest_m3h.append(span.flow_m3h)
    wanted = math.ceil(params.steady_min * MINUTE_MS / (span.end_ms - span.start_ms))
    del state.newest_m3h[:-wanted]
    return min(state.newest_m3h) if len(state.newest_m3h) >= wanted else None


def _hour(span: Span, context: Context[ThawParams]) -> int:
    return from_ms(span.end_ms - 1, context.campus.site.zone).hour


def _hear_pipe(state: ThawMemory, reading: Reading, context: Context[ThawParams]) -> None:
    """A pipe at or below the limit by two readings starts the watch; each reading there prolongs it."""
    params = context.params
    name = reading.series.device
    if reading.quality is Quality.SUSPECT or reading.value > params.frozen_c:
        state.frozen.pop(name, None)
        return
    first_ms = state.frozen.setdefault(name, reading.time_ms)
    if reading.time_ms > first_ms:
        state.until_ms, state.pipe = reading.time_ms + round(params.watch_h * HOUR_MS), name


class StillParams(MeterParams):
    """No water for *still_h* in a pipe at or below *cold_c* while it freezes outside: still water freezes first."""

    still_h: float = Field(default=6, gt=0)
    cold_c: float = 4.0
    outdoor_c: float = 0.0
    for_s: float = Field(default=1800, ge=0)
    keep_firing_for_s: float = Field(default=900, ge=0)


class StillMemory(msgspec.Struct):
    """Since when the meter has stood, and the last words of the pipe and the air outside."""

    spans: Spans = msgspec.field(default_factory=Spans)
    still_ms: int = 0
    metered_ms: int = 0
    outdoor_c: float | None = None
    outdoor_ms: int = 0
    cold: bool = False
    since_ms: int = 0


_STILL_WATER_ADVICE = Advice("pipe.still_water", _("打开末端龙头保持细流;放假无人的楼,关总阀并放空管道。"))


class StillWater(ReadingRule[StillParams, StillMemory]):
    """``pipe.still_water``: a cold pipe whose meter has not moved for hours. The subject is the pipe."""

    name: ClassVar[str] = "pipe.still_water"
    title = _("{place}「{device}」天冷且水长时间不流动")
    advice = (_STILL_WATER_ADVICE,)
    lines = (TEMPERATURE, OUTDOOR, Fact("still_hours", _("水已 {value:.0f} 小时没有流动")))
    Params = StillParams
    Memory = StillMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The pipe's temperature (°C), the volume of the meter that feeds it (m³), and the air outside; nothing without all."""
        meter, outdoor = _meter_of(device, campus), _outdoor_of(device, campus)
        if meter is None or outdoor is None:
            return ()
        return (
            Input(device.id, Quantity.TEMPERATURE),
            Input(meter.id, Quantity.WATER_VOLUME),
            Input(outdoor.id, Quantity.TEMPERATURE),
        )

    def on_reading(
        self, state: StillMemory, reading: Reading, context: Context[StillParams]
    ) -> Verdict | None:
        """Notes meter and outdoors, and judges with each value of the pipe."""
        if reading.series.quantity is Quantity.WATER_VOLUME:
            span = None if reading.series.channel else state.spans.add(reading, context, _SPAN_MS)
            if span is not None:
                state.metered_ms = span.end_ms
                state.still_ms = (state.still_ms or span.start_ms) if span.volume_m3 == 0 else 0
            return None
        if reading.quality is Quality.SUSPECT or reading.series.channel == "device":
            return None
        if reading.series.device != context.device.id:
            state.outdoor_c, state.outdoor_ms = reading.value, reading.time_ms
            return None
        return self._judge(state, reading, context)

    def quiet(self, state: StillMemory, series: Series, context: Context[StillParams]) -> Quiet | None:
        """A pipe above its limit, for ever; outdoors and the counter for ten minutes."""
        if series.quantity is Quantity.WATER_VOLUME:
            return None if series.channel else state.spans.quiet(_SPAN_MS)
        if series.device != context.device.id:
            return Quiet(-math.inf, math.inf, next_look_ms(state.outdoor_ms, _SPAN_MS))
        return None if state.cold else Quiet(context.params.cold_c + 0.01, math.inf, ALWAYS_MS)

    def _judge(self, state: StillMemory, reading: Reading, context: Context[StillParams]) -> Verdict:
        params = context.params
        cold = reading.value <= params.cold_c + (1.0 if state.cold else 0.0)
        state.cold = cold
        if not cold:
            state.since_ms = 0
            return OK
        fresh_ms = 2 * HOUR_MS
        known = (
            state.outdoor_c is not None
            and reading.time_ms - state.outdoor_ms <= fresh_ms
            and reading.time_ms - state.metered_ms <= fresh_ms
        )
        if not known:
            return UNKNOWN
        still_h = (reading.time_ms - state.still_ms) / HOUR_MS if state.still_ms else 0.0
        frost = state.outdoor_c is not None and state.outdoor_c <= params.outdoor_c
        if not frost or still_h < params.still_h:
            state.since_ms = 0
            return OK
        state.since_ms = state.since_ms or state.still_ms
        facts: Facts = {
            "temperature_c": reading.value,
            "outdoor_c": state.outdoor_c or 0.0,
            "still_hours": round(still_h, 1),
        }
        witness = Witness.of(reading)
        return Verdict(Level.WARNING, Evidence(facts, state.since_ms, (witness,), _STILL_WATER_ADVICE.key))


def _meter_of(pipe: Device, campus: Campus) -> Device | None:
    if pipe.kind is not Kind.PIPE_PROBE or pipe.role is Role.PIPE_SPACE:
        return None
    return next((one for one in campus.devices.values() if pipe in pipes_of(one, campus)), None)


def _outdoor_of(device: Device, campus: Campus) -> Device | None:
    same = (one for one in campus.devices.values() if one.role is Role.OUTDOOR)
    return next((one for one in same if one.place.site == device.place.site), None)
