"""The cold chain: fridges, freezers and sample cabinets above their limit (DOMAIN.md 3.1 and 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.reading import Quality, Reading
from rules import rule
from rules.level import Level
from rules.rule import Context, Input, ReadingRule, RuleParams
from rules.verdict import Evidence, Facts, Verdict, Witness


class LimitParams(RuleParams):
    """Two limits with a delay each, and a dead-band.

    The delays let door openings and a defrost pass (recorded defrosts of a −20 °C freezer took 27 to 42 minutes);
    the values are DOMAIN.md 3.1's proposals and are meant to be set per cabinet.
    """

    warning_above_c: float = 8.0
    critical_above_c: float = 13.0
    for_s: float = 1800
    critical_for_s: float = Field(default=600, ge=0)
    dead_band_k: float = Field(default=1.0, ge=0)
    keep_firing_for_s: float = 600


_BY_PROFILE: dict[str, dict[str, float]] = {
    "fridge": {},
    "sample_cabinet": {},
    "freezer": {"warning_above_c": -15.0, "critical_above_c": -12.0, "for_s": 3600, "critical_for_s": 2700},
}


class LimitMemory(rule.Memory):
    rank: int = 0
    since_ms: int = 0
    peak_c: float = 0.0


class AboveLimit(ReadingRule):
    """``cold.above_limit``: too warm for too long."""

    name: ClassVar[str] = "cold.above_limit"
    Params: ClassVar[type[RuleParams]] = LimitParams
    Memory: ClassVar[type[msgspec.Struct]] = LimitMemory

    def defaults(self, device: Device) -> dict[str, float]:
        return _BY_PROFILE.get(device.profile, {})

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:  # noqa: ARG002 - the protocol's signature
        return (Input(device.id, Quantity.TEMPERATURE),) if device.kind is Kind.COLD_STORAGE else ()

    def start(self, device: Device) -> LimitMemory:  # noqa: ARG002 - the protocol's signature
        return LimitMemory()

    def delay_s(self, params: LimitParams, level: Level) -> float:
        return params.critical_for_s if level is Level.CRITICAL else params.for_s

    def on_reading(self, state: LimitMemory, reading: Reading, context: Context) -> Verdict | None:
        params: LimitParams = context.params
        if reading.series.channel == "device":
            return None
        if reading.quality is Quality.SUSPECT:
            return Verdict(Level.UNKNOWN)
        rank = _rank(reading.value, state.rank, params)
        if rank and not state.rank:
            state.since_ms, state.peak_c = reading.time_ms, reading.value
        state.rank = rank
        state.peak_c = max(state.peak_c, reading.value) if rank else 0.0
        facts: Facts = {
            "temperature_c": reading.value,
            "limit_c": params.critical_above_c if rank == 3 else params.warning_above_c,
        }
        if rank:
            facts["peak_c"] = state.peak_c
        witness = Witness(str(reading.series), reading.time_ms, reading.value)
        return Verdict(_LEVELS[rank], Evidence(facts, state.since_ms, (witness,), "cold.above_limit"))


_LEVELS = {0: Level.OK, 2: Level.WARNING, 3: Level.CRITICAL}


def _rank(value_c: float, rank: int, params: LimitParams) -> int:
    if value_c > params.critical_above_c - (params.dead_band_k if rank == 3 else 0.0):
        return 3
    return 2 if value_c > params.warning_above_c - (params.dead_band_k if rank else 0.0) else 0
