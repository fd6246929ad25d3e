"""Electricity left on after hours (DOMAIN.md 4, after-hours waste)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.electricity.words import WASTE_A_DAY
from rules.level import Level
from rules.night import kind_of_day, midnight_ms
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams, next_look_ms
from rules.usual import Slots, median
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import COST_A_DAY

_TOTAL = {"", "total"}
#: what comes each night is a day apart
_AGAIN_MS = 36 * HOUR_MS


class LeftOnParams(RuleParams):
    """From *after_closing_min* on, more than the usual of this hour of such days × *factor* + *margin_kw*.

    The usual is the median of the last *keep_days*; what was higher by itself before is no waste either, so the limit
    is at least *record_factor* times the greatest of them. Above it for *least_hours* and *for_s* more: who stays late
    for an hour wastes nothing. What was told once while the building is closed, and comes again each night of a long
    weekend or holiday no stronger, is not told again.
    *closed_limit_kw* fixes the limit instead of learning it.
    """

    closed_limit_kw: float = Field(default=0, ge=0)
    factor: float = Field(default=1.5, ge=1)
    record_factor: float = Field(default=1.3, ge=1)
    margin_kw: float = Field(default=0.5, ge=0)
    least_hours: int = Field(default=3, ge=1, le=12)
    #: an hour so many times above the limit counts double, and one less than so many is a season's, and learned
    gross_factor: float = Field(default=2, ge=1)
    mild_factor: float = Field(default=1.3, ge=1)
    after_closing_min: float = Field(default=60, ge=0)
    learn_days: int = Field(default=5, ge=2, le=14)
    keep_days: int = Field(default=21, ge=5, le=60)
    #: so often the same hour must be high before that is the new usual, told as a higher base load
    relearn_days: int = Field(default=5, ge=2, le=30)
    for_s: float = Field(default=1800, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)


class Told(msgspec.Struct, array_like=True):
    """What was alerted about since the building closed at *closed_ms*, at most *power_kw*, on until *last_ms*."""

    closed_ms: int
    power_kw: float
    last_ms: int


class LeftOnMemory(msgspec.Struct):
    """The hour under way, the usual hours, and those that were too high, waiting to become usual."""

    slots: Slots = msgspec.field(default_factory=Slots)
    waiting: Slots = msgspec.field(default_factory=Slots)
    hour_ms: int = 0
    slot: str = ""
    limit_kw: float | None = None
    total_kw: float = 0.0
    count: int = 0
    high_hours: int = 0
    looked_ms: int = 0
    since_ms: int = 0
    told: Told | None = None


_LEFT_ON_ADVICE = Advice(
    "electricity.left_on",
    _("请值班人员到现场看空调、照明、电热设备是否未关;属于必须常开的设备,请在规则里调高下班后限值。"),
)


class LeftOn(ReadingRule[LeftOnParams, LeftOnMemory]):
    """``electricity.left_on``: somebody went home and left it running."""

    name: ClassVar[str] = "electricity.left_on"
    title = _("{place}「{device}」下班后未关电")
    advice = (_LEFT_ON_ADVICE,)
    lines = (
        Fact("power_kw", _("功率 {value:.2f} kW")),
        Fact("limit_kw", _("下班后限值 {value:.2f} kW"), Ending.KEPT),
        WASTE_A_DAY,
        COST_A_DAY,
    )
    Params = LeftOnParams
    Memory = LeftOnMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The power of an electricity meter, kW."""
        return (Input(device.id, Quantity.ACTIVE_POWER),) if device.kind is Kind.ELECTRICITY_METER else ()

    def on_reading(
        self, state: LeftOnMemory, reading: Reading, context: Context[LeftOnParams]
    ) -> Verdict | None:
        """Judges closed hours only; unknown where nobody knows the hours, or while the building is used with an alert open."""
        params = context.params
        if reading.series.channel not in _TOTAL:
            return None
        state.looked_ms = reading.time_ms
        building, hours = context.device.place.building, context.campus.hours
        opening = hours.opening(building, reading.time_ms)
        if opening is Opening.UNKNOWN:
            return UNKNOWN
        if opening is Opening.OPEN:  # whether it is still on, nobody can tell while the building is used
            state.slot, state.count, state.high_hours = "", 0, 0
            return UNKNOWN if state.since_ms else OK
        if params.closed_limit_kw == 0:
            self._keep_hours(state, reading, context)
        closed_ms = hours.changed_ms(building, reading.time_ms)
        if reading.time_ms - closed_ms < params.after_closing_min * MINUTE_MS:
            return None
        limit_kw = params.closed_limit_kw or state.limit_kw
        if limit_kw is None:
            return UNKNOWN
        return self._judge(state, reading, limit_kw, closed_ms, context)

    def quiet(self, state: LeftOnMemory, series: Series, context: Context[LeftOnParams]) -> Quiet | None:
        """Up to the limit of this hour, until the hour ends or ten minutes have passed."""
        if series.channel not in _TOTAL:
            return Quiet(-math.inf, math.inf, ALWAYS_MS)
        limit_kw = context.params.closed_limit_kw or state.limit_kw or math.inf
        hour_end_ms = state.hour_ms + HOUR_MS if state.hour_ms else ALWAYS_MS
        until_ms = min(next_look_ms(state.looked_ms), max(hour_end_ms, state.looked_ms + 1))
        return Quiet(-math.inf, limit_kw, until_ms)

    def _judge(
        self,
        state: LeftOnMemory,
        reading: Reading,
        limit_kw: float,
        closed_ms: int,
        context: Context[LeftOnParams],
    ) -> Verdict:
        over = reading.value > limit_kw
        if over and not state.since_ms and _is_known(state, reading, closed_ms, context.params):
            return OK
        fixed = context.params.closed_limit_kw > 0
        told = over and (fixed or state.high_hours >= context.params.least_hours)
        state.since_ms = (state.since_ms or reading.time_ms) if told else 0
        if told and reading.time_ms - state.since_ms >= context.params.for_s * SECOND_MS:
            _keep_told(state, reading, closed_ms)
        if over and not told:
            return UNKNOWN
        excess_kw = max(0.0, reading.value - limit_kw)
        facts: Facts = {"power_kw": round(reading.value, 3), "limit_kw": round(limit_kw, 3)}
        price = context.campus.site.tariffs.electricity_yuan_kwh
        if over:
            facts["waste_kwh_day"] = round(excess_kw * 24, 1)
            if price:
                facts["cost_yuan_day"] = round(excess_kw * 24 * price, 1)
        witness = Witness.of(reading)
        evidence = Evidence(facts, state.since_ms, (witness,), _LEFT_ON_ADVICE.key)
        return Verdict(Level.WARNING if over else Level.OK, evidence)

    def _keep_hours(self, state: LeftOnMemory, reading: Reading, context: Context[LeftOnParams]) -> None:
        """Adds to the hour under way; ends the one before where it is over."""
        hour_ms = reading.time_ms - reading.time_ms % HOUR_MS
        if hour_ms != state.hour_ms or not state.slot:
            if state.slot and state.count:
                _close_hour(state, context.params)
            state.hour_ms, state.total_kw, state.count = hour_ms, 0.0, 0
            local_h = (reading.time_ms - midnight_ms(reading.time_ms, context)) // HOUR_MS
            state.slot = f"{kind_of_day(reading.time_ms, context)} {local_h}"
            state.limit_kw = _limit_kw(state.slots, state.slot, context.params)
        state.total_kw += reading.value
        state.count += 1


def _keep_told(state: LeftOnMemory, reading: Reading, closed_ms: int) -> None:
    before = state.told if state.told is not None and state.told.closed_ms == closed_ms else None
    power_kw = max(reading.value, before.power_kw) if before is not None else reading.value
    state.told = Told(closed_ms, round(power_kw, 4), reading.time_ms)


def _is_known(state: LeftOnMemory, reading: Reading, closed_ms: int, params: LeftOnParams) -> bool:
    """Whether the same was on last night, and told, and nobody has opened the building since."""
    told = state.told
    if told is None or told.closed_ms != closed_ms or reading.time_ms - told.last_ms > _AGAIN_MS:
        return False
    if reading.value > params.mild_factor * told.power_kw:
        return False
    told.last_ms = reading.time_ms
    return True


def _close_hour(state: LeftOnMemory, params: LeftOnParams) -> None:
    """What was not too high is learned; what was waits, and becomes usual only when it has been so for days."""
    mean_kw = state.total_kw / state.count
    if state.limit_kw is None and state.high_hours:
        return  # waste that runs on into hours not known yet is no lesson for them
    if state.limit_kw is None or mean_kw <= state.limit_kw:
        state.slots.learn(state.slot, mean_kw, params.keep_days)
        state.waiting.values.pop(state.slot, None)
        state.high_hours = 0
        return
    state.high_hours += 2 if mean_kw > params.gross_factor * state.limit_kw else 1
    if mean_kw <= params.mild_factor * state.limit_kw:
        state.slots.learn(state.slot, mean_kw, params.keep_days)
        return
    state.waiting.learn(state.slot, mean_kw, params.relearn_days)
    if len(state.waiting.values[state.slot]) >= params.relearn_days:
        state.slots.values[state.slot] = state.waiting.values.pop(state.slot)


def _limit_kw(slots: Slots, slot: str, params: LeftOnParams) -> float | None:
    """The limit of an hour of such a day; None while too few are known."""
    values = slots.values.get(slot, ())
    if len(values) < params.learn_days:
        return None
    usual_kw = median(values) * params.factor
    return max(usual_kw, max(values) * params.record_factor) + params.margin_kw
