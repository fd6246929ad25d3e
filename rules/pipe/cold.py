"""Pipes in the cold: how cold, how long until 0 °C, and whether there is ice already (DOMAIN.md 2.1, 2.3 and 2.4)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS
from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.physics import pipe_tau_h
from rules.pipe.frost import FALLING_K_H, Pipe
from rules.probe import MOST_PROBES, believed, replaces, watched
from rules.rule import Context, Input, Quiet, ReadingRule, RuleParams, next_look_ms
from rules.verdict import Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import LIMIT_TEMPERATURE, OUTDOOR, TEMPERATURE

_AMBIENT_FRESH_MS = 2 * HOUR_MS
_STALE_MS = 3 * HOUR_MS
_AMBIENT_LOOK_MS = 10 * MINUTE_MS
_FORECAST_FRESH_MS = 12 * HOUR_MS


class ColdParams(RuleParams):
    """Limits of DOMAIN.md 2.4; *hysteresis_k* above a level ends it, so a rise to 0 °C is never recovery.

    A notice is for a pipe that still falls after *notice_minutes* at or below *notice_c*: mains water of 6 °C drawn
    through a wall pipe cools it below that many times a day, and it is warmer again within the hour.
    """

    notice_c: float = 8.0
    warning_c: float = 4.0
    critical_c: float = 2.0
    hysteresis_k: float = Field(default=1.0, ge=0)
    notice_minutes: float = Field(default=60, ge=0, le=150)
    warning_minutes_to_0c: float = Field(default=360, ge=0)
    critical_minutes_to_0c: float = Field(default=120, ge=0)
    #: a prediction counts only from here down: cold water drawn through a warm pipe falls fast, too
    predict_below_c: float = 7.0
    #: 20 °F: the alert threshold of the Building Research Council for exposed uninsulated pipes (DOMAIN.md 2.2);
    #: it counts for profile exposed_pipe, and makes what is a warning elsewhere critical there
    exposed_outdoor_c: float = -6.7
    #: the pipe itself, for where its curve gives no time constant; a bore of 0 says nothing
    bore_mm: float = Field(default=0, ge=0)
    wall_mm: float = Field(default=3, ge=0)
    insulation_mm: float = Field(default=0, ge=0)
    #: mineral wool or foamed rubber, and still air about it (DOMAIN.md 2.3)
    conductivity_w_mk: float = Field(default=0.038, gt=0)
    film_w_m2k: float = Field(default=10, gt=0)
    for_s: float = Field(default=900, ge=0)
    critical_for_s: float = Field(default=600, ge=0)
    keep_firing_for_s: float = Field(default=900, ge=0)

    def tau_h(self) -> float:
        """The time constant of still water in such a pipe; 0 where nobody described it."""
        if not self.bore_mm:
            return 0.0
        outside_m = (self.bore_mm + 2 * self.wall_mm) / 1000
        return pipe_tau_h(
            self.bore_mm / 1000, outside_m, self.insulation_mm / 1000, self.conductivity_w_mk, self.film_w_m2k
        )

    def contradiction(self) -> tuple[str, str] | None:
        """Notice, warning and critical go down in this order."""
        if self.warning_c > self.notice_c:
            return "warning_c", f"at most notice_c ({self.notice_c:g} °C)"
        if self.critical_c > self.warning_c:
            return "critical_c", f"at most warning_c ({self.warning_c:g} °C)"
        return None


class ColdMemory(msgspec.Struct):
    """What is remembered of a pipe: its probes by channel, and the last word of the air about it, °C."""

    probes: dict[str, Pipe] = {}
    ambient_c: float | None = None
    ambient_ms: int = 0
    #: the lowest temperature foretold, where the outdoor device has a channel ``forecast``
    forecast_c: float | None = None
    forecast_ms: int = 0


_COLD_ADVICE = Advice(
    "pipe.cold",
    _("打开末端龙头保持细流,打开柜门让暖气进来,检查门窗和伴热带供电;长时间无人的楼,关总阀并放空。"),
)
_FROZEN_ADVICE = Advice(
    "pipe.frozen",
    _("管道可能已结冰:先关上游阀门,从龙头一侧开始用温水或热风缓慢化冻,严禁明火;化冻后先查漏再恢复供水。"),
)


class PipeCold(ReadingRule[ColdParams, ColdMemory]):
    """``pipe.cold``: a pipe's wall or space on its way to freezing. Of several probes the coldest counts."""

    name: ClassVar[str] = "pipe.cold"
    title = _("{place}「{device}」有冻管危险")
    advice = (_COLD_ADVICE, _FROZEN_ADVICE)
    lines = (
        TEMPERATURE,
        Fact("lowest_c", _("最低 {value:.1f} °C"), Ending.KEPT),
        LIMIT_TEMPERATURE,
        OUTDOOR,
        Fact("minutes_to_0c", _("按目前趋势约 {value:.0f} 分钟后到 0 °C"), Ending.DROPPED),
        Fact("frozen_suspected", _("管道可能已经结冰:温度回到 0 °C 不是好转"), Ending.KEPT),
    )
    Params = ColdParams
    Memory = ColdMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """Its own temperatures (°C) and those of the air that cools it: outdoors, or the space it runs through."""
        placed = device.role in {Role.PIPE_WALL, Role.PIPE_SPACE}
        if not placed and not (device.kind is Kind.PIPE_PROBE and device.role is Role.NONE):
            return ()
        own = Input(device.id, Quantity.TEMPERATURE)
        ambient = _ambient_of(device, campus)
        return (own,) if ambient is None else (own, Input(ambient.id, Quantity.TEMPERATURE))

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """The air about a pipe is colder than its water, and swings more."""
        if device.role is not Role.PIPE_SPACE:
            return {}
        return {"notice_c": 5.0, "warning_c": 2.5, "critical_c": 0.0}

    def delay_s(self, params: ColdParams, level: Level, state: ColdMemory) -> float:
        """One delay for critical, in seconds, and one for all else."""
        return params.critical_for_s if level is Level.CRITICAL else params.for_s

    def on_reading(self, state: ColdMemory, reading: Reading, context: Context[ColdParams]) -> Verdict | None:
        """Takes one probe's value, foretells when it is at 0 °C, and judges by the coldest that still speaks."""
        if reading.series.device != context.device.id:
            _hear_ambient(state, reading)
            return None
        channel = watched(reading, state.probes)
        if channel is None:
            return None
        one = state.probes.get(channel)
        if one is None:
            if len(state.probes) >= MOST_PROBES:
                return None
            one = state.probes[channel] = Pipe()
            state.probes.pop(str(replaces(channel)), None)
        suspect = reading.quality is Quality.SUSPECT
        if not believed(
            reading.value, reading.time_ms, suspect=suspect, last_c=one.last_c, last_ms=one.last_ms
        ):
            return Verdict(Level.UNKNOWN)
        fresh = state.ambient_ms and reading.time_ms - state.ambient_ms <= _AMBIENT_FRESH_MS
        ambient_c = state.ambient_c if fresh else None
        forecast_c = math.inf
        if state.forecast_c is not None and reading.time_ms - state.forecast_ms <= _FORECAST_FRESH_MS:
            forecast_c = state.forecast_c
        shows_ice = context.device.role is not Role.PIPE_SPACE
        one.take(reading.time_ms, reading.value, ambient_c, shows_ice=shows_ice)
        rank, minutes = _rank(one, reading.value, ambient_c, forecast_c, context)
        one.settle(rank, reading.time_ms, reading.value, minutes)
        return _verdict(state, reading, ambient_c, context.params)

    def quiet(self, state: ColdMemory, series: Series, context: Context[ColdParams]) -> Quiet | None:
        """Warmer than any limit, with a look every ten minutes for the curve; nothing while a probe is cold."""
        if series.device != context.device.id:
            if series.channel == "forecast":
                return None
            return Quiet(-math.inf, math.inf, next_look_ms(state.ambient_ms, _AMBIENT_LOOK_MS))
        one = state.probes.get(series.channel)
        params = context.params
        if one is None or one.last_c is None or any(pipe.rank for pipe in state.probes.values()):
            return None
        low_c = max(params.notice_c, params.predict_below_c) + 0.01
        return Quiet(low_c, math.inf, next_look_ms(one.last_ms)) if one.last_c > low_c else None

    def on_suspect(self, state: ColdMemory, reading: Reading, context: Context[ColdParams]) -> Verdict | None:
        """As any other: exactly 0.00 may be ice, and is believed next to what was read before."""
        return self.on_reading(state, reading, context)


_LEVELS = (Level.OK, Level.NOTICE, Level.WARNING, Level.CRITICAL)


def _ambient_of(device: Device, campus: Campus) -> Device | None:
    """What the pipe is cooled by: the outdoor air of its site, else the air beside it."""
    if device.role is Role.OUTDOOR:
        return None
    others = [
        one
        for one in campus.devices.values()
        if one.id != device.id
        and one.place.site == device.place.site
        and (
            one.role is Role.OUTDOOR
            or (one.role is Role.PIPE_SPACE and one.place.building == device.place.building)
        )
    ]
    return min(others, key=lambda one: one.role is not Role.OUTDOOR, default=None)


def _hear_ambient(state: ColdMemory, reading: Reading) -> None:
    if reading.series.channel == "forecast":
        state.forecast_c, state.forecast_ms = reading.value, reading.time_ms
        return
    suspect = reading.quality is Quality.SUSPECT
    last_c, last_ms = state.ambient_c, state.ambient_ms
    if watched(reading, ()) is not None and believed(
        reading.value, reading.time_ms, suspect=suspect, last_c=last_c, last_ms=last_ms
    ):
        state.ambient_c, state.ambient_ms = reading.value, reading.time_ms


def _rank(
    one: Pipe, value_c: float, ambient_c: float | None, forecast_c: float, context: Context[ColdParams]
) -> tuple[int, float]:
    """The level now, and minutes to 0 °C; a level once reached holds until *hysteresis_k* above its limit."""
    params = context.params
    minutes = (
        one.minutes_to_0c(value_c, ambient_c, params.tau_h(), forecast_c)
        if value_c <= params.predict_below_c
        else math.inf
    )
    # A notice comes and goes with the nights around its limit; twice the hysteresis keeps it to one.
    held_k = [
        share * params.hysteresis_k if one.rank >= rank else 0.0 for rank, share in ((1, 2), (2, 1), (3, 1))
    ]
    patience = [1.5 if one.rank >= rank else 1.0 for rank in (1, 2, 3)]
    exposed = (
        context.device.profile == "exposed_pipe"
        and ambient_c is not None
        and ambient_c <= params.exposed_outdoor_c
        and value_c <= params.warning_c
    )
    if (
        value_c <= params.critical_c + held_k[2]
        or minutes < params.critical_minutes_to_0c * patience[2]
        or exposed
    ):
        return 3, minutes
    if value_c <= params.warning_c + held_k[1] or minutes < params.warning_minutes_to_0c * patience[1]:
        return 2, minutes
    return int(_is_cool(one, value_c, held_k[0], params)), minutes


def _is_cool(one: Pipe, value_c: float, held_k: float, params: ColdParams) -> bool:
    """Whether cold air draws the pipe down. Water drawn through it does so too, in winter, but then it warms up again."""
    if one.rank:
        return value_c <= params.notice_c + held_k
    falls = value_c <= params.notice_c and max(one.slope_k_h, one.recent_k_h) <= FALLING_K_H
    return falls and one.cold_ms(params.notice_c) >= params.notice_minutes * MINUTE_MS


def _verdict(state: ColdMemory, reading: Reading, ambient_c: float | None, params: ColdParams) -> Verdict:
    """The worst of the probes that still speak; where only silent ones were cold, nobody knows."""
    fresh = [one for one in state.probes.values() if reading.time_ms - one.last_ms <= _STALE_MS]
    one = max(fresh, key=lambda pipe: (pipe.rank, pipe.last_ms))
    if not one.rank and any(pipe.rank for pipe in state.probes.values()):
        return Verdict(Level.UNKNOWN)
    if not one.rank and not one.since_ms:
        return Verdict(Level.OK)
    limit_c = (params.notice_c, params.notice_c, params.warning_c, params.critical_c)[one.rank]
    facts: Facts = {
        "temperature_c": one.last_c if one.last_c is not None else reading.value,
        "limit_c": limit_c,
        "lowest_c": one.lowest_c,
    }
    if one.minutes is not None and not one.frozen:
        facts["minutes_to_0c"] = one.minutes
    if ambient_c is not None:
        facts["outdoor_c"] = ambient_c
    if one.frozen:
        facts["frozen_suspected"] = 1
    witness = Witness.of(reading)
    advice = (_FROZEN_ADVICE if one.frozen else _COLD_ADVICE).key
    return Verdict(_LEVELS[one.rank], Evidence(facts, one.since_ms, (witness,), advice))
