"""From the receiver to the journal: group commit, then acknowledge."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog

from campus import selftest
from campus.clock import steady_ms
from campus.reading import Quality, Reading
from campus.selftest import Stage, Trace
from campus.worker import Worker
from ingest.allowance import Allowances
from ingest.dedupe import Repeats
from ingest.message import LONGEST_TOPIC, Message
from ingest.message_guard import MessageGuard
from ingest.message_reader import MessageFate, MessageReader, held, topic_too_long
from ingest.mqtt.burst import Burst, Waiting
from ingest.normalise import ALLOWED_LATENESS_MS
from ingest.redeliveries import CONTENT, REMEMBERED_MESSAGES, Redeliveries, fingerprint
from store.errors import JournalDamaged, JournalFull
from store.journal.counts import Counts
from store.journal.journal import Journal
from store.quarantine import POISON, QuarantineEntry

log = structlog.get_logger()

GROUP_MESSAGES = 1_000
GROUP_BYTES = 8 * 1024 * 1024
GROUP_S = 0.05
#: messages waiting to be decoded; beyond it the receiver blocks, and the broker holds the rest
MOST_WAITING = 20_000
MOST_WAITING_BYTES = 32 * 1024 * 1024
_MOST_FLOODING = 100
_FULL_RETRY_S = 1.0
_PRIMED_BATCHES = 500


class _Group:
    """What one commit will hold."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.held: list[QuarantineEntry] = []
        self.marks: dict[int, None] = {}
        #: numbers of the self-test
        self.tested: list[int] = []
        #: what is in the marks of messages that may come again under another identifier
        self.contents: set[int] = set()
        self.released: list[int] = []
        self.counts = Counts()
        #: the common fate, counted apart
        self.journaled = 0

    def mark(self, message: Message, mark: int) -> None:
        """Remembers that *message* is committed with this group."""
        self.marks[mark] = None
        if message.renumbered:
            self.contents.add(mark & CONTENT)

    def has(self, message: Message, mark: int) -> bool:
        """Whether the first copy of a message that came again waits in this very group."""
        return message.dup and (
            mark in self.marks or (message.renumbered and mark & CONTENT in self.contents)
        )


class Pipeline:
    """One thread that judges and commits. A message is acknowledged only after its commit."""

    def __init__(
        self,
        journal: Journal,
        read: MessageReader,
        *,
        now_ms: Callable[[], int],
        steady_ms: Callable[[], int] = steady_ms,
        allowances: Allowances | None = None,
        trace: Trace | None = None,
        guard: MessageGuard | None = None,
    ) -> None:
        self._journal = journal
        self._read = read
        self._now_ms = now_ms
        self._steady_ms = steady_ms
        self._guard = guard
        self._waiting = Waiting(MOST_WAITING, MOST_WAITING_BYTES)
        self._redeliveries = Redeliveries(
            journal.recent_fingerprints(REMEMBERED_MESSAGES), began_ms=steady_ms()
        )
        self._repeats = Repeats()
        self._repeats.prime(_last_readings(journal))
        self._allowances = allowances or Allowances()
        self._trace = trace or Trace()
        #: messages taken that are no self-test's
        self.messages = 0
        #: messages left out, by topic, since somebody last took the figures
        self.flooding: dict[str, int] = {}
        #: single messages of a step that failed, neither committed nor acknowledged yet
        self._again: deque[Burst] = deque()
        self.worker = Worker("ingest", self.step)
        #: set while the journal's quota keeps messages from being acknowledged
        self.stalled = ""
        self.last_message_ms = 0
        self.batches = 0

    def put(self, burst: Burst) -> None:
        """Hands messages over; blocks while too many are waiting, which is what holds the broker back."""
        self._waiting.put(burst)

    def take_flooding(self) -> dict[str, int]:
        """Messages left out since this was last asked, by topic."""
        taken, self.flooding = self.flooding, {}
        return taken

    def replay(self, entries: Sequence[QuarantineEntry]) -> int:
        """Feeds held messages through again, each with its own receipt time."""
        messages = [Message(entry.topic, entry.payload, entry.time_ms) for entry in entries]
        if messages:
            self.put(Burst(messages, None, tuple(entry.id for entry in entries)))
        return len(entries)

    @property
    def waiting(self) -> int:
        """Messages received and not yet judged."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether whoever puts more would have to wait."""
        return len(self._waiting) >= MOST_WAITING

    def start(self) -> None:
        """Starts the worker that judges and commits what is put in."""
        self.worker.start()

    def stop(self) -> None:
        """Commits the group under way; what is still queued stays with the broker, unacknowledged."""
        self.worker.request_stop()
        self._waiting.close()
        self.worker.stop()
        self._read.keep(self._now_ms(), at_once=True)

    def step(self, timeout_s: float = 0.2) -> None:
        """Judges and commits what waits; first what a failed step had taken, each message alone."""
        if self._again:
            self._process_alone(self._again[0])
            self._again.popleft()
            return
        bursts = self._waiting.take(GROUP_MESSAGES, GROUP_BYTES, timeout_s=timeout_s, gather_s=GROUP_S)
        if not bursts:
            return
        try:
            self._process(bursts)
        except BaseException:
            self._again.extend(one for burst in bursts for one in _apart(burst))
            raise

    def _process(self, bursts: Sequence[Burst]) -> None:
        group = _Group()
        try:
            for burst in bursts:
                self.last_message_ms = max(self.last_message_ms, burst.messages[-1].received_ms)
                for index, message in enumerate(burst.messages):
                    self._take(group, message, burst.released[index] if burst.released else 0)
        except BaseException:
            self._repeats.forget(group.readings)  # they will be taken again
            raise
        self._finish(group, bursts)

    def _process_alone(self, burst: Burst) -> None:
        """A message that fails alone, too, is held back with the reason, so that it stops no other."""
        try:
            self._process([burst])
        except BaseException as error:  # whatever it is, the next message must have its turn
            message = burst.messages[0]
            log.exception("message.failed", topic=message.topic)
            group = _Group()
            if not burst.released:  # one that was replayed stays where it is
                reason = f"{type(error).__name__}: {error}"
                group.held.append(held(message, "internal_error", reason))
                group.counts = Counts(quarantined=1)
            self._finish(group, [burst])

    def _finish(self, group: _Group, bursts: Sequence[Burst]) -> None:
        if not self._commit(group):
            return
        if group.tested:
            self._trace.reach(Stage.JOURNALED, group.tested)
        try:
            self._read.keep(self._now_ms())
        except Exception:  # the readings are committed, and must not be so again
            log.exception("births.not_saved")
        for burst in bursts:
            self._acknowledge(burst)

    def _take(self, group: _Group, message: Message, released: int) -> None:
        if len(message.topic) > LONGEST_TOPIC:  # before anything remembers it
            self._fate(group, topic_too_long(message))
            return
        if message.topic == selftest.TOPIC:
            self._take_selftest(group, message)
            return
        self.messages += 1
        if not self._allowances.take(message.topic, message.received_ms) and self._is_crowded():
            self._limit(group, message)
            return
        known_by = fingerprint(message)
        mark = known_by if message.qos else 0
        if mark and (group.has(message, mark) or self._redeliveries.seen(message, mark)):
            group.counts += Counts(duplicates=1)
            group.mark(message, mark)  # it may be delivered once more, until our acknowledgement arrives
            return
        why = self._guard.begin(message, known_by) if self._guard is not None else ""
        fate = MessageFate(held=(held(message, POISON, why),)) if why else self._read(message)
        if mark:
            group.mark(message, mark)
        if released:
            self._take_replayed(group, released, fate)
        else:
            self._fate(group, fate)

    def _take_selftest(self, group: _Group, message: Message) -> None:
        """A number of the test under way goes the common road; an old one, or a stranger's, goes nowhere. None is counted."""
        readings = self._read(message).readings
        numbers = [int(one.value) for one in readings if self._trace.knows(int(one.value))]
        if numbers:
            self._trace.reach(Stage.RECEIVED, numbers)
            group.readings += self._repeats.fresh(readings)
            group.tested += numbers

    def _is_crowded(self) -> bool:
        waiting = self._waiting
        return len(waiting) > MOST_WAITING // 4 or waiting.size_bytes > MOST_WAITING_BYTES // 4

    def _limit(self, group: _Group, message: Message) -> None:
        group.counts += Counts(limited=1)
        if len(self.flooding) < _MOST_FLOODING or message.topic in self.flooding:
            self.flooding[message.topic] = self.flooding.get(message.topic, 0) + 1

    def _fate(self, group: _Group, fate: MessageFate) -> None:
        fresh = self._repeats.fresh(fate.readings)
        if fate.held:
            group.held += fate.held
        if fresh:
            group.readings += fresh
            group.journaled += 1
        elif fate.held:
            group.counts += Counts(quarantined=1)
        else:
            group.counts += Counts(duplicates=1) if fate.readings else Counts(ignored=1)

    def _take_replayed(self, group: _Group, entry: int, fate: MessageFate) -> None:
        """A held message that reads now leaves quarantine in the same commit; one that does not stays there."""
        if fate.held:
            return
        fresh = [_history(one, self._now_ms()) for one in self._repeats.fresh(fate.readings)]
        group.readings += fresh
        group.released.append(entry)
        group.counts += Counts(journaled=1, quarantined=-1) if fresh else Counts(duplicates=1, quarantined=-1)

    def _commit(self, group: _Group) -> bool:
        """Commits, waiting for space as long as it takes; False when told to stop before."""
        if self._guard is not None:
            self._guard.end()
        while True:
            committed_ms = self._now_ms()
            try:
                self._journal.append(
                    group.readings,
                    committed_ms=committed_ms,
                    fingerprints=list(group.marks),
                    quarantined=group.held,
                    released=group.released,
                    counts=group.counts + Counts(journaled=group.journaled),
                )
            except JournalFull as error:
                if not self.stalled:
                    log.error("journal.full", size_bytes=error.size_bytes, quota_bytes=error.quota_bytes)  # noqa: TRY400
                self.stalled = str(error)
            except Exception as error:
                if not self.stalled:
                    log.exception("journal.append_failed")
                self.stalled = f"{type(error).__name__}: {error}"
            else:
                if self.stalled:
                    log.info("journal.resumed")
                self.stalled = ""
                self.batches += 1
                self._redeliveries.committed(group.marks, self._steady_ms())
                return True
            if self.worker.pause(_FULL_RETRY_S):
                self._repeats.forget(group.readings)
                return False

    def _acknowledge(self, burst: Burst) -> None:
        if burst.acknowledge is not None:
            try:
                burst.acknowledge(burst.messages)
            except Exception:  # the broker will deliver them again, and they will be known
                log.exception("mqtt.acknowledge_failed", messages=len(burst.messages))


def _apart(burst: Burst) -> Iterator[Burst]:
    """*burst* as bursts of one message each."""
    for index, message in enumerate(burst.messages):
        yield Burst([message], burst.acknowledge, burst.released[index : index + 1])


def _history(reading: Reading, now_ms: int) -> Reading:
    """A reading that was held for long is history by now, whenever it was received."""
    if now_ms - reading.time_ms <= ALLOWED_LATENESS_MS or reading.quality is Quality.LATE:
        return reading
    return msgspec.structs.replace(reading, quality=Quality.LATE)


def _last_readings(journal: Journal) -> Iterator[Reading]:
    """The readings of the newest batches; a damaged one ends the look back, as it is no reason not to start."""
    last = journal.last_seq()
    try:
        for batch in journal.read(max(0, last - _PRIMED_BATCHES), max_batches=_PRIMED_BATCHES):
            yield from batch.readings
    except JournalDamaged as error:
        log.warning("journal.batch_damaged", seq=error.seq, reason=str(error))
