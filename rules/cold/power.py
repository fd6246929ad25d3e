"""A cabinet's plug meter, its second probe, and its probe's calibration."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, from_ms
from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams, next_look_ms
from rules.usual import median
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import TEMPERATURE


class PowerParams(RuleParams):
    """No voltage, or less than *idle_w* for *factor* times the longest pause of its compressor, at least *least_min*.

    Before a day of pauses is known, *unlearned_min*: a compressor of 40 % duty starts once or twice an hour.
    """

    idle_w: float = Field(default=5, ge=0)
    dead_v: float = Field(default=20, ge=0)
    least_min: float = Field(default=30, gt=0)
    unlearned_min: float = Field(default=120, gt=0)
    factor: float = Field(default=2, ge=1)
    for_s: float = Field(default=120, ge=0)
    keep_firing_for_s: float = Field(default=120, ge=0)


class PowerMemory(msgspec.Struct):
    """Since when it draws nothing, and how long its pauses were."""

    idle_ms: int = 0
    first_ms: int = 0
    heard_ms: int = 0
    pauses_ms: list[int] = []
    power_w: float = 0.0
    cabinet_c: float | None = None
    dead: bool = False


_POWER_LOST_ADVICE = Advice(
    "cold.power_lost", _("看插头、跳闸和漏保;十分钟内恢复不了就别开柜门,并准备转移食品。")
)


class PowerLost(ReadingRule[PowerParams, PowerMemory]):
    """``cold.power_lost``: the cabinet draws no power: unplugged, tripped, or its compressor does not start."""

    name: ClassVar[str] = "cold.power_lost"
    title = _("{place}「{device}」断电或不启动")
    advice = (_POWER_LOST_ADVICE,)
    lines = (
        TEMPERATURE,
        Fact("power_w", _("功率 {value:.0f} W")),
        Fact("idle_minutes", _("已停 {value:.0f} 分钟")),
    )
    Params = PowerParams
    Memory = PowerMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """Power (kW) and voltage (V) of its plug meter, and its own temperature for the evidence; nothing without a plug."""
        plug = plug_of(device, campus)
        if plug is None:
            return ()
        return (
            Input(plug.id, Quantity.ACTIVE_POWER),
            Input(plug.id, Quantity.VOLTAGE),
            Input(device.id, Quantity.TEMPERATURE),
        )

    def on_reading(
        self, state: PowerMemory, reading: Reading, context: Context[PowerParams]
    ) -> Verdict | None:
        """Counts how long the plug draws next to nothing; a dead voltage says so at once."""
        params = context.params
        quantity = reading.series.quantity
        if quantity is Quantity.TEMPERATURE:
            state.cabinet_c = reading.value
            return None
        if quantity is Quantity.VOLTAGE:
            state.dead = reading.value <= params.dead_v
            return self._word(state, reading) if state.dead else None
        return self._power(state, reading, params)

    def quiet(self, state: PowerMemory, series: Series, context: Context[PowerParams]) -> Quiet | None:
        """Power above the idle limit and a live voltage, with a look now and then; nothing while it draws none."""
        params = context.params
        if series.device == context.device.id:
            return Quiet(-math.inf, math.inf, next_look_ms(context.now_ms))
        if series.quantity is Quantity.VOLTAGE:
            return None if state.dead else Quiet(params.dead_v + 1, math.inf, ALWAYS_MS)
        if state.idle_ms or state.heard_ms == 0:
            return None
        return Quiet(params.idle_w / 1000 + 1e-9, math.inf, next_look_ms(state.heard_ms, 20 * MINUTE_MS))

    def _power(self, state: PowerMemory, reading: Reading, params: PowerParams) -> Verdict:
        gap_ms = reading.time_ms - state.heard_ms
        if state.idle_ms and gap_ms > HOUR_MS:
            state.idle_ms = 0  # what it drew meanwhile nobody knows
        state.first_ms = state.first_ms or reading.time_ms
        state.heard_ms, state.power_w = reading.time_ms, reading.value * 1000
        if state.power_w >= params.idle_w:
            if state.idle_ms:
                state.pauses_ms = [*state.pauses_ms, reading.time_ms - state.idle_ms][-60:]
            state.idle_ms, state.dead = 0, False
            return OK
        state.idle_ms = state.idle_ms or reading.time_ms
        known = reading.time_ms - state.first_ms >= DAY_MS and len(state.pauses_ms) >= 10
        longest_ms = sorted(state.pauses_ms)[-2] if known else 0
        limit_ms = max(params.least_min * MINUTE_MS, params.factor * longest_ms)
        if not known:
            limit_ms = params.unlearned_min * MINUTE_MS
        if state.dead or reading.time_ms - state.idle_ms >= limit_ms:
            return self._word(state, reading)
        return OK

    def _word(self, state: PowerMemory, reading: Reading) -> Verdict:
        since_ms = state.idle_ms or reading.time_ms
        facts: Facts = {
            "power_w": round(state.power_w, 1),
            "idle_minutes": round((reading.time_ms - since_ms) / MINUTE_MS),
        }
        if state.cabinet_c is not None:
            facts["temperature_c"] = state.cabinet_c
        witness = Witness.of(reading)
        return Verdict(Level.CRITICAL, Evidence(facts, since_ms, (witness,), _POWER_LOST_ADVICE.key))


def plug_of(device: Device, campus: Campus) -> Device | None:
    """The electricity meter a cabinet is plugged into: one registered under it, or the one it is registered under."""
    if device.kind is not Kind.COLD_STORAGE:
        return None
    above = campus.devices.get(device.parent)
    if above is not None and above.kind is Kind.ELECTRICITY_METER:
        return above
    return next((one for one in campus.children(device.id) if one.kind is Kind.ELECTRICITY_METER), None)


class PairParams(RuleParams):
    """Two probes of one cabinet whose daily medians part by *apart_k* more than they used to."""

    apart_k: float = Field(default=4, gt=0)
    learn_days: int = Field(default=7, ge=3, le=21)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=72 * 3600, gt=0)


class PairMemory(msgspec.Struct):
    """The day's differences, one every ten minutes, and the medians of days before."""

    air_c: float | None = None
    air_ms: int = 0
    looked_ms: int = 0
    day: int = 0
    apart_k: list[float] = []
    days_k: list[float] = []
    since_ms: int = 0


_PROBE_PAIR_ADVICE = Advice("cold.probe_pair", _("看两个探头是否还在原来的位置;位置没变的,用冰水校一下。"))


class ProbePair(ReadingRule[PairParams, PairMemory]):
    """``cold.probe_pair``: product and air probe no longer belong together: one hangs elsewhere, or drifts."""

    name: ClassVar[str] = "cold.probe_pair"
    title = _("{place}「{device}」两个探头的读数对不上了")
    advice = (_PROBE_PAIR_ADVICE,)
    lines = (
        Fact("apart_k", _("两探头相差 {value:.1f} °C")),
        Fact("usual_apart_k", _("平时相差 {value:.1f} °C"), Ending.KEPT),
    )
    Params = PairParams
    Memory = PairMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The temperatures (°C) of the product probe and of the air probe in the same cabinet; nothing without both."""
        air = _air_of(device, campus)
        if air is None:
            return ()
        return (Input(device.id, Quantity.TEMPERATURE), Input(air.id, Quantity.TEMPERATURE))

    def on_reading(self, state: PairMemory, reading: Reading, context: Context[PairParams]) -> Verdict | None:
        """Notes the difference of both, and judges a day when the next one begins."""
        if reading.quality is Quality.SUSPECT or reading.series.channel == "device":
            return None
        if reading.series.device != context.device.id:
            state.air_c, state.air_ms = reading.value, reading.time_ms
            return None
        day = reading.time_ms // DAY_MS
        verdict = self._close(state, reading, context) if day != state.day and state.apart_k else None
        if day != state.day:
            state.day, state.apart_k = day, []
        if state.air_c is not None and reading.time_ms - state.air_ms <= HOUR_MS:
            state.apart_k = [*state.apart_k, round(reading.value - state.air_c, 2)][-150:]
        state.looked_ms = reading.time_ms
        return verdict

    def quiet(self, state: PairMemory, series: Series, context: Context[PairParams]) -> Quiet | None:
        """Any value, until the next look: ten minutes at most."""
        last_ms = state.looked_ms if series.device == context.device.id else state.air_ms
        return Quiet(-math.inf, math.inf, next_look_ms(last_ms))

    def _close(self, state: PairMemory, reading: Reading, context: Context[PairParams]) -> Verdict | None:
        params = context.params
        if len(state.apart_k) < 24:
            return UNKNOWN
        apart_k = median(state.apart_k)
        if len(state.days_k) < params.learn_days:
            state.days_k = [*state.days_k, apart_k]
            return UNKNOWN
        usual_k = median(state.days_k)
        apart = abs(apart_k - usual_k) > params.apart_k
        if not apart:
            state.days_k = [*state.days_k, apart_k][-28:]
        state.since_ms = (state.since_ms or reading.time_ms - DAY_MS) if apart else 0
        facts: Facts = {"apart_k": round(apart_k, 1), "usual_apart_k": round(usual_k, 1)}
        witness = Witness.of(reading)
        level = Level.NOTICE if apart else Level.OK
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), _PROBE_PAIR_ADVICE.key))


def _air_of(device: Device, campus: Campus) -> Device | None:
    """The air probe of the cabinet a product probe lies in: registered under it or over it."""
    if device.kind is not Kind.COLD_STORAGE or device.role is not Role.PRODUCT:
        return None
    related = [campus.devices.get(device.parent), *campus.children(device.id)]
    return next(
        (
            one
            for one in related
            if one is not None and one.kind is Kind.COLD_STORAGE and one.role is Role.CABINET_AIR
        ),
        None,
    )


class CalibrationParams(RuleParams):
    """A probe is verified in ice water once a year (DOMAIN.md 3.5; GB 31605 asks for it without a figure)."""

    every_days: int = Field(default=365, ge=1)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=72 * 3600, gt=0)


class CalibrationMemory(msgspec.Struct):
    """When it is looked at next."""

    next_ms: int = 0


_CALIBRATION_DUE_ADVICE = Advice("cold.calibration_due", _("用冰水(0 °C)核对探头,偏差和日期记到登记表里。"))


class CalibrationDue(ReadingRule[CalibrationParams, CalibrationMemory]):
    """``cold.calibration_due``: where the register holds the date of the last one."""

    name: ClassVar[str] = "cold.calibration_due"
    title = _("{place}「{device}」探头该校准了")
    advice = (_CALIBRATION_DUE_ADVICE,)
    lines = (Fact("calibrated_days", _("上次校准在 {value:.0f} 天前")),)
    Params = CalibrationParams
    Memory = CalibrationMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """Its temperature, where the register has a readable date; the date is what counts."""
        if device.kind is not Kind.COLD_STORAGE or _day(device.calibration_date) is None:
            return ()
        return (Input(device.id, Quantity.TEMPERATURE),)

    def on_reading(
        self, state: CalibrationMemory, reading: Reading, context: Context[CalibrationParams]
    ) -> Verdict | None:
        """Nothing: time alone makes it due."""
        return None

    def quiet(
        self, state: CalibrationMemory, series: Series, context: Context[CalibrationParams]
    ) -> Quiet | None:
        """Any value, for ever."""
        return Quiet(-math.inf, math.inf, ALWAYS_MS)

    def on_time(self, state: CalibrationMemory, context: Context[CalibrationParams]) -> Verdict | None:
        """Once a day: a notice where more than *every_days* have passed since the date in the register."""
        state.next_ms = context.now_ms + DAY_MS
        last = _day(context.device.calibration_date)
        if last is None:
            return UNKNOWN
        today = from_ms(context.now_ms, context.campus.site.zone).date()
        days = (today - last).days
        if days <= context.params.every_days:
            return OK
        facts: Facts = {"calibrated_days": days, "limit_days": context.params.every_days}
        return Verdict(Level.NOTICE, Evidence(facts, 0, (), _CALIBRATION_DUE_ADVICE.key))

    def due_ms(self, state: CalibrationMemory, params: CalibrationParams) -> int | None:
        """A day after the last look."""
        return state.next_ms


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
