"""The engine: readings and time in, transitions out. A pure function of what it is fed, in the order it is fed."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import msgspec

from campus.campus import Campus
from campus.clock import SECOND_MS
from campus.device import Device
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from rules.catalogue import catalogue
from rules.errors import BadSnapshot
from rules.level import Level, State
from rules.machine import Change, Machine, Timing
from rules.rule import Context, Rule, RuleParams
from rules.settings import RuleSettings
from rules.verdict import Transition, Verdict

_VERSION = 1
_LEAST_GAP_S = 900


class _Instance:
    """One rule on one subject."""

    __slots__ = ("device", "due_ms", "index", "machine", "params", "rule", "state", "timing")

    def __init__(self, index: int, rule: Rule, device: Device, params: RuleParams) -> None:
        self.index = index
        self.rule = rule
        self.device = device
        self.params = params
        self.timing = Timing(
            delay_ms=lambda level: round(rule.delay_s(params, level) * SECOND_MS),
            keep_firing_ms=round(params.keep_firing_for_s * SECOND_MS),
            max_gap_ms=_max_gap_ms(params, device),
        )
        self.state: Any = rule.start(device)
        self.machine = Machine()
        self.due_ms: int | None = None


def _max_gap_ms(params: RuleParams, device: Device) -> int:
    """The longest silence over which a level counts as holding: three intervals where the register names one."""
    seconds = params.max_gap_s
    if device.interval_s:
        seconds = min(seconds, max(_LEAST_GAP_S, 3 * device.interval_s))
    return round(seconds * SECOND_MS)


class Engine:
    """All rules on all their subjects.

    Deadlines (a ``for`` that runs out, a silence that grows too long) are kept in a heap and met in order of time,
    between the readings, so that results do not depend on how readings were batched.
    """

    def __init__(self, campus: Campus, settings: RuleSettings) -> None:
        self._campus = campus
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self._now_ms = 0
        self._instances: list[_Instance] = []
        self._inputs: dict[str, dict[Quantity | None, list[_Instance]]] = {}
        self._by_series: dict[Series, tuple[_Instance, ...]] = {}
        self._last_ms: dict[Series, int] = {}
        self._heap: list[tuple[int, int]] = []
        #: entries of the last snapshot that could not be read and started anew
        self.lost: list[str] = []
        for rule in catalogue().values():
            for device in self._campus.devices.values():
                self._add(rule, device)

    def advance(self, batch_time_ms: int, readings: Sequence[Reading] = ()) -> list[Transition]:
        """Takes a batch committed at *batch_time_ms*: its readings at their own times, then time up to the batch's.

        Readings marked late, and those no newer than what their series had, change nothing here.
        """
        found: list[Transition] = []
        for reading in readings:
            # Every reading moves time on, whoever it is for: so results do not depend on where batches end.
            self._meet_deadlines(max(self._now_ms, min(reading.time_ms, batch_time_ms)), found)
            instances = self._instances_of(reading.series)
            if not instances or reading.quality is Quality.LATE:
                continue
            if reading.time_ms <= self._last_ms.get(reading.series, 0):
                continue
            self._last_ms[reading.series] = reading.time_ms
            for instance in instances:
                self._read(instance, reading, found)
        self._meet_deadlines(batch_time_ms, found)
        return found

    def firing(self) -> dict[tuple[str, str], Level]:
        """What fires now, with its severity."""
        return {
            (one.rule.name, one.device.id): one.machine.severity
            for one in self._instances
            if one.machine.state is State.FIRING
        }

    def adopt(self, rule: str, subject: str, severity: Level, since_ms: int) -> bool:
        """Takes over an alert that is open elsewhere; False where no such rule and subject exist any more."""
        for one in self._instances:
            if one.rule.name == rule and one.device.id == subject:
                one.machine.adopt(severity, since_ms)
                return True
        return False

    def subjects(self) -> list[tuple[str, str, State, Level, bool]]:
        """Every rule and subject with its state, severity, and whether the rule cannot tell at present."""
        return [
            (one.rule.name, one.device.id, one.machine.state, one.machine.severity, one.machine.unknown)
            for one in self._instances
        ]

    def snapshot(self) -> bytes:
        """The whole state as JSON."""
        rules: dict[str, dict[str, Any]] = {}
        for one in self._instances:
            rules.setdefault(one.rule.name, {})[one.device.id] = [one.state, one.machine]
        last = [[series.device, series.quantity, series.channel, at] for series, at in self._last_ms.items()]
        return msgspec.json.encode(
            {"version": _VERSION, "now_ms": self._now_ms, "last_ms": last, "rules": rules}
        )

    def restore(self, snapshot: bytes) -> None:
        """Takes up a snapshot. Entries of rules or devices that are gone are dropped; broken ones start anew."""
        try:
            body = msgspec.json.decode(snapshot)
            now_ms, rules, last = int(body["now_ms"]), dict(body["rules"]), list(body["last_ms"])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise BadSnapshot(str(error)) from error
        self.reset()
        self._now_ms = now_ms
        for device, quantity, channel, at in last:
            self._last_ms[Series(device, Quantity(quantity), channel)] = at
        for one in self._instances:
            entry = rules.get(one.rule.name, {}).get(one.device.id)
            if entry is not None:
                self._restore_one(one, entry)
            self._schedule(one)

    def _restore_one(self, one: _Instance, entry: Any) -> None:
        try:
            state = msgspec.convert(entry[0], one.rule.Memory, str_keys=True)
            machine = msgspec.convert(entry[1], Machine, str_keys=True)
        except (msgspec.ValidationError, IndexError, TypeError, KeyError):
            self.lost.append(f"{one.rule.name}/{one.device.id}")
        else:
            one.state, one.machine = state, machine

    def _add(self, rule: Rule, device: Device) -> None:
        inputs = rule.inputs(device, self._campus)
        params = self._settings.of(rule, device).params
        if not inputs or not params.enabled:
            return
        instance = _Instance(len(self._instances), rule, device, params)
        self._instances.append(instance)
        for wanted in inputs:
            self._inputs.setdefault(wanted.device, {}).setdefault(wanted.quantity, []).append(instance)
        self._schedule(instance)

    def _instances_of(self, series: Series) -> tuple[_Instance, ...]:
        known = self._by_series.get(series)
        if known is None:
            wanted = self._inputs.get(series.device, {})
            known = tuple(wanted.get(series.quantity, [])) + tuple(wanted.get(None, []))
            self._by_series[series] = known
        return known

    def _read(self, one: _Instance, reading: Reading, found: list[Transition]) -> None:
        now_ms = max(reading.time_ms, one.machine.verdict_ms)
        verdict = one.rule.on_reading(one.state, reading, self._context(one, now_ms))
        self._take(one, verdict, now_ms, found)

    def _meet_deadlines(self, until_ms: int, found: list[Transition]) -> None:
        while self._heap and self._heap[0][0] <= until_ms:
            due_ms, index = heapq.heappop(self._heap)
            one = self._instances[index]
            if one.due_ms != due_ms:
                continue  # it was put off meanwhile
            one.due_ms = None
            now_ms = due_ms or until_ms  # 0 asks for the first moment there is
            wanted_ms = one.rule.due_ms(one.state, one.params)
            verdict = None
            if wanted_ms is not None and wanted_ms <= now_ms:
                verdict = one.rule.on_time(one.state, self._context(one, now_ms))
            if verdict is None:
                self._record(one, one.machine.on_time(now_ms, one.timing), now_ms, found)
                self._schedule(one)
            else:
                self._take(one, verdict, now_ms, found)
        self._now_ms = max(self._now_ms, until_ms)

    def _take(self, one: _Instance, verdict: Verdict | None, now_ms: int, found: list[Transition]) -> None:
        if verdict is not None:
            self._record(one, one.machine.on_verdict(verdict, now_ms, one.timing), now_ms, found)
        self._schedule(one)

    def _record(
        self, one: _Instance, changes: Sequence[Change], now_ms: int, found: list[Transition]
    ) -> None:
        found += [
            Transition(
                time_ms=now_ms,
                rule=one.rule.name,
                subject=one.device.id,
                from_state=change.from_state,
                to_state=change.to_state,
                severity=change.severity,
                evidence=change.evidence,
            )
            for change in changes
        ]

    def _schedule(self, one: _Instance) -> None:
        dues = (one.rule.due_ms(one.state, one.params), one.machine.due_ms(one.timing))
        due_ms = min((due for due in dues if due is not None), default=None)
        if due_ms != one.due_ms:
            one.due_ms = due_ms
            if due_ms is not None:
                heapq.heappush(self._heap, (due_ms, one.index))

    def _context(self, one: _Instance, now_ms: int) -> Context:
        return Context(now_ms, self._campus, one.device, one.params)
