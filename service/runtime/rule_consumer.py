"""Reads the journal, judges it, and commits alerts with the position they were judged at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from alerts.alert import Alert
from alerts.book import AlertBook
from campus import selftest
from campus.clock import SECOND_MS
from campus.selftest import Stage, Trace
from campus.worker import Worker
from rules.engine.engine import Engine, Fault, Marks
from rules.errors import BadSnapshot
from rules.level import State
from rules.selftest import mark_of
from rules.verdict import Transition
from service.runtime.alert_owner import orphans
from store.errors import JournalDamaged, StoreError
from store.journal.journal import Journal
from store.journal.recent import Batch

log = structlog.get_logger()

NAME = "rules"
SNAPSHOT_EVERY_MS = 60 * SECOND_MS
_BATCHES_AT_ONCE = 256


class RuleConsumer:
    """The engine on the journal. Its effects are exactly once: what is committed is committed with its *seq*.

    A restart loads the newest snapshot, replays the journal up to the committed position without effects
    (they are in the database already), and goes on from there.
    """

    def __init__(
        self,
        journal: Journal,
        engine: Engine,
        book: AlertBook,
        *,
        on_transitions: Callable[[Sequence[Transition]], None] = lambda _: None,
        marks: Marks | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._journal = journal
        self._engine = engine
        self._book = book
        self._on_transitions = on_transitions
        #: the second number says which batch is judged; the first is the engine's own
        self._marks: Marks = [0, 0] if marks is None else marks
        self._trace = trace or Trace()
        self._swap: Engine | None = None
        self._swap_lock = threading.Lock()
        # The offset of a failed step was not committed: the same batches are judged again from the last snapshot.
        self.worker = Worker(
            NAME,
            lambda: self.step(timeout_s=0.5),
            on_failure=lambda _: self._doubt(),
            expected=(SQLAlchemyError,),
        )
        #: whether the engine stands where *seq* says; else it must recover before it may judge or be kept
        self.recovered = False
        self.seq = 0
        self.snapshot_seq = 0
        self.damaged_batches = 0
        self._snapshot_ms = 0

    def recover(self) -> None:
        """Brings the engine to the committed position, and the book's open alerts into the engine.

        Nothing is changed while the book cannot be read; who calls repeats it.
        """
        (committed, snapshot_seq, snapshot), open_alerts = self._book.position(), self._book.open_alerts()
        # an operations database that is an older copy, or new, must not notify people again
        behind = self._journal.offset(NAME) > committed
        committed = max(committed, self._journal.offset(NAME))
        self.recovered = False
        self._engine.reset()
        if snapshot is not None:
            snapshot_seq = self._restore(snapshot, snapshot_seq)
        self.seq = self.snapshot_seq = snapshot_seq
        while self.seq < committed:
            batches = self._read(limit=min(_BATCHES_AT_ONCE, committed - self.seq))
            if not batches:
                break
            for batch in batches:
                if batch.seq <= committed:
                    self._marks[1] = batch.seq
                    self._engine.advance(batch.committed_ms, batch.readings)
                    self.seq = batch.seq
        self.seq = max(self.seq, committed)
        firing = self._engine.firing()
        known = {(alert.rule, alert.subject) for alert in open_alerts}
        self._own(open_alerts)
        rebuilt = behind or (snapshot is not None and snapshot_seq == 0)
        if rebuilt:  # what fires and is in no book fires anew
            for rule, subject in firing.keys() - known:
                self._engine.forget(rule, subject)
        # what was judged again held every self-test since the snapshot: as many openings are no flapping
        self._engine.forget(selftest.RULE, selftest.DEVICE_ID)
        self.recovered = True

    def _own(self, open_alerts: Sequence[Alert]) -> None:
        """Sees to it that every open alert of a rule has somebody who will see its end, or ends it."""
        ended = orphans(self._engine, open_alerts)
        if ended:
            self._book.end(ended, self._journal.last_time_ms())
            log.info("alerts.ended", alerts=ended, reason="no rule judges them any more")
            self._on_transitions(())

    def _restore(self, snapshot: bytes, seq: int) -> int:
        """Takes up the snapshot; one of another version is dropped, and the state rebuilt from all the journal holds."""
        try:
            self._engine.restore(snapshot)
        except BadSnapshot as error:
            log.warning("rules.snapshot_dropped", reason=str(error))
            self._engine.reset()
            return 0
        for lost in self._engine.lost:
            log.warning("rules.state_dropped", entry=lost)
        return seq

    def step(self, timeout_s: float = 0.0) -> bool:
        """Judges what the journal holds; True when there was anything.

        After a step that failed it recovers first, and raises again as long as that fails.
        """
        if not self.recovered:
            self.recover()
        if not self._journal.wait(self.seq, timeout_s):
            return False
        batches = self._read(limit=_BATCHES_AT_ONCE)
        self._take_swap()
        transitions: list[Transition] = []
        time_ms = 0
        for batch in batches:
            self._marks[1] = batch.seq
            transitions += self._engine.advance(batch.committed_ms, batch.readings)
            self.seq = batch.seq
            time_ms = batch.committed_ms
        if batches:
            self._commit(transitions, time_ms)
        return bool(batches)

    def faults(self) -> Sequence[Fault]:
        """Rules that failed and began anew, the newest last."""
        return self._engine.faults

    def swap_engine(self, engine: Engine) -> None:
        """Replaces the engine after a reload of the rules; the state is carried over at the next step."""
        with self._swap_lock:
            self._swap = engine

    def recover_again(self) -> None:
        """The operations database was put back from a copy under us: the next step begins from what is in it."""
        self.recovered = False

    def start(self) -> None:
        self.worker.start()

    def stop(self) -> None:
        """Finishes the step under way and takes a last snapshot."""
        self.worker.request_stop()
        self._journal.wake()
        self.worker.stop()
        if self.recovered and self.seq > self.snapshot_seq:
            try:
                self._snapshot((), self._journal.last_time_ms())
            except SQLAlchemyError as error:  # the next start recovers from the snapshot before
                log.warning("rules.not_kept", seq=self.seq, reason=str(error))

    def _doubt(self) -> None:
        """What a failed step judged was not committed, so the engine is ahead of the book."""
        self.recovered = False

    def _read(self, *, limit: int) -> list[Batch]:
        while True:
            try:
                return self._journal.read(self.seq, max_batches=limit)
            except JournalDamaged as error:
                log.error("journal.batch_damaged", seq=error.seq, reason=str(error))  # noqa: TRY400 - no traceback helps
                self.damaged_batches += 1
                if error.seq > self.seq + 1 and limit > 1:
                    limit = 1
                else:
                    self.seq = error.seq

    def _commit(self, transitions: Sequence[Transition], time_ms: int) -> None:
        tested = [transition for transition in transitions if transition.rule == selftest.RULE]
        self._trace.reach(Stage.JUDGED, map(mark_of, tested))
        if self._snapshot_ms == 0:
            self._snapshot_ms = time_ms
        if not 0 <= time_ms - self._snapshot_ms < SNAPSHOT_EVERY_MS:  # below 0 where the clock was set back
            self._snapshot(transitions, time_ms)
        elif transitions:
            self._book.apply(transitions, seq=self.seq, time_ms=time_ms)
            self._note_position()
        if tested:
            self._end_selftest(tested)
            transitions = [transition for transition in transitions if transition.rule != selftest.RULE]
        for transition in transitions:
            log.info(
                "rule.transition", rule=transition.rule, subject=transition.subject, severity=transition.severity.value,
                change=f"{transition.from_state.value} => {transition.to_state.value}", time_ms=transition.time_ms,
            )  # fmt: skip
        if transitions:
            self._on_transitions(transitions)

    def _end_selftest(self, tested: Sequence[Transition]) -> None:
        """What the self-test brought is in the book. An alarm every few minutes would be flapping: it begins anew each time."""
        for transition in tested:
            if transition.to_state is State.RESOLVED:
                self._trace.end()
            else:
                self._trace.reach(Stage.BOOKED, [mark_of(transition)])
        if tested[-1].to_state is State.RESOLVED:
            self._engine.forget(selftest.RULE, selftest.DEVICE_ID)

    def _snapshot(self, transitions: Sequence[Transition], time_ms: int) -> None:
        self._book.apply(transitions, seq=self.seq, time_ms=time_ms, snapshot=self._engine.snapshot())
        self.snapshot_seq = self.seq
        self._snapshot_ms = time_ms
        self._note_position()

    def _note_position(self) -> None:
        """The journal knows how far was judged, too: by it an operations database is known to be an older copy."""
        try:
            self._journal.save_offset(NAME, self.seq)
        except StoreError as error:
            log.warning("rules.position_not_noted", reason=str(error))

    def _take_swap(self) -> None:
        with self._swap_lock:
            fresh, self._swap = self._swap, None
        if fresh is not None:
            fresh.restore(self._engine.snapshot())
            self._engine = fresh
            self._own(self._book.open_alerts())
