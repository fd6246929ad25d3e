"""A cabinet that leaves its own ways: warmer than it ever was, or rising with no compressor to be seen (DOMAIN.md 3.2)."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar, TypeVar

import msgspec
from pydantic import Field

from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.text import marked as _
from rules.cold.words import TO_CRITICAL, USUAL_TEMPERATURE
from rules.level import Level
from rules.physics import slope_per_hour
from rules.probe import believed, watched
from rules.rule import Context, Input, P, Quiet, ReadingRule, RuleParams, next_look_ms
from rules.usual import Hourly, median
from rules.verdict import OK, UNKNOWN, Evidence, Facts, Verdict, Witness
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import LIMIT_TEMPERATURE, TEMPERATURE

_SPACING_MS = 4 * MINUTE_MS
_WINDOW_MS = 3 * HOUR_MS
_KEPT_POINTS = 48
_OF_ITSELF_MS = 4 * HOUR_MS
#: no step of a steady rise makes up more of it: seven values in an hour and a half show a defrost as one leap
_STEP_SHARE = 0.6
#: where food is in danger, by profile: the critical limits of ``cold.above_limit``
_CRITICAL_C = {"freezer": -12.0, "fridge": 13.0, "sample_cabinet": 13.0}


class CabinetMemory(msgspec.Struct):
    """The last temperature that was looked at, and when."""

    last_c: float | None = None
    last_ms: int = 0


C = TypeVar("C", bound=CabinetMemory)


class CabinetRule(ReadingRule[P, C], abc.ABC):
    """What both rules share: they look at a cabinet every few minutes, and only at what is a temperature."""

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """The temperatures of a cold storage, °C."""
        return (Input(device.id, Quantity.TEMPERATURE),) if device.kind is Kind.COLD_STORAGE else ()

    def on_reading(self, state: C, reading: Reading, context: Context[P]) -> Verdict | None:
        """Every four minutes at most; unknown for what is no temperature."""
        if watched(reading, ()) is None or reading.time_ms - state.last_ms < _SPACING_MS:
            return None
        suspect = reading.quality is Quality.SUSPECT
        if not believed(
            reading.value, reading.time_ms, suspect=suspect, last_c=state.last_c, last_ms=state.last_ms
        ):
            return UNKNOWN
        return self.judge(state, reading, context)

    def on_suspect(self, state: C, reading: Reading, context: Context[P]) -> Verdict | None:
        """As any other: a doubtful value may be believed next to what was read before."""
        return self.on_reading(state, reading, context)

    @abc.abstractmethod
    def judge(self, state: C, reading: Reading, context: Context[P]) -> Verdict:
        """The rule's word after a temperature it looks at."""


class DriftParams(RuleParams):
    """Above the usual by *margin_k* or *spreads* of the usual spread (90 % quantile less median), whichever is more.

    The usual is that of the last *keep_days*; the value is the median of three hours, so that a defrost or a delivery
    is no drift.
    """

    learn_days: float = Field(default=7, ge=2, le=21)
    keep_days: float = Field(default=14, ge=2, le=28)
    margin_k: float = Field(default=2.5, gt=0)
    spreads: float = Field(default=1.75, gt=0)
    for_s: float = Field(default=900, ge=0)
    keep_firing_for_s: float = Field(default=12 * 3600, ge=0)


class DriftMemory(CabinetMemory):
    """The usual hours, and the last three."""

    usual: Hourly = msgspec.field(default_factory=Hourly)
    middle_c: float = 0.0
    since_ms: int = 0
    points: list[tuple[int, float]] = []


FAILING = Advice(
    "cold.failing",
    _("马上到现场:听压缩机、看插头和跳闸、看蒸发器是否结冰;在到达危险温度之前把食品转到别的柜子。"),
)


class Drift(CabinetRule[DriftParams, DriftMemory]):
    """``cold.drift``: warmer for hours than the cabinet has been for weeks, though perhaps not above its limit yet."""

    name: ClassVar[str] = "cold.drift"
    title = _("{place}「{device}」比平时偏热")
    advice = (FAILING,)
    lines = (
        TEMPERATURE,
        Fact("middle_c", _("近三小时 {value:.1f} °C"), Ending.DROPPED),
        USUAL_TEMPERATURE,
        TO_CRITICAL,
        LIMIT_TEMPERATURE,
    )
    Params = DriftParams
    Memory = DriftMemory

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """A fridge has its limit near by, and its door is opened more."""
        return {} if device.profile == "freezer" else {"margin_k": 3.5}

    def judge(self, state: DriftMemory, reading: Reading, context: Context[DriftParams]) -> Verdict:
        """Compares the median of three hours with the usual, and learns from it where it is not high; unknown while learning."""
        params = context.params
        state.last_c, state.last_ms = reading.value, reading.time_ms
        remember(state.points, reading, _WINDOW_MS)
        state.middle_c = median([value for _, value in state.points])
        limit_c = _drift_limit_c(state.usual, params)
        known = state.usual.learned(params.learn_days)
        high = known and state.middle_c > limit_c
        state.usual.add(reading.time_ms, reading.value, learn=not high, days=params.keep_days)
        if not known:
            return UNKNOWN
        if high and not state.since_ms:
            state.since_ms = reading.time_ms
        if not high:
            state.since_ms = 0 if state.middle_c <= limit_c - 0.3 * params.margin_k else state.since_ms
        return self._word(state, reading, limit_c, context)

    def quiet(self, state: DriftMemory, series: Series, context: Context[DriftParams]) -> Quiet | None:
        """Any value, until the next look: ten minutes at most."""
        return Quiet(-math.inf, math.inf, next_look_ms(state.last_ms))

    def _word(
        self, state: DriftMemory, reading: Reading, limit_c: float, context: Context[DriftParams]
    ) -> Verdict:
        facts: Facts = {
            "temperature_c": reading.value,
            "middle_c": round(state.middle_c, 2),
            "usual_c": round(state.usual.middle, 2),
            "limit_c": round(limit_c, 2),
        }
        if not state.since_ms:
            return OK
        slope_k_h = _slope_k_h(state.points)
        critical_c = _CRITICAL_C.get(context.device.profile)
        if critical_c is not None and slope_k_h > 0.2 and reading.value < critical_c:
            facts["minutes_to_critical"] = round((critical_c - reading.value) / slope_k_h * 60)
            facts["critical_c"] = critical_c
        witness = Witness.of(reading)
        return Verdict(Level.WARNING, Evidence(facts, state.since_ms, (witness,), FAILING.key))


def _slope_k_h(points: Sequence[tuple[int, float]]) -> float:
    """How fast it has risen in the last hour: before that it was still well."""
    return slope_per_hour([point for point in points if points[-1][0] - point[0] <= HOUR_MS]) or 0.0


def remember(points: list[tuple[int, float]], reading: Reading, window_ms: int) -> None:
    """Adds a reading to a short history, and forgets what is older than *window_ms*."""
    points.append((reading.time_ms, reading.value))
    while reading.time_ms - points[0][0] > window_ms or len(points) > _KEPT_POINTS:
        del points[0]


def _drift_limit_c(usual: Hourly, params: DriftParams) -> float:
    return usual.middle + max(params.margin_k, params.spreads * (usual.high - usual.middle))


class FailingParams(RuleParams):
    """A rise of *rise_k* over *steady_min* with no pull-down in it, from the usual upwards: no defrost lasts so long.

    Recorded defrosts rise for less than an hour, so an hour and a half is none. Nor is a rise no greater than *factor*
    times the greatest of the last fortnight: this cabinet does that. A pull-down is a fall of *ripple_share* of the
    usual hourly ripple.
    """

    steady_min: float = Field(default=90, ge=20)
    rise_k: float = Field(default=3.0, gt=0)
    factor: float = Field(default=1.25, ge=1)
    ripple_share: float = Field(default=0.4, gt=0)
    least_pull_down_k: float = Field(default=0.4, ge=0)
    #: so far down from its peak it is being cooled again
    pull_down_k: float = Field(default=1.5, gt=0)
    critical_minutes: float = Field(default=240, gt=0)
    learn_days: float = Field(default=4, ge=0.5, le=14)
    for_s: float = Field(default=900, ge=0)
    keep_firing_for_s: float = Field(default=1800, ge=0)


class FailingMemory(CabinetMemory):
    """The last hours in steps of five minutes, the usual level, and the usual ripple within an hour."""

    points: list[tuple[int, float]] = []
    usual: Hourly = msgspec.field(default_factory=Hourly)
    ripples_k: list[float] = []
    rippled_ms: int = 0
    #: the greatest steady rise of each of the last days, the newest last
    rises_k: list[float] = []
    day: int = 0
    #: the greatest rise of the alarm under way
    alarm_k: float = 0.0
    alarm_peak_c: float = 0.0
    since_ms: int = 0


class Failing(CabinetRule[FailingParams, FailingMemory]):
    """``cold.failing``: rises steadily, and the compressor's ripple is gone: before any limit is reached."""

    name: ClassVar[str] = "cold.failing"
    title = _("{place}「{device}」持续升温,压缩机可能停了")
    advice = (FAILING,)
    lines = (
        TEMPERATURE,
        USUAL_TEMPERATURE,
        Fact("rise_k", _("已升高 {value:.1f} °C")),
        Fact("rise_k_h", _("每小时升高 {value:.1f} °C")),
        TO_CRITICAL,
    )
    Params = FailingParams
    Memory = FailingMemory

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """A fridge rises less before its food is warm."""
        return {} if device.profile == "freezer" else {"rise_k": 2.5}

    def judge(self, state: FailingMemory, reading: Reading, context: Context[FailingParams]) -> Verdict:
        """Looks for a steady rise that this cabinet has not shown before; unknown while its usual is being learned."""
        params = context.params
        if reading.time_ms - state.last_ms > 0.6 * params.steady_min * MINUTE_MS:
            state.points = []
        state.last_c, state.last_ms = reading.value, reading.time_ms
        remember(state.points, reading, round(1.5 * params.steady_min * MINUTE_MS))
        rise = _steady_rise(state, params)
        usual = not rise or rise <= params.factor * max(state.rises_k, default=0.0)
        if usual or not state.usual.learned(params.learn_days):
            _learn_rise(state, reading.time_ms, rise)
            rise = 0.0
        state.usual.add(reading.time_ms, reading.value, learn=not rise, days=14)
        _learn_ripple(state, reading.time_ms, calm=not rise)
        if not state.usual.learned(params.learn_days):
            return UNKNOWN
        return self._word(state, reading, rise, context)

    def quiet(self, state: FailingMemory, series: Series, context: Context[FailingParams]) -> Quiet | None:
        """Any value, until the next look: ten minutes at most."""
        return Quiet(-math.inf, math.inf, next_look_ms(state.last_ms))

    def _word(
        self, state: FailingMemory, reading: Reading, rise: float, context: Context[FailingParams]
    ) -> Verdict:
        params = context.params
        above_usual = reading.value > state.usual.high + 0.5
        failing = rise > 0 and above_usual
        pulled_down_k = state.alarm_peak_c - reading.value
        held = state.since_ms > 0 and above_usual and pulled_down_k < params.pull_down_k
        if failing or held:
            state.since_ms = state.since_ms or reading.time_ms
            state.alarm_k = max(state.alarm_k, rise)
            state.alarm_peak_c = max(state.alarm_peak_c, reading.value) if held else reading.value
        elif state.since_ms:
            if reading.time_ms - state.since_ms <= _OF_ITSELF_MS:  # what ended of itself was no failure
                _learn_rise(state, reading.time_ms, state.alarm_k)
            state.since_ms, state.alarm_k = 0, 0.0
        if not state.since_ms:
            return OK
        facts: Facts = {"temperature_c": reading.value, "usual_c": round(state.usual.middle, 2)}
        level = Level.WARNING
        if rise > 0:
            facts["rise_k"] = round(rise, 1)
            facts["rise_k_h"] = round(_slope_k_h(state.points), 2)
        critical_c = _CRITICAL_C.get(context.device.profile)
        slope_k_h = _slope_k_h(state.points)
        if critical_c is not None and slope_k_h > 0.2 and reading.value < critical_c:
            minutes = (critical_c - reading.value) / slope_k_h * 60
            facts["minutes_to_critical"], facts["critical_c"] = round(minutes), critical_c
            if failing and minutes < params.critical_minutes:
                level = Level.CRITICAL
        witness = Witness.of(reading)
        return Verdict(level, Evidence(facts, state.since_ms, (witness,), FAILING.key))


def _steady_rise(state: FailingMemory, params: FailingParams) -> float:
    """By how much it rose over the steady window; 0 where it did not, or where anything pulled it down between."""
    now_ms, value = state.points[-1]
    if value <= state.points[0][1]:
        return 0.0
    most_ms, least_ms = params.steady_min * MINUTE_MS * 1.05, 0.9 * params.steady_min * MINUTE_MS
    window = [point for point in state.points if now_ms - point[0] <= most_ms]
    rise_k = value - window[0][1]
    if len(window) < 4 or now_ms - window[0][0] < least_ms or rise_k < params.rise_k:
        return 0.0
    usual_ripple_k = quartile(state.ripples_k)
    allowed_k = max(params.least_pull_down_k, params.ripple_share * usual_ripple_k)
    highest, pull_down_k, step_k = window[0][1], 0.0, 0.0
    for before, one in pairwise([point[1] for point in window]):
        highest = max(highest, one)
        pull_down_k, step_k = max(pull_down_k, highest - one), max(step_k, one - before)
    half_k = value - window[len(window) // 2][1]
    # What warms with its compressor off does so evenly, or ever more slowly; a defrost comes all at once.
    even = 0.15 * rise_k < half_k < 0.7 * rise_k and step_k <= _STEP_SHARE * rise_k
    if pull_down_k >= allowed_k or not even or rise_k < 1.5 * usual_ripple_k:
        return 0.0
    return rise_k


def _learn_rise(state: FailingMemory, time_ms: int, rise_k: float) -> None:
    """Keeps the greatest steady rise of a day, for a fortnight."""
    day = time_ms // DAY_MS
    if day != state.day:
        state.day, state.rises_k = day, [*state.rises_k, 0.0][-14:]
    if rise_k:
        state.rises_k[-1] = max(state.rises_k[-1], round(rise_k, 2))


def quartile(values: Sequence[float]) -> float:
    """The middle of what was kept; 0 for nothing."""
    return sorted(values)[len(values) // 2] if values else 0.0


def _learn_ripple(state: FailingMemory, time_ms: int, *, calm: bool) -> None:
    """Once an hour: by how much the last hour went up and down."""
    if not calm or time_ms - state.rippled_ms < HOUR_MS:
        return
    hour = [value for at, value in state.points if time_ms - at <= HOUR_MS]
    if len(hour) >= 4:
        state.ripples_k = [*state.ripples_k, round(max(hour) - min(hour), 2)][-72:]
        state.rippled_ms = time_ms
