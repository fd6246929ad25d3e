"""Any sensor: silence. What is not seen is not safe."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import MINUTE_MS, SECOND_MS
from campus.device import Device, Kind
from campus.reading import Reading
from rules import rule
from rules.level import Level
from rules.rule import Context, Input, ReadingRule, RuleParams
from rules.verdict import Evidence, Facts, Verdict

_LEARNED_FROM = 9


class SilentParams(RuleParams):
    """Silent for *factor* intervals and at least *least_s* (DOMAIN.md 1.6: 3 × the learned interval, at least 1 h)."""

    factor: float = Field(default=3, ge=1)
    least_s: float = Field(default=3600, gt=0)
    for_s: float = 0
    keep_firing_for_s: float = 0


class SilentMemory(rule.Memory):
    last_ms: int = 0
    gaps_ms: list[int] = msgspec.field(default_factory=list)
    limit_ms: int = 0
    heard: bool = False
    told: bool = False


class Silent(ReadingRule):
    """``sensor.silent``: a device that used to speak, or never did."""

    name: ClassVar[str] = "sensor.silent"
    Params: ClassVar[type[RuleParams]] = SilentParams
    Memory: ClassVar[type[msgspec.Struct]] = SilentMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:  # noqa: ARG002 - the protocol's signature
        return () if device.kind is Kind.GATEWAY and not device.address else (Input(device.id, None),)

    def start(self, device: Device) -> SilentMemory:  # noqa: ARG002 - the protocol's signature
        return SilentMemory()

    def on_reading(self, state: SilentMemory, reading: Reading, context: Context) -> Verdict | None:
        params: SilentParams = context.params
        gap_ms = reading.time_ms - state.last_ms
        if state.heard and gap_ms > 0 and not state.told:
            state.gaps_ms = [*state.gaps_ms, gap_ms][-_LEARNED_FROM:]
        state.last_ms, state.heard, state.told = max(state.last_ms, reading.time_ms), True, False
        state.limit_ms = _limit_ms(state, context.device, params)
        return Verdict(Level.OK)

    def on_time(self, state: SilentMemory, context: Context) -> Verdict | None:
        if not state.last_ms:  # the first look at a device not heard yet: its time starts now
            state.last_ms = context.now_ms
            state.limit_ms = _limit_ms(state, context.device, context.params)
            return None
        if state.told or context.now_ms - state.last_ms < state.limit_ms:
            return None
        state.told = True
        minutes = (context.now_ms - state.last_ms) / MINUTE_MS
        facts: Facts = {"silent_minutes": round(minutes), "limit_minutes": round(state.limit_ms / MINUTE_MS)}
        if not state.heard:
            facts["never_heard"] = 1
        return Verdict(Level.WARNING, Evidence(facts, state.last_ms, (), "sensor.silent"))

    def due_ms(self, state: SilentMemory, params: Any) -> int | None:  # noqa: ARG002 - the protocol's signature
        if state.told:
            return None
        return state.last_ms + state.limit_ms if state.last_ms else 0


def _limit_ms(state: SilentMemory, device: Device, params: SilentParams) -> int:
    interval_ms = device.interval_s * SECOND_MS
    if not interval_ms and state.gaps_ms:
        interval_ms = statistics.median(state.gaps_ms)
    return round(max(params.least_s * SECOND_MS, params.factor * interval_ms))
