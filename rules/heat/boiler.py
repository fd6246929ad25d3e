"""Heating that fails, noticed before any pipe is cold."""

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
from campus.reading import Quality, Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.physics import hours_to_reach, slope_per_hour
from rules.rule import Context, Input, Quiet, ReadingRule, RuleParams
from rules.verdict import UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import OUTDOOR

_LOOK_MS = 10 * MINUTE_MS
_FRESH_MS = 2 * HOUR_MS
_MOST_ROOMS = 24


class HeatingParams(RuleParams):
    """Cold outside, and supply and return have fallen together, or most rooms fall: the heating has failed.

    *drop_k* below the supply of the last day, with less than *spread_k* between supply and return, or
    *room_fall_k_h* in more than half of the rooms for two hours. Only while it is colder outside than *outdoor_c*.
    """

    outdoor_c: float = 5.0
    drop_k: float = Field(default=12, gt=0)
    spread_k: float = Field(default=3, gt=0)
    room_fall_k_h: float = Field(default=0.4, gt=0)
    least_supply_c: float = 30.0
    for_s: float = Field(default=1200, ge=0)
    keep_firing_for_s: float = Field(default=1800, ge=0)


class Trace(msgspec.Struct):
    """A temperature's last two hours in steps of ten minutes."""

    points: list[tuple[int, float]] = []

    def take(self, reading: Reading, kept_ms: int) -> None:
        """Adds a value, where it is time for one."""
        if self.points and reading.time_ms - self.points[-1][0] < _LOOK_MS:
            return
        self.points.append((reading.time_ms, reading.value))
        while reading.time_ms - self.points[0][0] > kept_ms:
            del self.points[0]

    def now(self, time_ms: int) -> float | None:
        """The last value, while it is fresh."""
        if not self.points or time_ms - self.points[-1][0] > _FRESH_MS:
            return None
        return self.points[-1][1]

    def slope_k_h(self, time_ms: int) -> float | None:
        """Its slope over the last two hours; None for less than an hour and a half of it."""
        recent = [point for point in self.points if time_ms - point[0] <= _FRESH_MS]
        if not recent or recent[-1][0] - recent[0][0] < 0.75 * _FRESH_MS:
            return None
        return slope_per_hour(recent)


class HeatingMemory(msgspec.Struct):
    """Traces of supply, return, outdoors and rooms by device."""

    traces: dict[str, Trace] = {}
    since_ms: int = 0


_HEATING_FAILED_ADVICE = Advice(
    "boiler.heating_failed", _("到锅炉房看燃烧器、循环泵和补水压力;两小时内恢复不了,通知各楼防冻。")
)


class HeatingFailed(ReadingRule[HeatingParams, HeatingMemory]):
    """``boiler.heating_failed``: the subject is the supply probe; it reads return, rooms and the air outside."""

    name: ClassVar[str] = "boiler.heating_failed"
    title = _("{place}「{device}」供暖可能停了")
    advice = (_HEATING_FAILED_ADVICE,)
    lines = (
        OUTDOOR,
        Fact("supply_c", _("供水 {value:.1f} °C")),
        Fact("usual_supply_c", _("平时供水 {value:.1f} °C"), Ending.KEPT),
        Fact("return_c", _("回水 {value:.1f} °C")),
        Fact("room_c", _("最冷的房间 {value:.1f} °C")),
        Fact("rooms_cooling", _("{value:.0f} 个房间在降温")),
        Fact("hours_to_5c", _("约 {value:.0f} 小时后降到 5 °C"), Ending.DROPPED),
    )
    Params = HeatingParams
    Memory = HeatingMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """Temperatures (°C) of the supply, the return beside it, the air outside and the rooms; nothing without outdoors."""
        if device.role is not Role.HEATING_SUPPLY:
            return ()
        back, outdoor, rooms = _around(device, campus)
        others = [one for one in (back, outdoor) if one is not None]
        if outdoor is None:
            return ()
        return tuple(Input(one.id, Quantity.TEMPERATURE) for one in (device, *others, *rooms))

    def on_reading(
        self, state: HeatingMemory, reading: Reading, context: Context[HeatingParams]
    ) -> Verdict | None:
        """Keeps everybody's trace, and judges with each value of the supply."""
        if reading.quality is Quality.SUSPECT or reading.series.channel == "device":
            return None
        own = reading.series.device == context.device.id
        trace = state.traces.setdefault(reading.series.device, Trace())
        trace.take(reading, 24 * HOUR_MS if own else 2 * _FRESH_MS)
        return self._judge(state, reading, context) if own else None

    def quiet(self, state: HeatingMemory, series: Series, context: Context[HeatingParams]) -> Quiet | None:
        """Any value for ten minutes after the last kept one; nothing while it has failed."""
        trace = state.traces.get(series.device)
        if trace is None or not trace.points or state.since_ms:
            return None
        return Quiet(-math.inf, math.inf, trace.points[-1][0] + _LOOK_MS)

    def _judge(self, state: HeatingMemory, reading: Reading, context: Context[HeatingParams]) -> Verdict:
        params = context.params
        now_ms = reading.time_ms
        back, outdoor, rooms = _around(context.device, context.campus)
        outdoor_c = state.traces.get(outdoor.id, Trace()).now(now_ms) if outdoor is not None else None
        if outdoor_c is None:
            return UNKNOWN
        supply = state.traces[context.device.id]
        hot_c = sorted(value for _, value in supply.points)[int(0.75 * len(supply.points))]
        return_c = state.traces.get(back.id, Trace()).now(now_ms) if back is not None else None
        fallen = hot_c >= params.least_supply_c and reading.value <= hot_c - params.drop_k
        idle = return_c is None or reading.value - return_c < params.spread_k
        slopes = [state.traces[one.id].slope_k_h(now_ms) for one in rooms if one.id in state.traces]
        known = [one for one in slopes if one is not None]
        cooling = [one for one in known if one <= -params.room_fall_k_h]
        rooms_fall = len(known) >= 3 and 2 * len(cooling) > len(known) and reading.value < hot_c - 5
        failed = outdoor_c < params.outdoor_c and ((fallen and idle) or rooms_fall)
        state.since_ms = (state.since_ms or now_ms) if failed else 0
        facts: Facts = {
            "supply_c": round(reading.value, 1),
            "usual_supply_c": round(hot_c, 1),
            "outdoor_c": outdoor_c,
            "rooms_cooling": len(cooling),
        }
        if return_c is not None:
            facts["return_c"] = round(return_c, 1)
        if failed:
            _foretell(facts, state, rooms, now_ms, outdoor_c)
        witness = Witness(str(reading.series), now_ms, reading.value)
        level = Level.CRITICAL if failed else Level.OK
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), _HEATING_FAILED_ADVICE.key))


def _foretell(
    facts: Facts, state: HeatingMemory, rooms: Sequence[Device], now_ms: int, outdoor_c: float
) -> None:
    """Hours until the coldest room is at 5 °C, by its own cooling; without one, a building's usual two days."""
    temperatures = [state.traces[one.id].now(now_ms) for one in rooms if one.id in state.traces]
    known = [one for one in temperatures if one is not None]
    if known and outdoor_c < 5.0 < min(known):
        facts["room_c"] = round(min(known), 1)
        facts["hours_to_5c"] = round(hours_to_reach(5.0, min(known), outdoor_c, _BUILDING_TAU_H), 1)


#: time constant of a heavy building with its heating off, h (assumed: 30 to 100 h are measured for masonry)
_BUILDING_TAU_H = 48.0


def _around(supply: Device, campus: Campus) -> tuple[Device | None, Device | None, list[Device]]:
    """The return probe beside it, the air outside, and the rooms of the site's heated buildings."""
    site = [one for one in campus.devices.values() if one.place.site == supply.place.site]
    back = next(
        (
            one
            for one in site
            if one.role is Role.HEATING_RETURN and one.place.building == supply.place.building
        ),
        None,
    )
    outdoor = next((one for one in site if one.role is Role.OUTDOOR), None)
    rooms = [one for one in site if one.role is Role.ROOM and one.kind is Kind.CLIMATE]
    return back, outdoor, rooms[:_MOST_ROOMS]
