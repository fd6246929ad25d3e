"""Pipes in the cold: how cold, and how long until 0 °C (DOMAIN.md 2.3 and 2.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS
from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from campus.reading import Quality, Reading
from rules import rule
from rules.level import Level
from rules.physics import fitted_tau_h, hours_to_reach, slope_per_hour
from rules.rule import Context, Input, ReadingRule, RuleParams
from rules.verdict import Evidence, Facts, Verdict, Witness

_KEPT_MS = 3 * HOUR_MS
_SPACING_MS = 3 * MINUTE_MS
_KEPT_POINTS = 64
_AMBIENT_FRESH_MS = 2 * HOUR_MS
#: slower than this is no fall a forecast could stand on
_FALLING_K_H = -0.3


class ColdParams(RuleParams):
    """Limits of DOMAIN.md 2.4; *hysteresis_k* above a level ends it, so a rise to 0 °C is never recovery."""

    notice_c: float = 8.0
    warning_c: float = 4.0
    critical_c: float = 2.0
    hysteresis_k: float = Field(default=1.0, ge=0)
    warning_minutes_to_0c: float = Field(default=360, ge=0)
    critical_minutes_to_0c: float = Field(default=120, ge=0)
    #: a prediction counts only from here down: cold water drawn through a warm pipe falls fast, too
    predict_below_c: float = 7.0
    for_s: float = 900
    critical_for_s: float = Field(default=600, ge=0)
    keep_firing_for_s: float = 900


class ColdMemory(rule.Memory):
    points: list[tuple[int, float]] = msgspec.field(default_factory=list)
    ambient_c: float | None = None
    ambient_ms: int = 0
    rank: int = 0
    since_ms: int = 0
    below_zero: bool = False


class PipeCold(ReadingRule):
    """``pipe.cold``: a pipe's wall or space on its way to freezing."""

    name: ClassVar[str] = "pipe.cold"
    Params: ClassVar[type[RuleParams]] = ColdParams
    Memory: ClassVar[type[msgspec.Struct]] = ColdMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        if device.kind is not Kind.PIPE_PROBE or device.role not in {
            Role.PIPE_WALL,
            Role.PIPE_SPACE,
            Role.NONE,
        }:
            return ()
        outdoors = (
            one.id
            for one in campus.devices.values()
            if one.role is Role.OUTDOOR and one.place.site == device.place.site
        )
        outdoor = next(outdoors, None)
        own = Input(device.id, Quantity.TEMPERATURE)
        return (own,) if outdoor is None else (own, Input(outdoor, Quantity.TEMPERATURE))

    def start(self, device: Device) -> ColdMemory:  # noqa: ARG002 - the protocol's signature
        return ColdMemory()

    def delay_s(self, params: ColdParams, level: Level) -> float:
        return params.critical_for_s if level is Level.CRITICAL else params.for_s

    def on_reading(self, state: ColdMemory, reading: Reading, context: Context) -> Verdict | None:
        if reading.series.device != context.device.id:
            state.ambient_c, state.ambient_ms = reading.value, reading.time_ms
            return None
        if reading.series.channel == "device":
            return None
        if reading.quality is Quality.SUSPECT:
            return Verdict(Level.UNKNOWN)
        _remember(state, reading)
        minutes = self._minutes_to_0c(state, reading, context.params)
        rank = _rank(reading.value, minutes, state, context.params)
        if rank and not state.rank:
            state.since_ms = reading.time_ms
        state.rank = rank
        state.below_zero = reading.value <= 0 or (state.below_zero and rank > 0)
        return Verdict(_LEVELS[rank], _evidence(state, reading, minutes, context.params))

    def _minutes_to_0c(self, state: ColdMemory, reading: Reading, params: ColdParams) -> float:
        """Minutes until 0 °C as the curve goes on: by time constant where the air is known, else by the slope."""
        if not 0 < reading.value <= params.predict_below_c:
            return math.inf
        slope_k_h = slope_per_hour(state.points)
        if slope_k_h is None or slope_k_h > _FALLING_K_H:
            return math.inf
        fresh = reading.time_ms - state.ambient_ms <= _AMBIENT_FRESH_MS
        if state.ambient_c is not None and fresh and state.ambient_c < reading.value:
            tau_h = fitted_tau_h(state.points, state.ambient_c)
            if tau_h is not None:
                return hours_to_reach(0.0, reading.value, state.ambient_c, tau_h) * 60
        return reading.value / -slope_k_h * 60


_LEVELS = (Level.OK, Level.NOTICE, Level.WARNING, Level.CRITICAL)


def _remember(state: ColdMemory, reading: Reading) -> None:
    if state.points and reading.time_ms - state.points[-1][0] < _SPACING_MS:
        return
    oldest_ms = reading.time_ms - _KEPT_MS
    kept = [point for point in state.points if point[0] >= oldest_ms]
    state.points = [*kept, (reading.time_ms, reading.value)][-_KEPT_POINTS:]


def _rank(value_c: float, minutes: float, state: ColdMemory, params: ColdParams) -> int:
    """The level now; a level already reached holds until the temperature is *hysteresis_k* above its limit."""
    limits_c = (params.notice_c, params.warning_c, params.critical_c)
    falling = (slope_per_hour(state.points) or 0.0) <= _FALLING_K_H
    for rank in (3, 2, 1):
        limit_c = limits_c[rank - 1] + (params.hysteresis_k if state.rank >= rank else 0.0)
        cold = value_c <= limit_c and (rank > 1 or falling or state.rank >= 1)
        soon = rank > 1 and minutes < (
            params.critical_minutes_to_0c if rank == 3 else params.warning_minutes_to_0c
        )
        if cold or soon:
            return rank
    return 0


def _evidence(state: ColdMemory, reading: Reading, minutes: float, params: ColdParams) -> Evidence:
    facts: Facts = {"temperature_c": reading.value}
    limit_c = (params.notice_c, params.notice_c, params.warning_c, params.critical_c)[state.rank]
    facts["limit_c"] = limit_c
    if minutes < math.inf:
        facts["minutes_to_0c"] = round(minutes)
    if state.ambient_c is not None and reading.time_ms - state.ambient_ms <= _AMBIENT_FRESH_MS:
        facts["outdoor_c"] = state.ambient_c
    witness = Witness(str(reading.series), reading.time_ms, reading.value)
    advice = "pipe.frozen" if state.below_zero else "pipe.cold"
    return Evidence(facts, state.since_ms, (witness,), advice)
