"""Any sensor: silence. What is not seen is not safe."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import DAY_MS, MINUTE_MS, SECOND_MS
from campus.device import Device, Kind
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.level import Level
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams
from rules.verdict import OK, Evidence, Facts, Verdict
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import SILENT

_LEARNED_FROM = 9
_KEPT_SILENCES = 12
_GATEWAY_LOOK_MS = 10 * MINUTE_MS


class SilentParams(RuleParams):
    """Silent for *factor* intervals and at least *least_s* (DOMAIN.md 1.6: 3 × the learned interval, at least 1 h).

    A device whose silences end of themselves more than once a month is given half as long again as the longest of
    them, up to *most_s*: its radio is bad, and that is not news.
    """

    factor: float = Field(default=3, ge=1)
    least_s: float = Field(default=3600, gt=0)
    most_s: float = Field(default=24 * 3600, gt=0)
    for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)


class SilentMemory(msgspec.Struct):
    """When it was last heard, its usual gaps, how long is too long (ms), and what was told."""

    last_ms: int = 0
    gaps_ms: list[int] = []
    limit_ms: int = 0
    heard: bool = False
    told: bool = False
    #: silences told of that ended of themselves: when, and how long
    silences: list[tuple[int, int]] = []
    #: so many gaps are to be learned before it need not be told of every reading
    to_learn: int = _LEARNED_FROM
    learned_ms: int = 0
    next_ms: int = 0


_SILENT_ADVICE = Advice(
    "sensor.silent", _("看设备供电和电池,再看网关与网络;没有数据期间,这里的漏水、冻管或超温都看不到。")
)


class Silent(ReadingRule[SilentParams, SilentMemory]):
    """``sensor.silent``: a device that used to speak, or never did."""

    name: ClassVar[str] = "sensor.silent"
    title = _("{place}「{device}」没有数据")
    advice = (_SILENT_ADVICE,)
    lines = (SILENT, Fact("never_heard", _("登记以来从未收到过数据"), Ending.KEPT))
    Params = SilentParams
    Memory = SilentMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """Every reading of any device; a gateway's only where it has an address of its own."""
        return () if device.kind is Kind.GATEWAY and not device.address else (Input(device.id, None),)

    def on_reading(
        self, state: SilentMemory, reading: Reading, context: Context[SilentParams]
    ) -> Verdict | None:
        """It speaks: learns its interval, and from silences that ended of themselves."""
        params = context.params
        gap_ms = reading.time_ms - state.last_ms
        if state.told and state.heard:
            state.silences = [*state.silences, (reading.time_ms, gap_ms)][-_KEPT_SILENCES:]
        elif state.heard and gap_ms > 0 and state.to_learn:
            if state.to_learn < _LEARNED_FROM:  # the first after a pause says nothing of the interval
                state.gaps_ms = [*state.gaps_ms, gap_ms][-_LEARNED_FROM:]
            state.to_learn -= 1
        state.last_ms, state.heard, state.told = max(state.last_ms, reading.time_ms), True, False
        state.limit_ms = _limit_ms(state, context.device, params)
        return OK

    def on_suspect(
        self, state: SilentMemory, reading: Reading, context: Context[SilentParams]
    ) -> Verdict | None:
        """Nonsense is no silence."""
        return self.on_reading(state, reading, context)

    def on_time(self, state: SilentMemory, context: Context[SilentParams]) -> Verdict | None:
        """A warning where it was not heard for too long, unless its gateway fell silent with it."""
        now_ms = context.now_ms
        state.next_ms = 0
        if not state.last_ms:  # the first look at a device not heard yet: its time starts now
            state.last_ms = now_ms
            state.limit_ms = _limit_ms(state, context.device, context.params)
            return None
        state.last_ms = max(state.last_ms, context.heard_ms(context.device.id))
        if state.told or now_ms - state.last_ms < state.limit_ms:
            if now_ms - state.learned_ms > DAY_MS and not context.device.interval_s:
                state.to_learn, state.learned_ms = _LEARNED_FROM, now_ms
            return None
        if _gateway_silent(state, context):  # one alert of the gateway stands for all behind it
            state.next_ms = now_ms + _GATEWAY_LOOK_MS
            return None
        state.told = True
        minutes = (now_ms - state.last_ms) / MINUTE_MS
        facts: Facts = {"silent_minutes": round(minutes), "limit_minutes": round(state.limit_ms / MINUTE_MS)}
        if not state.heard:
            facts["never_heard"] = 1
        return Verdict(Level.WARNING, Evidence(facts, state.last_ms, (), _SILENT_ADVICE.key))

    def on_blind(self, state: SilentMemory, from_ms: int, until_ms: int) -> None:
        """Nobody listened: its time starts again."""
        if state.last_ms and not state.told:
            state.last_ms = max(state.last_ms, until_ms)

    def due_ms(self, state: SilentMemory, params: SilentParams) -> int | None:
        """When its silence becomes too long; at once where it was never looked at."""
        if state.told:
            return None
        if state.next_ms:
            return state.next_ms
        return state.last_ms + state.limit_ms if state.last_ms else 0

    def quiet(self, state: SilentMemory, series: Series, context: Context[SilentParams]) -> Quiet | None:
        """Once its interval is known, the engine's own count of who was heard is enough."""
        return Quiet(-math.inf, math.inf, ALWAYS_MS) if not state.to_learn and not state.told else None


def _gateway_silent(state: SilentMemory, context: Context[SilentParams]) -> bool:
    """Whether nothing at all came through its gateway since about the time it fell silent itself."""
    gateway = context.device.gateway
    if not gateway or gateway not in context.campus.devices:
        return False
    peers = [
        one.id
        for one in context.campus.devices.values()
        if one.gateway == gateway and one.id != context.device.id
    ]
    last_ms = max((context.heard_ms(one) for one in peers), default=0)
    return len(peers) >= 1 and 0 < last_ms <= state.last_ms + state.limit_ms // 2


def _limit_ms(state: SilentMemory, device: Device, params: SilentParams) -> int:
    interval_ms = device.interval_s * SECOND_MS
    if not interval_ms and state.gaps_ms:
        interval_ms = statistics.median(state.gaps_ms)
    limit_ms = max(params.least_s * SECOND_MS, params.factor * interval_ms)
    recent = [gap for at, gap in state.silences if state.last_ms - at <= 30 * DAY_MS]
    if len(recent) > 1:
        limit_ms = max(limit_ms, min(params.most_s * SECOND_MS, 1.5 * max(recent)))
    return round(limit_ms)
