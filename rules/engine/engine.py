"""The engine: readings and time in, transitions out. A pure function of what it is fed, in the order it is fed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.clock import SECOND_MS, SET_BACK_MS
from campus.device import Device
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from rules.catalogue import catalogue
from rules.engine import snapshot as snapshots
from rules.engine.instance import Instance, Status
from rules.engine.machine import Machine
from rules.engine.schedule import Schedule
from rules.engine.settings import RuleSettings
from rules.level import Level, State
from rules.rule import AnyRule, RuleParams
from rules.verdict import Transition

_KEPT_FAULTS = 100
_LOOK_AGAIN_MS = 10 * SECOND_MS
_FOREVER_MS = 1 << 62
# Every reading passes here, and a member of an enum takes as long to look up as the rest of a quiet one's way.
_GOOD, _LATE = Quality.GOOD, Quality.LATE


class Marks(Protocol):
    """Where the engine writes whom it lets judge, so that somebody knows should the process die of it."""

    def __setitem__(self, index: int, value: int, /) -> None: ...


class Fault(NamedTuple):
    """A *rule* failed on *subject* in the batch of *time_ms* (0: before the first) and began anew for it."""

    rule: str
    subject: str
    reason: str
    time_ms: int

    def __str__(self) -> str:
        return f"{self.rule}/{self.subject}: {self.reason}"


class _Feed:
    """Where the readings of one series go, the time of the last, and which of them need nobody's attention."""

    __slots__ = ("heard_ms", "high", "instances", "last_ms", "low", "series", "until_ms")

    def __init__(self, series: Series, instances: tuple[Instance, ...]) -> None:
        self.series = series
        self.instances = instances
        self.last_ms = 0
        #: when a late reading of it last arrived
        self.heard_ms = 0
        self.low, self.high, self.until_ms = 0.0, 0.0, 0

    def settle(self) -> None:
        """Sums up what none of its instances need see."""
        low, high, until_ms = -math.inf, math.inf, _FOREVER_MS
        for one in self.instances:
            quiet = one.quiet.get(self.series)
            if quiet is None:
                self.until_ms = 0
                return
            low, high = max(low, quiet.low), min(high, quiet.high)
            until_ms = min(until_ms, quiet.until_ms)
        self.low, self.high, self.until_ms = low, high, until_ms


class Engine:
    """All rules on all their subjects.

    Deadlines (a ``for`` that runs out, a silence that grows too long) are met in order of time between the readings,
    so that results depend neither on how readings were batched nor on how often anybody looked.

    *blind_after_ms*: where batches come at least so often while the service lives (by its heartbeats), a longer gap
    between two of them means that nobody listened, and silence within it is held against no sensor. 0 for histories.
    *subjects*: the devices that are judged, None for all; neighbours are read all the same.
    *set_aside*: ``rule/subject`` that is not judged. *marks*: its first number says who judges, 0 for nobody.
    *internal*: further rules, each on a device that is in no register.
    """

    def __init__(
        self,
        campus: Campus,
        settings: RuleSettings,
        *,
        rules: Mapping[str, AnyRule] | None = None,
        blind_after_ms: int = 0,
        subjects: Collection[str] | None = None,
        set_aside: Collection[str] = (),
        marks: Marks | None = None,
        internal: Sequence[tuple[AnyRule, Device]] = (),
    ) -> None:
        self._campus = campus
        self._settings = settings
        self._rules = catalogue() if rules is None else rules
        self._blind_after_ms = blind_after_ms
        self._subjects = subjects
        self._set_aside = frozenset(set_aside)
        self._internal = tuple(internal)
        self._marks: Marks = [0] if marks is None else marks
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self._now_ms = self._batch_ms = 0
        self._instances: list[Instance] = []
        self._inputs: dict[str, dict[Quantity | None, list[Instance]]] = {}
        self._feeds: dict[Series, _Feed | None] = {}
        self._by_device: dict[str, list[_Feed]] = {}
        self._schedule = Schedule()
        #: by the devices they wait for, those whose clock stands until one of these is heard
        self._asleep: dict[str, list[Instance]] = {}
        #: entries of the last snapshot that could not be read and started anew
        self.lost: list[str] = []
        #: rules that failed on a reading and started anew for that subject, the newest last
        self.faults: list[Fault] = []
        for rule, device in self._internal:
            self._add(rule, device)
        for rule in self._rules.values():
            for device in self._campus.devices.values():
                if self._subjects is None or device.id in self._subjects:
                    try:
                        self._add(rule, device)
                    except Exception as error:  # noqa: BLE001 - one subject's trouble must not stop the others' alerts
                        self._note_fault(rule.name, device.id, error)

    def advance(self, batch_time_ms: int, readings: Sequence[Reading] = ()) -> list[Transition]:
        """Takes a batch committed at *batch_time_ms*: its readings at their own times, then time up to the batch's.

        A reading that is marked late may only show that something *was* wrong: its transition is marked historical.
        One that is no newer than what its series had is nothing. A batch from before the last one by more than
        ``SET_BACK_MS`` says that the clock was set back.
        """
        found: list[Transition] = []
        self._follow_clock(batch_time_ms)
        feeds, schedule, latest_ms = self._feeds, self._schedule, batch_time_ms + 2 * SET_BACK_MS
        for reading in readings:
            # Every reading moves time on, whoever it is for: so results do not depend on where batches end.
            time_ms = reading.time_ms
            if time_ms > latest_ms and reading.received_ms > latest_ms:  # before the clock was set back
                reading = msgspec.structs.replace(reading, time_ms=batch_time_ms)  # noqa: PLW2901 - the same reading
                time_ms = batch_time_ms
            if time_ms >= schedule.next_ms:
                self._meet_deadlines(min(time_ms, batch_time_ms), found)
            try:
                feed = feeds[reading.series]
            except KeyError:
                feed = self._feed(reading.series)
                if feed is not None and reading.series.device in self._asleep:
                    self._wind(reading, readings, batch_time_ms, found)
            if feed is None:
                continue
            quality = reading.quality
            if quality is _LATE:
                self._read_late(feed, reading, found)
            elif time_ms > feed.last_ms:
                feed.last_ms = time_ms
                if time_ms < feed.until_ms and feed.low <= reading.value <= feed.high and quality is _GOOD:
                    continue
                self._read(feed, reading, found)
        self._meet_deadlines(batch_time_ms, found)
        self._marks[0] = 0
        return found

    def heard_ms(self, device: str) -> int:
        """When *device* was last heard: by its readings' own time, or the arrival of late ones; 0 for never."""
        last_ms = 0
        for feed in self._by_device.get(device, ()):
            last_ms = max(last_ms, feed.last_ms, feed.heard_ms)
        return last_ms

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
                one.quiet.clear()  # it was well, and was to be told nothing for a while: now the end is waited for
                self._wake(one)
                self._schedule.put(one.number, one.due_ms())
                return True
        return False

    def rests(self, rule: str, subject: str) -> bool:
        """Whether *rule* does not judge *subject* for now, because it was set aside."""
        return f"{rule}/{subject}" in self._set_aside

    def forget(self, rule: str, subject: str) -> None:
        """Lets what fires begin anew, where nobody was ever told of it."""
        for one in self._instances:
            if one.rule.name == rule and one.device.id == subject:
                one.machine = Machine()
                self._schedule.put(one.number, one.due_ms())

    def status(self) -> list[Status]:
        """Every rule and subject with its state, severity, and whether the rule cannot tell at present."""
        return [
            Status(
                rule=one.rule.name,
                subject=one.device.id,
                state=one.machine.state,
                severity=one.machine.severity,
                unknown=one.cannot_tell(self._now_ms),
                verdict_ms=one.machine.verdict_ms,
            )
            for one in self._instances
        ]

    def snapshot(self) -> bytes:
        """The whole state as JSON."""
        times = {one: (feed.last_ms, feed.heard_ms) for one, feed in self._feeds.items() if feed is not None}
        return snapshots.encode(self._now_ms, self._batch_ms, times, self._instances)

    def restore(self, snapshot: bytes) -> None:
        """Takes up a snapshot. Entries of rules or devices that are gone are dropped; broken ones start anew."""
        found = snapshots.decode(snapshot)
        self.reset()
        self._now_ms, self._batch_ms = found.now_ms, found.batch_ms
        for series, times in snapshots.last_times(found, self.lost).items():
            feed = self._feed(series)
            if feed is not None:
                feed.last_ms, feed.heard_ms = times
        for one in self._instances:
            snapshots.restore(one, found, self.lost)
            self._schedule.put(one.number, one.due_ms())
        for feed in self._feeds.values():
            if feed is not None:
                feed.settle()

    def _add(self, rule: AnyRule, device: Device) -> None:
        if f"{rule.name}/{device.id}" in self._set_aside:
            return
        inputs = rule.inputs(device, self._campus)
        building = self._campus.site.building(device.place.building)
        use = building.use if building is not None else ""
        params = self._settings.of(rule, device, use).params
        if not inputs or not params.enabled:
            return
        by_opening: dict[Opening, RuleParams] = {
            opening: self._settings.of(rule, device, use, opening).params
            for opening in (Opening.OPEN, Opening.CLOSED)
            if self._settings.differs(rule, device, opening)
        }
        one = Instance(rule, device, self._campus, params, by_opening, self.heard_ms)
        one.inputs = tuple(dict.fromkeys(wanted.device for wanted in inputs))
        one.number = self._schedule.add(one.due_ms())
        self._instances.append(one)
        for wanted in inputs:
            self._inputs.setdefault(wanted.device, {}).setdefault(wanted.quantity, []).append(one)

    def _feed(self, series: Series) -> _Feed | None:
        """The feed of a series somebody wants; of strangers' nothing is kept."""
        wanted = self._inputs.get(series.device)
        if wanted is None:
            return None
        instances = tuple(dict.fromkeys([*wanted.get(series.quantity, ()), *wanted.get(None, ())]))
        feed = self._feeds[series] = _Feed(series, instances) if instances else None
        if feed is not None:
            self._by_device.setdefault(series.device, []).append(feed)
        return feed

    def _read(self, feed: _Feed, reading: Reading, found: list[Transition]) -> None:
        """Shows a reading to those who want to see it, and sums up on the way what none of them need see next."""
        series, value, time_ms, schedule = reading.series, reading.value, reading.time_ms, self._schedule
        trusted = reading.quality is _GOOD and value - value == 0.0  # not so for NaN and infinities
        marks = self._marks
        low, high, until_ms = -math.inf, math.inf, _FOREVER_MS
        for one in feed.instances:
            quiet = one.quiet.get(series)
            if not (
                quiet is not None
                and trusted
                and time_ms < quiet.until_ms
                and quiet.low <= value <= quiet.high
            ):
                marks[0] = one.mark
                try:
                    transitions = one.read(reading, trusted=trusted)
                    schedule.put(one.number, one.due_ms())
                except Exception as error:  # noqa: BLE001 - one subject's trouble must not stop the others' alerts
                    self._fault(one, error)
                    until_ms = 0
                    continue
                if transitions is not None:
                    found += transitions
                quiet = one.quiet.get(series)
                if quiet is None:
                    until_ms = 0
                    continue
            # Written out, as the calls of max() and min() would take longer than the rest of this loop.
            if quiet.low > low:  # noqa: PLR1730 - see above
                low = quiet.low
            if quiet.high < high:  # noqa: PLR1730
                high = quiet.high
            if quiet.until_ms < until_ms:  # noqa: PLR1730
                until_ms = quiet.until_ms
        feed.low, feed.high, feed.until_ms = low, high, until_ms

    def _read_late(self, feed: _Feed, reading: Reading, found: list[Transition]) -> None:
        feed.heard_ms = max(feed.heard_ms, reading.received_ms)
        for one in feed.instances:
            self._marks[0] = one.mark
            try:
                found += one.read_late(reading) or ()
                self._schedule.put(one.number, one.due_ms())
            except Exception as error:  # noqa: BLE001 - as above
                self._fault(one, error)

    def _meet_deadlines(self, until_ms: int, found: list[Transition]) -> None:
        while self._schedule.next_ms <= until_ms:
            due = self._schedule.pop(until_ms)
            if due is None:
                break
            due_ms, number = due
            one = self._instances[number]
            now_ms = due_ms or until_ms  # 0 asks for the first moment there is
            was_quiet, sleeps = bool(one.quiet), False
            self._marks[0] = one.mark
            try:
                found += one.pass_time(now_ms) or ()
                sleeps = self._falls_asleep(one)
                next_ms = None if sleeps else one.due_ms()
            except Exception as error:  # noqa: BLE001 - as above
                next_ms = self._fault(one, error)
            if next_ms is not None and next_ms <= now_ms:
                next_ms = (
                    now_ms + _LOOK_AGAIN_MS
                )  # met, and it still stands: a delay that changed with the hours
            self._schedule.put(number, next_ms)
            if was_quiet and not one.quiet:
                self._wake(one)
        self._now_ms = max(self._now_ms, until_ms)

    def _falls_asleep(self, one: Instance) -> bool:
        """Stops the clock of an instance that waits for devices of which none was ever heard.

        In a replay of one sensor on a campus of hundreds these would be nearly all deadlines.
        """
        if not one.wakers or not one.is_idle or any(device in self._by_device for device in one.wakers):
            return False
        for device in one.wakers:
            self._asleep.setdefault(device, []).append(one)
        return True

    def _wind(
        self, reading: Reading, readings: Sequence[Reading], batch_time_ms: int, found: list[Transition]
    ) -> None:
        """Sets going the clocks that waited for the device of *reading*, and makes up for what they have missed.

        So they look at the same moments as if they had never stood.
        """
        for one in self._asleep.pop(reading.series.device):
            self._schedule.put(one.number, one.due_ms())
        reached_ms = self._now_ms
        for earlier in readings:  # those before it in the batch have moved time on, too
            reached_ms = max(reached_ms, min(earlier.time_ms, batch_time_ms))
            if earlier is reading:
                break
        self._meet_deadlines(reached_ms, found)

    def _wake(self, one: Instance) -> None:
        for device in one.inputs:
            for feed in self._by_device.get(device, ()):
                feed.settle()

    def _follow_clock(self, batch_time_ms: int) -> None:
        """Notes a clock that was set back, and a gap in which nobody listened."""
        if self._batch_ms - batch_time_ms > SET_BACK_MS:
            self._set_back(batch_time_ms)
        gap_ms = batch_time_ms - self._batch_ms
        if self._blind_after_ms and self._batch_ms and gap_ms > self._blind_after_ms:
            for one in self._instances:
                try:
                    one.rule.on_blind(one.memory, self._batch_ms, batch_time_ms)
                except Exception as error:  # noqa: BLE001 - as above
                    self._fault(one, error)
                self._schedule.put(one.number, one.due_ms())
        self._batch_ms = max(self._batch_ms, batch_time_ms)

    def _set_back(self, batch_time_ms: int) -> None:
        """Moves everything that is remembered by as much as the clock: what has held goes on holding, what was heard
        lies in the past, and the next reading is newer than all of them.
        """
        faults = self.faults
        self.restore(snapshots.moved(self.snapshot(), batch_time_ms - self._batch_ms))
        self.faults = faults

    def _fault(self, one: Instance, error: Exception) -> int | None:
        """The rule begins anew for this subject; an alert that fires goes on firing, as nothing says it is over.

        Returns when it wants to be asked next; a rule that cannot say even that is asked by readings only.
        """
        self._note_fault(one.rule.name, one.device.id, error)
        next_ms = None
        try:
            one.memory, one.backlog = one.rule.start(one.device), None
            one.quiet.clear()
            next_ms = one.due_ms()
        except Exception as again:  # noqa: BLE001 - as above
            self._note_fault(one.rule.name, one.device.id, again)
        self._wake(one)
        self._schedule.put(one.number, next_ms)
        return next_ms

    def _note_fault(self, rule: str, subject: str, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        self.faults = [*self.faults, Fault(rule, subject, reason, self._batch_ms)][-_KEPT_FAULTS:]
