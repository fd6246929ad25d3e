"""Electricity left on after hours (DOMAIN.md 4, after-hours waste)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.device import Device, Kind
from campus.opening import Opening
from campus.quantity import Quantity
from campus.reading import Reading
from rules import rule
from rules.level import Level
from rules.rule import Context, Input, ReadingRule, RuleParams
from rules.verdict import Evidence, Facts, Verdict, Witness

_KEPT_NIGHTS = 14
_ENOUGH_NIGHTS = 5


class LeftOnParams(RuleParams):
    """An hour after closing, power above the closed baseline × *factor* + *margin_kw* for 30 minutes.

    *closed_limit_kw* fixes the limit instead of learning it; the baseline is the median of the quietest half hours of
    at least five closed nights.
    """

    closed_limit_kw: float = Field(default=0, ge=0)
    factor: float = Field(default=1.5, ge=1)
    margin_kw: float = Field(default=0.5, ge=0)
    after_closing_min: float = Field(default=60, ge=0)
    for_s: float = 1800
    keep_firing_for_s: float = 600


class LeftOnMemory(rule.Memory):
    nights_kw: list[float] = msgspec.field(default_factory=list)
    night_ms: int = 0
    quietest_kw: float | None = None
    slot_ms: int = 0
    slot_sum_kw: float = 0.0
    slot_n: int = 0
    since_ms: int = 0


class LeftOn(ReadingRule):
    """``electricity.left_on``: somebody went home and left it running."""

    name: ClassVar[str] = "electricity.left_on"
    Params: ClassVar[type[RuleParams]] = LeftOnParams
    Memory: ClassVar[type[msgspec.Struct]] = LeftOnMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:  # noqa: ARG002 - the protocol's signature
        return (Input(device.id, Quantity.ACTIVE_POWER),) if device.kind is Kind.ELECTRICITY_METER else ()

    def start(self, device: Device) -> LeftOnMemory:  # noqa: ARG002 - the protocol's signature
        return LeftOnMemory()

    def on_reading(self, state: LeftOnMemory, reading: Reading, context: Context) -> Verdict | None:
        params: LeftOnParams = context.params
        if reading.series.channel not in {"", "total"}:
            return None
        building, hours = context.device.place.building, context.campus.hours
        opening = hours.opening(building, reading.time_ms)
        if opening is Opening.UNKNOWN:
            return Verdict(Level.UNKNOWN)
        if opening is Opening.OPEN:
            _end_night(state)
            return Verdict(Level.OK)
        closed_ms = hours.changed_ms(building, reading.time_ms)
        if reading.time_ms - closed_ms < params.after_closing_min * MINUTE_MS:
            return None
        limit_kw = _limit_kw(state, params)
        if limit_kw is None or reading.value <= limit_kw:
            _learn(state, reading, closed_ms)
        if limit_kw is None:
            return Verdict(Level.UNKNOWN)
        return self._judge(state, reading, limit_kw, context)

    def _judge(self, state: LeftOnMemory, reading: Reading, limit_kw: float, context: Context) -> Verdict:
        over = reading.value > limit_kw
        if over and not state.since_ms:
            state.since_ms = reading.time_ms
        if not over:
            state.since_ms = 0
        excess_kw = max(0.0, reading.value - limit_kw)
        facts: Facts = {"power_kw": round(reading.value, 3), "limit_kw": round(limit_kw, 3)}
        price = context.campus.site.tariffs.electricity_yuan_kwh
        if over:
            facts["waste_kwh_day"] = round(excess_kw * 24, 1)
            if price:
                facts["cost_yuan_day"] = round(excess_kw * 24 * price, 1)
        witness = Witness(str(reading.series), reading.time_ms, reading.value)
        evidence = Evidence(facts, state.since_ms, (witness,), "electricity.left_on")
        return Verdict(Level.WARNING if over else Level.OK, evidence)


def _limit_kw(state: LeftOnMemory, params: LeftOnParams) -> float | None:
    """The fixed limit, else the learned one; None while too few nights are known."""
    if params.closed_limit_kw:
        return params.closed_limit_kw
    if len(state.nights_kw) < _ENOUGH_NIGHTS:
        return None
    return statistics.median(state.nights_kw) * params.factor + params.margin_kw


def _learn(state: LeftOnMemory, reading: Reading, closed_ms: int) -> None:
    """Keeps the quietest half hour of each closed period, a day at the most."""
    if reading.time_ms - max(state.night_ms, closed_ms) > DAY_MS:
        _end_night(state)
    if not state.night_ms:
        state.night_ms = reading.time_ms
    slot_ms = reading.time_ms // (HOUR_MS // 2)
    if slot_ms != state.slot_ms:
        if state.slot_n:
            mean_kw = state.slot_sum_kw / state.slot_n
            state.quietest_kw = mean_kw if state.quietest_kw is None else min(state.quietest_kw, mean_kw)
        state.slot_ms, state.slot_sum_kw, state.slot_n = slot_ms, 0.0, 0
    state.slot_sum_kw += reading.value
    state.slot_n += 1


def _end_night(state: LeftOnMemory) -> None:
    if state.quietest_kw is not None:
        state.nights_kw = [*state.nights_kw, round(state.quietest_kw, 4)][-_KEPT_NIGHTS:]
    state.night_ms, state.quietest_kw = 0, None
    state.slot_ms, state.slot_sum_kw, state.slot_n = 0, 0.0, 0
    state.since_ms = 0
