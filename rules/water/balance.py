"""A parent meter against its children: what passes the one and none of the others is lost between them (DOMAIN.md 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS
from campus.device import Device, Kind
from campus.meter.register import Register
from campus.meter.step import Reason
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.metering import MeterParams, loss_word, step_m3, usage_of
from rules.night import window
from rules.rule import Context, Input, Quiet, ReadingRule
from rules.usual import median, spread
from rules.verdict import UNKNOWN, Facts, Verdict
from rules.water.words import RESOLUTION, USUAL_FLOW
from rules.words.fact import Fact
from rules.words.shared import COST_A_DAY, LEAK, LIMIT_FLOW, LOSS_A_DAY

_MOST_CHILDREN = 40
#: a meter that did not report within so much of a window's edge has no value there
_EDGE_MS = 90 * MINUTE_MS


class BalanceParams(MeterParams):
    """The night's loss beyond the meters' own errors (*meter_error* of what passes each), on two of three nights.

    What no child measures by day and night is learned as the zone's usual loss, and only more than that is told.
    """

    from_h: float = Field(default=0, ge=0, lt=24)
    to_h: float = Field(default=5, gt=0, le=12)
    meter_error: float = Field(default=0.02, ge=0, le=0.2)
    least_loss_m3h: float = Field(default=0.06, gt=0)
    learn_nights: int = Field(default=7, ge=3, le=28)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)
    max_gap_s: float = Field(default=48 * 3600, gt=0)


class Meter(msgspec.Struct):
    """One meter's unrolled volume, and its values at both ends of the night under way."""

    register: Register = msgspec.field(default_factory=Register)
    volume_m3: float = 0.0
    at_start_m3: float | None = None
    at_end_m3: float | None = None


class BalanceMemory(msgspec.Struct):
    """The meters, the night under way, and the losses of nights that were normal."""

    meters: dict[str, Meter] = {}
    start_ms: int = 0
    end_ms: int = 0
    losses_m3h: list[float] = []
    bad: list[bool] = []
    since_ms: int = 0


class Balance(ReadingRule[BalanceParams, BalanceMemory]):
    """``water.balance``: the zone between a meter and its sub-meters leaks."""

    name: ClassVar[str] = "water.balance"
    title = _("{place}「{device}」与下级水表对不上,这一段疑似漏水")
    advice = (LEAK,)
    lines = (
        LIMIT_FLOW,
        USUAL_FLOW,
        Fact("parent_m3h", _("总表 {value:.2f} m³/h")),
        Fact("children_m3h", _("各分表合计 {value:.2f} m³/h")),
        Fact("unaccounted_m3h", _("去向不明 {value:.2f} m³/h")),
        RESOLUTION,
        LOSS_A_DAY,
        COST_A_DAY,
    )
    Params = BalanceParams
    Memory = BalanceMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The volumes of a meter and its sub-meters, m³; two to forty of these."""
        if device.kind is not Kind.WATER_METER:
            return ()
        children = _children(device, campus)
        if not 2 <= len(children) <= _MOST_CHILDREN:
            return ()
        return tuple(Input(one.id, Quantity.WATER_VOLUME) for one in (device, *children))

    def on_reading(
        self, state: BalanceMemory, reading: Reading, context: Context[BalanceParams]
    ) -> Verdict | None:
        """Moves a meter on, and judges the night once all have passed its end."""
        if reading.series.channel:
            return None
        params = context.params
        start_ms, end_ms = window(reading.time_ms, params.from_h, params.to_h, context)
        if start_ms != state.start_ms:
            state.start_ms, state.end_ms = start_ms, end_ms
            for one in state.meters.values():
                one.at_start_m3 = one.at_end_m3 = None
        meter = state.meters.setdefault(reading.series.device, Meter())
        self._advance(meter, state, reading, context)
        devices = (context.device, *_children(context.device, context.campus))
        if all(one.id in state.meters and state.meters[one.id].at_end_m3 is not None for one in devices):
            return self._judge(state, reading, devices, context)
        return None

    def quiet(self, state: BalanceMemory, series: Series, context: Context[BalanceParams]) -> Quiet | None:
        """Only the readings about the ends of the night matter, and one an hour for the register's own sake."""
        meter = state.meters.get(series.device)
        if meter is None or series.channel or meter.register.value is None:
            return None
        last_ms, value = meter.register.time_ms, meter.register.value
        edges = [
            edge for edge in (state.start_ms, state.end_ms, state.start_ms + 24 * HOUR_MS) if edge > last_ms
        ]
        until_ms = min([last_ms + HOUR_MS, *(edge - 15 * MINUTE_MS for edge in edges)])
        return Quiet(value, value + 50, until_ms) if until_ms > last_ms else None

    def _advance(
        self, meter: Meter, state: BalanceMemory, reading: Reading, context: Context[BalanceParams]
    ) -> None:
        """Moves a meter on; where its reading passes an end of the window, its volume there is interpolated."""
        before_ms, before_m3 = meter.register.time_ms, meter.volume_m3
        device = context.campus.devices.get(reading.series.device, context.device)
        usage = usage_of(meter.register, reading, device, context.params.most_m3h)
        if not usage.told:
            return
        meter.volume_m3 += usage.volume
        if (
            usage.until_ms == usage.since_ms
            or not (usage.flows or usage.reason is Reason.GAP)
            or reading.time_ms - before_ms > 2 * _EDGE_MS
        ):
            meter.at_start_m3 = meter.at_end_m3 = None
            return
        share_m3 = usage.volume / (reading.time_ms - before_ms)
        if before_ms <= state.start_ms <= reading.time_ms:
            meter.at_start_m3 = before_m3 + share_m3 * (state.start_ms - before_ms)
        if before_ms <= state.end_ms <= reading.time_ms and meter.at_start_m3 is not None:
            meter.at_end_m3 = before_m3 + share_m3 * (state.end_ms - before_ms)

    def _judge(
        self,
        state: BalanceMemory,
        reading: Reading,
        devices: Sequence[Device],
        context: Context[BalanceParams],
    ) -> Verdict:
        params = context.params
        hours = (state.end_ms - state.start_ms) / HOUR_MS
        flows = {one.id: _passed(state.meters[one.id]) / hours for one in devices}
        for one in state.meters.values():
            one.at_end_m3 = None  # judged
        parent_m3h = flows.pop(context.device.id)
        children_m3h = sum(flows.values())
        loss_m3h = parent_m3h - children_m3h
        error_m3h = 2 * params.meter_error * (parent_m3h + children_m3h) / 2
        resolution_m3h = 2 * sum(step_m3(one) for one in devices) / hours
        if len(state.losses_m3h) < params.learn_nights:
            state.losses_m3h.append(round(loss_m3h, 4))
            return UNKNOWN
        usual_m3h = max(0.0, median(state.losses_m3h))
        margin_m3h = max(params.least_loss_m3h, error_m3h, resolution_m3h, 3 * spread(state.losses_m3h))
        bad = loss_m3h > usual_m3h + margin_m3h
        state.bad = [*state.bad, bad][-3:]
        if bad:
            state.since_ms = state.since_ms or state.start_ms
        else:
            state.losses_m3h = [*state.losses_m3h, round(loss_m3h, 4)][-28:]
        facts: Facts = {
            "parent_m3h": round(parent_m3h, 3),
            "children_m3h": round(children_m3h, 3),
            "unaccounted_m3h": round(loss_m3h, 3),
            "usual_flow_m3h": round(usual_m3h, 3),
            "limit_m3h": round(usual_m3h + margin_m3h, 3),
            "resolution_m3h": round(resolution_m3h, 4),
        }
        level = Level.UNKNOWN
        if bad and sum(state.bad) >= 2:
            level = Level.WARNING
        elif not any(state.bad[-2:]):
            level, state.since_ms = Level.OK, 0
        return loss_word(level, facts, state.since_ms, reading, context, max(0.0, loss_m3h - usual_m3h))


def _children(device: Device, campus: Campus) -> tuple[Device, ...]:
    return tuple(one for one in campus.children(device.id) if one.kind is Kind.WATER_METER)


def _passed(meter: Meter) -> float:
    return (meter.at_end_m3 or 0.0) - (meter.at_start_m3 or 0.0)
