"""One rule on one subject: its settings, its memory, its machine, and what late readings would have made of it."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.clock import MINUTE_MS, SECOND_MS
from campus.device import Device
from campus.reading import Quality, Reading, Series
from rules.engine.machine import Change, Machine, Timing
from rules.level import Level, State
from rules.rule import AnyRule, Context, Quiet, ReadingRule, RuleParams, never_heard
from rules.verdict import Transition, Verdict, Witness

_LEAST_GAP_S = 900
_USUAL_GAP_S = RuleParams.model_fields["max_gap_s"].default
#: where settings follow the opening hours, a quiet lasts no longer than this
_HOURS_CHANGE_MS = 5 * MINUTE_MS
# Looked up once: a member of an enum takes longer to find than most rules take for a reading.
_LATE, _SUSPECT, _INACTIVE = Quality.LATE, Quality.SUSPECT, State.INACTIVE


class Setting(msgspec.Struct, frozen=True):
    """A rule's settings for one subject, with the machine's part of them."""

    params: RuleParams
    timing: Timing


def _max_gap_ms(params: RuleParams, device: Device) -> int:
    """The longest silence over which a level counts as holding: the rule's own, else three intervals of the device."""
    seconds = params.max_gap_s
    if device.interval_s and seconds == _USUAL_GAP_S:
        seconds = max(_LEAST_GAP_S, 3 * device.interval_s)
    return round(seconds * SECOND_MS)


class Backlog(msgspec.Struct):
    """What readings that came too late make of the subject, beside the living state; *last_ms* by series."""

    memory: Any
    machine: Machine
    last_ms: dict[str, int] = {}


def mark_of(rule: str, subject: str) -> int:
    """A number of 63 bits for a rule on a subject, the same in every process."""
    return int.from_bytes(hashlib.blake2b(f"{rule}/{subject}".encode(), digest_size=8).digest()) >> 1


class Instance:
    """Judges readings and time for one subject. The engine calls it in the order of time."""

    __slots__ = (
        "_by_opening", "_campus", "_has_clock", "_heard_ms", "_plain", "backlog", "device", "inputs", "machine", "mark", "memory",
        "number", "quiet", "rule", "stamp", "wakers",
    )  # fmt: skip

    def __init__(
        self,
        rule: AnyRule,
        device: Device,
        campus: Campus,
        params: RuleParams,
        by_opening: dict[Opening, RuleParams] | None = None,
        heard_ms: Callable[[str], int] = never_heard,
    ) -> None:
        self.rule = rule
        self.device = device
        self.number = 0
        #: what stands in the file of marks while it judges
        self.mark = mark_of(rule.name, device.id)
        self.inputs: tuple[str, ...] = (device.id,)
        #: the devices without which its clock stands, if any
        self.wakers = tuple(rule.wakes_on(device, campus))
        self._campus = campus
        self._heard_ms = heard_ms
        #: whether the rule ever wants to be asked by time alone
        self._has_clock = getattr(rule.due_ms, "__func__", None) is not ReadingRule.due_ms
        self._plain = self._timed(params)
        self._by_opening = {one: self._timed(special) for one, special in (by_opening or {}).items()} or None
        settings = [params, *(by_opening or {}).values()]
        #: changes with settings and device: what was quiet by other limits may not be so now
        self.stamp = zlib.crc32(
            "".join([device.model_dump_json(), *(one.model_dump_json() for one in settings)]).encode()
        )
        self.start()

    @property
    def key(self) -> str:
        """``rule/subject``, as messages name it."""
        return f"{self.rule.name}/{self.device.id}"

    def start(self) -> None:
        """Begins anew, as if nothing had ever been read."""
        self.memory: Any = self.rule.start(self.device)
        self.machine = Machine()
        self.backlog: Backlog | None = None
        #: by series, which of its values need not be looked at
        self.quiet: dict[Series, Quiet] = {}

    def read(self, reading: Reading, *, trusted: bool) -> list[Transition] | None:
        """The living state's word after *reading*; None where nothing changed."""
        machine, memory, rule = self.machine, self.memory, self.rule
        # A rule that judges the devices' clocks dates by ours.
        now_ms = max(reading.received_ms if rule.accepts_late else reading.time_ms, machine.verdict_ms)
        one = self._plain if self._by_opening is None else self._setting(now_ms)
        context = Context(now_ms, self._campus, self.device, one.params, self._heard_ms)
        verdict = (
            rule.on_reading(memory, reading, context)
            if trusted
            else rule.on_suspect(memory, reading, context)
        )
        found = None
        if verdict is not None:
            changes = machine.on_verdict(verdict, now_ms, one.timing)
            if changes:
                found = self._transitions([_with_reading(one, reading) for one in changes], now_ms)
        if reading.quality is not _LATE:
            self._fall_quiet(reading.series, context, trusted=trusted)
        return found

    def _fall_quiet(self, series: Series, context: Context[RuleParams], *, trusted: bool) -> None:
        """Asks the rule what it need not see; only while it has nothing to say, and never on a doubtful word."""
        idle = trusted and self.machine.state is _INACTIVE
        quiet = self.rule.quiet(self.memory, series, context) if idle else None
        if quiet is None:
            self.quiet.pop(series, None)
            return
        if self._by_opening is not None and quiet.until_ms > context.now_ms + _HOURS_CHANGE_MS:
            quiet = Quiet(quiet.low, quiet.high, context.now_ms + _HOURS_CHANGE_MS)
        self.quiet[series] = quiet

    def pass_time(self, now_ms: int) -> list[Transition] | None:
        """Lets time pass until *now_ms*, which the rule or the machine had asked for."""
        one = self._setting(now_ms)
        verdict: Verdict | None = None
        wanted_ms = self.rule.due_ms(self.memory, one.params)
        if wanted_ms is not None and wanted_ms <= now_ms:
            context = Context(now_ms, self._campus, self.device, one.params, self._heard_ms)
            verdict = self.rule.on_time(self.memory, context)
            self.quiet.clear()
        if verdict is not None:
            return self._transitions(self.machine.on_verdict(verdict, now_ms, one.timing), now_ms)
        return self._transitions(self.machine.on_time(now_ms, one.timing), now_ms)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held against the subject."""
        return self.machine.state is _INACTIVE and not self.machine.held_ms

    def due_ms(self) -> int | None:
        """When :meth:`pass_time` is wanted next."""
        machine = self.machine
        waits = bool(machine.held_ms)  # else nothing is held, and time alone changes nothing
        if not (waits or self._has_clock):
            return None
        one = self._plain if self._by_opening is None else self._setting(machine.verdict_ms)
        of_rule = self.rule.due_ms(self.memory, one.params)
        of_machine = machine.due_ms(one.timing) if waits else None
        if of_rule is None:
            return of_machine
        return of_rule if of_machine is None else min(of_rule, of_machine)

    def read_late(self, reading: Reading) -> list[Transition] | None:
        """What a late reading shows of the past: recorded once where it would have fired, and never an emergency.

        A past that a living alert stands for already is not told a second time.
        """
        if self.rule.accepts_late:
            return self.read(reading, trusted=reading.quality is not _SUSPECT)
        past = self._backlog(reading) if math.isfinite(reading.value) else None
        if past is None:
            return None
        one = self._setting(reading.time_ms)
        context = Context(reading.time_ms, self._campus, self.device, one.params)
        verdict = self.rule.on_reading(past.memory, reading, context)
        if verdict is None:
            return None
        changes = past.machine.on_verdict(verdict, reading.time_ms, one.timing)
        if self.machine.state is State.FIRING:
            return None
        opened = [
            change
            for change in changes
            if change.to_state is State.FIRING and change.from_state is not State.FIRING
        ]
        return self._transitions(opened, reading.time_ms, historical=True)

    def cannot_tell(self, now_ms: int) -> bool:
        """Whether its last word is too old, or was that it does not know."""
        last_ms = self.machine.verdict_ms
        if self.quiet:
            last_ms = max(last_ms, *(self._heard_ms(one) for one in self.inputs))
        return self.machine.unknown or now_ms - last_ms > self._setting(now_ms).timing.max_gap_ms

    def _timed(self, params: RuleParams) -> Setting:
        timing = Timing(
            delay_ms=lambda level: round(self.rule.delay_s(params, level, self.memory) * SECOND_MS),
            keep_firing_ms=round(params.keep_firing_for_s * SECOND_MS),
            max_gap_ms=_max_gap_ms(params, self.device),
            least_confirmations=params.least_confirmations,
        )
        return Setting(params, timing)

    def _backlog(self, reading: Reading) -> Backlog | None:
        if self.backlog is None:
            self.backlog = Backlog(self.rule.start(self.device), Machine())
        series = str(reading.series)
        if reading.time_ms <= self.backlog.last_ms.get(series, 0):
            return None
        self.backlog.last_ms[series] = reading.time_ms
        return self.backlog

    def _setting(self, now_ms: int) -> Setting:
        if self._by_opening is None:
            return self._plain
        opening = self._campus.hours.opening(self.device.place.building, now_ms)
        return self._by_opening.get(opening, self._plain)

    def _transitions(
        self, changes: Sequence[Change], now_ms: int, *, historical: bool = False
    ) -> list[Transition] | None:
        if not changes:
            return None
        return [
            Transition(
                time_ms=now_ms,
                rule=self.rule.name,
                subject=self.device.id,
                from_state=change.from_state,
                to_state=change.to_state,
                severity=change.severity,
                evidence=change.evidence,
                historical=historical,
            )
            for change in changes
        ]


def _with_reading(change: Change, reading: Reading) -> Change:
    """The end of an alert with the reading that showed it."""
    if change.to_state is not State.RESOLVED:
        return change
    witness = Witness.of(reading)
    return msgspec.structs.replace(
        change, evidence=msgspec.structs.replace(change.evidence, recovered=witness)
    )


class Status(msgspec.Struct, frozen=True):
    """What the engine thinks of one rule and subject: for pages and for finding out why nothing is said."""

    rule: str
    subject: str
    state: State
    severity: Level
    unknown: bool
    verdict_ms: int
