"""Between sensor and service: a gateway that is down, and a clock that is wrong."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from campus.device import Device, Kind
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.rule import Context, Input, Quiet, ReadingRule, RuleParams, next_look_ms
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Fact
from rules.words.shared import SILENT

_LOOK_MS = 5 * MINUTE_MS


class GatewayParams(RuleParams):
    """Nothing from any of its devices for *factor* of the shortest interval among them, at least *least_s*."""

    factor: float = Field(default=5, ge=1)
    least_s: float = Field(default=900, gt=0)
    unknown_interval_s: float = Field(default=900, gt=0)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)


class GatewayMemory(msgspec.Struct):
    """When it is looked at next, since when it counts, and whether it was told."""

    next_ms: int = 0
    floor_ms: int = 0
    down: bool = False


_GATEWAY_DOWN_ADVICE = Advice(
    "sensor.gateway_down", _("看网关的电源和网线,重新上电;恢复前它下面的设备都看不到。")
)


class GatewayDown(ReadingRule[GatewayParams, GatewayMemory]):
    """``sensor.gateway_down``: all devices of a gateway fell silent together. It stands for their own silence."""

    name: ClassVar[str] = "sensor.gateway_down"
    title = _("{place}网关「{device}」断线")
    advice = (_GATEWAY_DOWN_ADVICE,)
    lines = (SILENT, Fact("devices", _("影响 {value:.0f} 个设备")))
    Params = GatewayParams
    Memory = GatewayMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """No readings of its own: it looks when each of its devices was heard."""
        if device.kind is not Kind.GATEWAY or len(campus.behind(device.id)) < 2:
            return ()
        return (Input(device.id, None),)

    def on_reading(
        self, state: GatewayMemory, reading: Reading, context: Context[GatewayParams]
    ) -> Verdict | None:
        """Nothing: a gateway's own words do not say that its devices are heard."""
        return None

    def on_time(self, state: GatewayMemory, context: Context[GatewayParams]) -> Verdict | None:
        """Every five minutes: a warning where none of its devices was heard for too long; unknown before any was."""
        params = context.params
        state.next_ms = context.now_ms + _LOOK_MS
        devices = context.campus.behind(context.device.id)
        heard_ms = [context.heard_ms(one.id) for one in devices]
        last_ms = max(heard_ms)
        if not last_ms:
            return UNKNOWN  # none of them ever spoke: each says so itself
        intervals_s = [one.interval_s or params.unknown_interval_s for one in devices]
        limit_ms = round(max(params.least_s, params.factor * min(intervals_s)) * SECOND_MS)
        spoken = sum(1 for one in heard_ms if one)
        if spoken < 2 or context.now_ms - max(last_ms, state.floor_ms) < limit_ms:
            state.down = False
            return OK
        state.down = True
        facts: Facts = {
            "devices": len(devices),
            "silent_minutes": round((context.now_ms - last_ms) / MINUTE_MS),
            "limit_minutes": round(limit_ms / MINUTE_MS),
        }
        return Verdict(Level.WARNING, Evidence(facts, last_ms, (), _GATEWAY_DOWN_ADVICE.key))

    def on_blind(self, state: GatewayMemory, from_ms: int, until_ms: int) -> None:
        """Silence while nobody listened is held against no gateway."""
        state.floor_ms = until_ms

    def wakes_on(self, device: Device, campus: Campus) -> Collection[str]:
        """Its devices: before one was heard, their silence says nothing of the gateway."""
        return [one.id for one in campus.behind(device.id)]

    def due_ms(self, state: GatewayMemory, params: GatewayParams) -> int | None:
        """Five minutes after the last look."""
        return state.next_ms


class ClockParams(RuleParams):
    """The device's time is off by more than *limit_s*, the same each time within *steady_s*, by *least_confirmations* readings.

    A buffer that is sent late is off, too, but by less and less: that is no wrong clock.
    """

    limit_s: float = Field(default=600, gt=0)
    steady_s: float = Field(default=180, gt=0)
    least_confirmations: int = Field(default=1, ge=1, le=20)
    words: int = Field(default=6, ge=2, le=30)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=HOUR_MS / SECOND_MS, ge=0)
    max_gap_s: float = Field(default=24 * 3600, gt=0)


class ClockMemory(msgspec.Struct):
    """How far the last readings' own times lay behind their arrival, in seconds."""

    offsets_s: list[float] = []
    received_ms: int = 0
    since_ms: int = 0


_CLOCK_ADVICE = Advice("sensor.clock", _("给设备对时,或检查它的时区设置。"))


class WrongClock(ReadingRule[ClockParams, ClockMemory]):
    """``sensor.clock``: a device that dates its readings wrongly, often by a time zone."""

    name: ClassVar[str] = "sensor.clock"
    title = _("{place}「{device}」时钟不准")
    advice = (_CLOCK_ADVICE,)
    lines = (Fact("clock_minutes", _("时钟快了 {value:.0f} 分钟(负数为慢)")),)
    accepts_late: ClassVar[bool] = True
    Params = ClockParams
    Memory = ClockMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """Every reading of any device but gateways: its times are what counts."""
        return () if device.kind is Kind.GATEWAY else (Input(device.id, None),)

    def on_reading(
        self, state: ClockMemory, reading: Reading, context: Context[ClockParams]
    ) -> Verdict | None:
        """Compares the device's time with the arrival, once a message; a notice where it is off by the same time after time."""
        params = context.params
        if reading.received_ms - state.received_ms < 10 * SECOND_MS:  # the same message, or a buffer's
            return None
        state.received_ms = reading.received_ms
        offset_s = (reading.received_ms - reading.time_ms) / SECOND_MS
        state.offsets_s = [*state.offsets_s, round(offset_s, 1)][-params.words :]
        off = [abs(one) > params.limit_s for one in state.offsets_s]
        if not off[-1]:
            state.since_ms = 0
            return OK
        steady = max(state.offsets_s) - min(state.offsets_s) <= params.steady_s
        if len(off) < params.words or not all(off) or not steady:
            return UNKNOWN
        state.since_ms = state.since_ms or reading.received_ms
        facts: Facts = {"clock_minutes": round(-offset_s / 60, 1)}
        witness = Witness.of(reading)
        return Verdict(Level.NOTICE, Evidence(facts, state.since_ms, (witness,), _CLOCK_ADVICE.key))

    def on_suspect(
        self, state: ClockMemory, reading: Reading, context: Context[ClockParams]
    ) -> Verdict | None:
        """As any other: a doubtful value may have a right time."""
        return self.on_reading(state, reading, context)

    def quiet(self, state: ClockMemory, series: Series, context: Context[ClockParams]) -> Quiet | None:
        """A clock that was right is looked at every now and then; a late reading is always seen."""
        if state.offsets_s and abs(state.offsets_s[-1]) <= context.params.limit_s:
            return Quiet(-math.inf, math.inf, next_look_ms(context.now_ms, 30 * MINUTE_MS))
        return None
