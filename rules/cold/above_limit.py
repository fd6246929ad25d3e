"""The cold chain: fridges, freezers and sample cabinets above their limit (DOMAIN.md 3.1 and 3.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.text import marked as _
from rules.cold.exposure import Exposure
from rules.cold.words import TO_CRITICAL
from rules.level import Level
from rules.physics import slope_per_hour
from rules.probe import MOST_PROBES, believed, replaces, watched
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams, next_look_ms
from rules.verdict import OK, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import LIMIT_TEMPERATURE, TEMPERATURE

#: a probe not heard for so long no longer speaks for the cabinet
_STALE_MS = 3 * HOUR_MS
_SPACING_MS = 5 * MINUTE_MS
_RECENT_MS = 20 * MINUTE_MS
_SOON_MS = 30 * MINUTE_MS
_KEPT_EXCURSIONS = 10
_ENOUGH_EXCURSIONS = 3
#: slower than this nothing is foretold
_RISING_K_H = 0.3


class AboveLimitParams(RuleParams):
    """Two limits with a delay each, and a dead-band.

    The delays let door openings and a defrost pass: recorded defrosts of a −20 °C freezer lasted 27 to 42 minutes
    above −10 °C, longer than the 20 minutes DOMAIN.md 3.2 proposes. The limits are DOMAIN.md 3.1's proposals
    (8 °C for cooled food; 5 K above it critical) and are meant to be set per cabinet.
    """

    warning_above_c: float = 8.0
    critical_above_c: float = 13.0
    for_s: float = Field(default=1800, ge=0)
    critical_for_s: float = Field(default=600, ge=0)
    dead_band_k: float = Field(default=1.0, ge=0)
    #: a value on its way down again is waited for so much longer; with what was learned of defrosts never more than this
    recovery_s: float = Field(default=1800, ge=0)
    most_patience_s: float = Field(default=2700, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)

    def contradiction(self) -> tuple[str, str] | None:
        """A critical limit lies at or above the warning's."""
        if self.critical_above_c < self.warning_above_c:
            return "critical_above_c", f"at least warning_above_c ({self.warning_above_c:g} °C)"
        return None


#: a freezer: food is frozen below −12 °C (DOMAIN.md 3.1), warned of 3 K before
_BY_PROFILE: dict[str, dict[str, float]] = {
    "freezer": {"warning_above_c": -15.0, "critical_above_c": -12.0, "for_s": 3600, "critical_for_s": 2700},
}


class Cabinet(msgspec.Struct):
    """One probe's view of the cabinet: the level it is at, since when, how warm it got, and its last word."""

    rank: int = 0
    since_ms: int = 0
    peak_c: float = 0.0
    last_c: float | None = None
    last_ms: int = 0
    #: the last hour, for where it is going
    points: list[tuple[int, float]] = []
    #: on its way down again fast enough to be below the warning limit soon
    recovers: bool = False
    #: the record of the excursion under way, or of the last
    exposure: Exposure | None = None
    #: how long the last excursions above the limit lasted that ended by themselves, in seconds
    excursions_s: list[int] = []


class AboveLimitMemory(msgspec.Struct):
    """The probes of one cabinet, by channel."""

    probes: dict[str, Cabinet] = {}


_ABOVE_LIMIT_ADVICE = Advice(
    "cold.above_limit",
    _("先看门是否关严,再听压缩机、看插头和跳闸;转移食品前测中心温度,超限时间要记录,不能确定的食品不要使用。"),
)


class AboveLimit(ReadingRule[AboveLimitParams, AboveLimitMemory]):
    """``cold.above_limit``: too warm for too long. Of several probes the warmest counts."""

    name: ClassVar[str] = "cold.above_limit"
    title = _("{place}「{device}」温度过高")
    advice = (_ABOVE_LIMIT_ADVICE,)
    lines = (
        TEMPERATURE,
        TO_CRITICAL,
        Fact("peak_c", _("最高 {value:.1f} °C"), Ending.KEPT),
        Fact("minutes_above", _("超过限值共 {value:.0f} 分钟"), Ending.KEPT),
        Fact("unknown_minutes", _("另有 {value:.0f} 分钟没有读数"), Ending.KEPT),
        Fact("degree_minutes", _("超温积累 {value:.0f} °C·分钟"), Ending.KEPT),
        Fact("mean_kinetic_c", _("超温期间平均动力学温度 {value:.1f} °C(只作记录)"), Ending.KEPT),
        LIMIT_TEMPERATURE,
    )
    Params = AboveLimitParams
    Memory = AboveLimitMemory

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """A freezer has limits below zero, and longer delays for its defrosts."""
        return _BY_PROFILE.get(device.profile, {})

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The temperatures of a cold storage, °C."""
        return (Input(device.id, Quantity.TEMPERATURE),) if device.kind is Kind.COLD_STORAGE else ()

    def delay_s(self, params: AboveLimitParams, level: Level, state: AboveLimitMemory) -> float:
        """Longer than the cabinet's own defrosts, and while it is being pulled down again; never by more than an hour."""
        delay_s = params.critical_for_s if level is Level.CRITICAL else params.for_s
        usual_s = max((_usual_s(one) for one in state.probes.values()), default=0.0)
        longer_s = max(delay_s, usual_s)
        if any(one.recovers for one in state.probes.values()):
            longer_s += params.recovery_s
        return min(longer_s, delay_s + params.most_patience_s)

    def on_reading(
        self, state: AboveLimitMemory, reading: Reading, context: Context[AboveLimitParams]
    ) -> Verdict | None:
        """Takes one probe's value and judges by the warmest that still speaks; unknown for a sentinel."""
        channel = watched(reading, state.probes)
        if channel is None:
            return None
        one = state.probes.get(channel)
        if one is None:
            if len(state.probes) >= MOST_PROBES:
                return None
            one = state.probes[channel] = Cabinet()
            state.probes.pop(str(replaces(channel)), None)
        suspect = reading.quality is Quality.SUSPECT
        if not believed(
            reading.value, reading.time_ms, suspect=suspect, last_c=one.last_c, last_ms=one.last_ms
        ):
            return Verdict(Level.UNKNOWN)
        told = one.rank > 0 and reading.time_ms - one.since_ms >= SECOND_MS * self.delay_s(
            context.params, _LEVELS[one.rank], state
        )
        _take(one, reading, context.params, one.rank if told else 0)
        return _verdict(state, reading, context.params)

    def on_suspect(
        self, state: AboveLimitMemory, reading: Reading, context: Context[AboveLimitParams]
    ) -> Verdict | None:
        """As any other: a doubtful value may be believed next to what was read before."""
        return self.on_reading(state, reading, context)

    def quiet(
        self, state: AboveLimitMemory, series: Series, context: Context[AboveLimitParams]
    ) -> Quiet | None:
        """Up to the warning limit, with a look every ten minutes for the curve; nothing while a probe is above."""
        for probe in state.probes.values():
            if probe.rank:
                return None
        one = state.probes.get(series.channel)
        if one is None:  # a box's own temperature, which never counts
            return Quiet(-math.inf, math.inf, ALWAYS_MS) if series.channel in {"device", ""} else None
        return Quiet(-math.inf, context.params.warning_above_c, next_look_ms(one.last_ms))


_LEVELS = {0: Level.OK, 2: Level.WARNING, 3: Level.CRITICAL}


def _take(one: Cabinet, reading: Reading, params: AboveLimitParams, held: int) -> None:
    """Takes a value; *held* is the level it was long enough at to be told of: only that has a dead-band."""
    rank = _rank(reading.value, held, params)
    if rank and not one.rank:
        one.since_ms, one.peak_c = reading.time_ms, reading.value
        one.exposure = Exposure(params.warning_above_c)
    if one.exposure is not None and (rank or one.rank):
        one.exposure.add(reading.time_ms, reading.value)
    if one.rank and not rank:
        lasted_s = (reading.time_ms - one.since_ms) // SECOND_MS
        one.excursions_s = [*one.excursions_s, lasted_s][-_KEPT_EXCURSIONS:]
    one.rank, one.last_c, one.last_ms = rank, reading.value, reading.time_ms
    if rank:
        one.peak_c = max(one.peak_c, reading.value)
    if not one.points or reading.time_ms - one.points[-1][0] >= _SPACING_MS:
        while one.points and reading.time_ms - one.points[0][0] > HOUR_MS:
            del one.points[0]
        one.points.append((reading.time_ms, reading.value))
    one.recovers = rank > 0 and _recovers(one, reading, params)


def _recovers(one: Cabinet, reading: Reading, params: AboveLimitParams) -> bool:
    """Whether it falls so fast from its peak that it will be below the warning limit within half an hour."""
    recent = [point for point in one.points if reading.time_ms - point[0] <= _RECENT_MS]
    if len(recent) < 2 or one.peak_c - reading.value < 0.4 * params.dead_band_k:
        return False
    (from_ms, from_c), fell_ms = recent[0], reading.time_ms - recent[0][0]
    if fell_ms <= 0 or from_ms < one.since_ms - _RECENT_MS:
        return False
    fall_k_ms = (from_c - reading.value) / fell_ms
    return fall_k_ms > 0 and (reading.value - params.warning_above_c) <= fall_k_ms * _SOON_MS


def _usual_s(one: Cabinet) -> float:
    """How long its excursions usually last, with a fifth more; 0 before there were three."""
    if len(one.excursions_s) < _ENOUGH_EXCURSIONS:
        return 0.0
    return 1.2 * sorted(one.excursions_s)[-2]


def _rank(value_c: float, rank: int, params: AboveLimitParams) -> int:
    """3, 2 or 0; a level once reached holds until the value is the dead-band below its limit."""
    if value_c > params.critical_above_c - (params.dead_band_k if rank == 3 else 0.0):
        return 3
    return 2 if value_c > params.warning_above_c - (params.dead_band_k if rank else 0.0) else 0


def _record(exposure: Exposure, *, over: bool) -> Facts:
    """The exposure log. The mean kinetic temperature is for the record of what is *over*, and judges nothing."""
    facts: Facts = {
        "minutes_above": round(exposure.minutes_above),
        "degree_minutes": round(exposure.degree_minutes),
    }
    if exposure.unknown_ms:
        facts["unknown_minutes"] = round(exposure.unknown_ms / MINUTE_MS)
    if over and exposure.mean_kinetic_c is not None:
        facts["mean_kinetic_c"] = round(exposure.mean_kinetic_c, 1)
    return facts


def _verdict(state: AboveLimitMemory, reading: Reading, params: AboveLimitParams) -> Verdict:
    """The worst of the probes that still speak; where only silent ones were warm, nobody knows."""
    probes = list(state.probes.values())
    if len(probes) == 1:  # as with nearly all cabinets
        one = probes[0]
    else:
        fresh = [one for one in probes if reading.time_ms - one.last_ms <= _STALE_MS]
        one = max(fresh, key=lambda probe: (probe.rank, probe.last_ms))
        if not one.rank and any(probe.rank for probe in probes):
            return Verdict(Level.UNKNOWN)
    if not one.rank and not one.since_ms:
        return OK
    facts: Facts = {
        "temperature_c": one.last_c if one.last_c is not None else reading.value,
        "limit_c": params.critical_above_c if one.rank == 3 else params.warning_above_c,
        "peak_c": one.peak_c,
    }
    if one.exposure is not None and one.exposure.above_ms:
        facts |= _record(one.exposure, over=not one.rank)
    if one.rank == 2 and one.last_c is not None:
        rising_k_h = slope_per_hour(one.points) or 0.0
        if rising_k_h > _RISING_K_H:
            facts["minutes_to_critical"] = round((params.critical_above_c - one.last_c) / rising_k_h * 60)
            facts["critical_c"] = params.critical_above_c
    witness = Witness.of(reading)
    return Verdict(_LEVELS[one.rank], Evidence(facts, one.since_ms, (witness,), _ABOVE_LIMIT_ADVICE.key))
