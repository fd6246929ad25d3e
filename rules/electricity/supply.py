"""The supply of a building: a phase lost or uneven, and an outage told apart from a dead network (DOMAIN.md 4)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import MINUTE_MS, SECOND_MS
from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.text import marked as _
from rules.electricity.words import CURRENT, VOLTAGE
from rules.level import Level
from rules.rule import ALWAYS_MS, Context, Input, Quiet, ReadingRule, RuleParams
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Fact
from rules.words.shared import SILENT

_PHASES = ("a", "b", "c")
_FRESH_MS = 10 * MINUTE_MS
_LOOK_MS = 2 * MINUTE_MS
_OUTAGE_LOOK_MS = 4 * MINUTE_MS


class PhaseParams(RuleParams):
    """One voltage below *lost_share* of the others is a phase lost; currents uneven by *uneven_percent* are a notice.

    Currents are compared only where the greatest is more than *least_share* of the rating, as small loads are never
    even. GB/T 15543 allows 2 % (4 % for a short time) of negative sequence; *unbalance_percent* is told from magnitudes.
    """

    lost_share: float = Field(default=0.7, gt=0, lt=1)
    unbalance_percent: float = Field(default=4, gt=0)
    uneven_percent: float = Field(default=60, gt=0)
    least_share: float = Field(default=0.2, ge=0)
    for_s: float = Field(default=1800, ge=0)
    critical_for_s: float = Field(default=60, ge=0)
    keep_firing_for_s: float = Field(default=900, ge=0)


class PhaseMemory(msgspec.Struct):
    """The last voltage and current of each phase."""

    voltage_v: dict[str, tuple[int, float]] = {}
    current_a: dict[str, tuple[int, float]] = {}
    rank: int = 0
    since_ms: int = 0


_PHASES_ADVICE = Advice(
    "electricity.phases", _("缺相会烧电机:先停三相设备,请电工查熔断器和接线端子;不平衡的重新分配负荷。")
)


class Phases(ReadingRule[PhaseParams, PhaseMemory]):
    """``electricity.phases``: a phase is missing, or carries far more than the others."""

    name: ClassVar[str] = "electricity.phases"
    title = _("{place}「{device}」缺相或三相不平衡")
    advice = (_PHASES_ADVICE,)
    lines = (
        CURRENT,
        VOLTAGE,
        Fact("others_v", _("其他相 {value:.1f} V")),
        Fact("unbalance_percent", _("电压不平衡 {value:.1f} %")),
        Fact("uneven_percent", _("电流不平衡 {value:.0f} %")),
    )
    Params = PhaseParams
    Memory = PhaseMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """Voltages (V) and currents (A) of an electricity meter."""
        if device.kind is not Kind.ELECTRICITY_METER:
            return ()
        return (Input(device.id, Quantity.VOLTAGE), Input(device.id, Quantity.CURRENT))

    def delay_s(self, params: PhaseParams, level: Level, state: PhaseMemory) -> float:
        """A lost phase is told after a minute, an uneven load after half an hour."""
        return params.critical_for_s if level is Level.CRITICAL else params.for_s

    def on_reading(
        self, state: PhaseMemory, reading: Reading, context: Context[PhaseParams]
    ) -> Verdict | None:
        """Compares the three phases of the last ten minutes; nothing before all three were heard."""
        phase = reading.series.channel
        if phase not in _PHASES:
            return None
        volts = reading.series.quantity is Quantity.VOLTAGE
        last = state.voltage_v if volts else state.current_a
        last[phase] = (reading.time_ms, reading.value)
        voltages, currents = (_fresh(one, reading.time_ms) for one in (state.voltage_v, state.current_a))
        if len(voltages) < 3 and len(currents) < 3:
            return UNKNOWN if state.rank else None
        rank, facts = _uneven(voltages, currents, context)
        if rank and not state.rank:
            state.since_ms = reading.time_ms
        state.rank = rank
        if not rank:
            return OK
        witness = Witness.of(reading)
        level = Level.CRITICAL if rank == 3 else Level.NOTICE
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), _PHASES_ADVICE.key))

    def quiet(self, state: PhaseMemory, series: Series, context: Context[PhaseParams]) -> Quiet | None:
        """Small changes of an even supply are looked at every other minute."""
        if series.channel not in _PHASES:
            return Quiet(-math.inf, math.inf, ALWAYS_MS)
        if state.rank:
            return None
        if series.quantity is Quantity.VOLTAGE:
            time_ms, value = state.voltage_v.get(series.channel, (0, 0.0))
            return Quiet(0.97 * value, 1.03 * value, time_ms + _LOOK_MS)
        time_ms, value = state.current_a.get(series.channel, (0, 0.0))
        slack_a = max(0.1 * value, 0.05 * context.device.rated_current_a)
        return Quiet(value - slack_a, value + slack_a, time_ms + _LOOK_MS)


def _fresh(last: dict[str, tuple[int, float]], now_ms: int) -> dict[str, float]:
    return {phase: value for phase, (time_ms, value) in last.items() if now_ms - time_ms <= _FRESH_MS}


def _uneven(
    voltages: dict[str, float], currents: dict[str, float], context: Context[PhaseParams]
) -> tuple[int, Facts]:
    """The rank of what is seen, and the numbers it stands on. No voltage anywhere is an outage, not a lost phase."""
    params = context.params
    if len(voltages) == 3:
        low, others = min(voltages, key=voltages.__getitem__), sorted(voltages.values())[1:]
        mean_v = sum(voltages.values()) / 3
        if others[0] > 100 and voltages[low] < params.lost_share * others[0]:
            return 3, {"phase": low, "voltage_v": round(voltages[low], 1), "others_v": round(others[0], 1)}
        unbalance = (
            100 * max(abs(one - mean_v) for one in voltages.values()) / mean_v if mean_v > 100 else 0.0
        )
        if unbalance > params.unbalance_percent:
            return 1, {"unbalance_percent": round(unbalance, 1), "limit_unbalance": params.unbalance_percent}
    if len(currents) == 3:
        most_a, least_a = max(currents.values()), min(currents.values())
        rated_a = context.device.rated_current_a
        if rated_a and most_a > params.least_share * rated_a:
            uneven = 100 * (most_a - least_a) / most_a
            if uneven > params.uneven_percent:
                facts: Facts = {
                    "uneven_percent": round(uneven),
                    "current_a": round(most_a, 1),
                    "limit_uneven": params.uneven_percent,
                }
                return 1, facts
    return 0, {}


class OutageParams(RuleParams):
    """No voltage for *for_s* is an outage. A meter that fell silent is one where its neighbours tell it apart.

    *silent_s* of silence of all electricity meters of the building, while battery devices in it or meters elsewhere
    are heard: the mains are gone there, not the network.
    """

    dead_v: float = Field(default=20, ge=0)
    silent_s: float = Field(default=300, gt=0)
    for_s: float = Field(default=60, ge=0)
    keep_firing_for_s: float = Field(default=60, ge=0)


class OutageMemory(msgspec.Struct):
    """The last voltages, when it is looked at next, and since when there is none."""

    voltage_v: dict[str, tuple[int, float]] = {}
    next_ms: int = 0
    floor_ms: int = 0
    out: bool = False
    since_ms: int = 0


_OUTAGE_ADVICE = Advice("electricity.outage", _("先看总开关和楼内配电;冷柜不要开门,供暖循环泵停了要防冻。"))


class Outage(ReadingRule[OutageParams, OutageMemory]):
    """``electricity.outage``: a building without power. The subject is its first meter that no other feeds there."""

    name: ClassVar[str] = "electricity.outage"
    title = _("{place}停电(依据「{device}」)")
    advice = (_OUTAGE_ADVICE,)
    lines = (
        VOLTAGE,
        Fact("meters_silent", _("{value:.0f} 块电表同时没有数据")),
        Fact("others_heard", _("其他 {value:.0f} 个设备正常,网络是通的")),
        SILENT,
    )
    Params = OutageParams
    Memory = OutageMemory

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The voltage of the building's first meter, V; its other meters are asked when they were last heard."""
        if device.kind is not Kind.ELECTRICITY_METER or not device.place.building:
            return ()
        meters = _meters(device, campus)
        return (Input(device.id, Quantity.VOLTAGE),) if meters[0].id == device.id else ()

    def on_reading(
        self, state: OutageMemory, reading: Reading, context: Context[OutageParams]
    ) -> Verdict | None:
        """No voltage on any phase heard is an outage at once."""
        channel = reading.series.channel
        if channel not in {"", *_PHASES}:
            return None
        state.voltage_v[channel] = (reading.time_ms, reading.value)
        voltages = _fresh(state.voltage_v, reading.time_ms)
        dead = all(one <= context.params.dead_v for one in voltages.values())
        state.since_ms = (state.since_ms or reading.time_ms) if dead else 0
        state.out = dead
        if not dead:
            return OK
        facts: Facts = {"voltage_v": reading.value}
        witness = Witness.of(reading)
        return Verdict(Level.CRITICAL, Evidence(facts, state.since_ms, (witness,), _OUTAGE_ADVICE.key))

    def on_time(self, state: OutageMemory, context: Context[OutageParams]) -> Verdict | None:
        """All meters of the building silent together, while others are heard: the mains are gone, not the network."""
        params = context.params
        state.next_ms = context.now_ms + _OUTAGE_LOOK_MS
        meters = _meters(context.device, context.campus)
        heard_ms = [context.heard_ms(one.id) for one in meters]
        last_ms = max(heard_ms)
        patience_s = max(params.silent_s, 3 * max(one.interval_s for one in meters))
        heard_until_ms = max(last_ms, state.floor_ms)
        silent_ms = context.now_ms - heard_until_ms
        if not last_ms:
            return None
        if silent_ms < patience_s * SECOND_MS:
            # before then there is nothing to see, whoever is heard meanwhile
            state.next_ms = max(state.next_ms, heard_until_ms + round(patience_s * SECOND_MS))
            return None if state.voltage_v else OK
        others = _others_heard(context, last_ms)
        if len([one for one in heard_ms if one]) < 2 or others < 2:
            return None  # one meter alone, or nobody else heard: that is the network, and silence says so
        state.out, state.since_ms = True, state.since_ms or last_ms
        facts: Facts = {
            "meters_silent": len(meters),
            "others_heard": others,
            "silent_minutes": round(silent_ms / MINUTE_MS),
        }
        return Verdict(Level.WARNING, Evidence(facts, state.since_ms, (), _OUTAGE_ADVICE.key))

    def on_blind(self, state: OutageMemory, from_ms: int, until_ms: int) -> None:
        """Silence while nobody listened is held against no meter."""
        state.floor_ms = until_ms

    def wakes_on(self, device: Device, campus: Campus) -> Collection[str]:
        """The building's meters: before one was heard, their silence says nothing."""
        return [one.id for one in _meters(device, campus)]

    def due_ms(self, state: OutageMemory, params: OutageParams) -> int | None:
        """Every four minutes, or when silence can have become long enough."""
        return state.next_ms

    def quiet(self, state: OutageMemory, series: Series, context: Context[OutageParams]) -> Quiet | None:
        """A live voltage; nothing while power is out."""
        return None if state.out else Quiet(context.params.dead_v + 1, math.inf, ALWAYS_MS)


def _meters(device: Device, campus: Campus) -> list[Device]:
    """The electricity meters of the device's building, those no other of them feeds first."""
    found = campus.of_kind(Kind.ELECTRICITY_METER, device.place.building)
    names = {one.id for one in found}
    return sorted(found, key=lambda one: one.parent in names)


def _others_heard(context: Context[OutageParams], since_ms: int) -> int:
    """How many devices were heard after the meters' last word: elsewhere, or here and on batteries."""
    building = context.device.place.building
    return sum(
        1
        for one in context.campus.devices.values()
        if (one.place.building != building or one.kind is Kind.PIPE_PROBE)
        and context.heard_ms(one.id) > since_ms + _LOOK_MS
    )
