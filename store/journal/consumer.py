"""Carries the journal into the time-series store, at the store's own pace."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import structlog

from campus.clock import MINUTE_MS
from campus.reading import Reading
from campus.selftest import without
from campus.worker import Worker
from store.errors import JournalDamaged, PointRefused, StoreMissing, StoreUnavailable
from store.journal.journal import Journal
from store.journal.recent import Batch
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.refusal import Refused

log = structlog.get_logger()

NAME = "store"
_READINGS_AT_ONCE = 5_000
_BATCHES_AT_ONCE = 64
#: batches looked back for one with readings that the store must have
_LOOK_BACK_BATCHES = 500
#: as long a server may be trusted to have written what it confirmed
REWRITE_MS = 2 * MINUTE_MS
_BACKOFF_S = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
#: how long to wait for news; stopping need not wait for it, as the event is looked at in between
_IDLE_S = 0.5
#: a write of some thousand readings to a slow server, with its time-out
_LIMIT_S = 120.0


class ConsumerStatus(msgspec.Struct, frozen=True):
    """How far the store is behind the journal: in batches, and by the age of the oldest one not yet written."""

    lag_batches: int
    lag_ms: int
    refused: int
    #: why the store cannot be written to now; empty while it can
    error: str


class StoreConsumer:
    """Writes batches, then keeps its offset. A store that is away is waited for; alerts do not wait for it.

    A crash between write and offset repeats the write, which changes nothing. *on_refused* is told of each reading
    the store will never take.

    A server may confirm what it still has in memory only (VictoriaMetrics keeps some ten seconds so), and lose it when
    it is killed, perhaps together with us. So after each outage and each start of ours the last *rewrite_ms* before what
    was confirmed last are written again. A store that lacks even that (a new one, or an older copy of one, put in its place
    while it or we were away) is given all the journal still holds, and *on_behind* is told how many batches.
    """

    def __init__(
        self,
        journal: Journal,
        store: TimeSeriesStore,
        *,
        on_refused: Refused | None = None,
        rewrite_ms: int = 0,
        on_behind: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._store = store
        self._on_refused = on_refused
        self._rewrite_ms = rewrite_ms
        self._on_behind = on_behind
        self.worker = Worker(
            NAME,
            lambda: self.step(timeout_s=_IDLE_S),
            retry_s=_BACKOFF_S,
            on_failure=self._failed,
            expected=(StoreUnavailable,),
            limit_s=_LIMIT_S,
        )
        self.seq = journal.offset(NAME)
        #: the newest batch the store has ever confirmed
        self._confirmed_seq = self.seq
        #: whether what was confirmed last may be gone
        self._uncertain = True
        self._compared = False
        self._reason = ""
        self.refused = 0

    def start(self) -> None:
        """Begins to carry, in a thread of its own."""
        self.worker.start()

    def stop(self) -> None:
        """Finishes the write under way; a pause ends at once."""
        self.worker.request_stop()
        self._journal.wake()
        self.worker.stop()

    @property
    def unavailable(self) -> str:
        """Why the store cannot be written to now; empty while it can."""
        return self._reason if self.worker.failures_in_a_row else ""

    def status(self) -> ConsumerStatus:
        """How it does; safe from any thread."""
        seq = self.seq
        behind = max(0, self._journal.last_seq() - seq)
        return ConsumerStatus(behind, self._lag_ms(seq) if behind else 0, self.refused, self.unavailable)

    def step(self, timeout_s: float = 0.0) -> bool:
        """Writes what there is, up to a few thousand readings; True when there was something.

        Raises :class:`store.errors.StoreUnavailable`; the same readings are then written by a later step.
        """
        if self._uncertain:
            self._take_up()
        if not self._journal.wait(self.seq, timeout_s):
            return False
        try:
            batches = _group(self._journal.read(self.seq, max_batches=_BATCHES_AT_ONCE))
        except JournalDamaged as error:
            log.error("journal.batch_damaged", seq=error.seq, reason=str(error))  # noqa: TRY400 - no traceback helps
            self._move_to(error.seq)
            return True
        if not batches:
            return False
        readings = without([reading for batch in batches for reading in batch.readings])
        if readings:
            self._write(readings)
        self._move_to(batches[-1].seq)
        return True

    def compare_again(self) -> None:
        """The store was emptied under us: the next step gives it all the journal holds."""
        self._compared, self._uncertain = False, True

    @property
    def kept_from_seq(self) -> int:
        """Batches after this one may yet be read: the journal must keep them."""
        return min(self.seq, self._journal.seq_back(self._confirmed_seq, self._rewrite_ms))

    def _take_up(self) -> None:
        """Goes back to where the store surely has everything."""
        seq = self.seq
        if not self._compared and self._lacks_the_last():
            seq = self._journal.first_seq() - 1
            self._on_behind(self.seq - seq)
        elif self._rewrite_ms:
            seq = min(seq, self._journal.seq_back(self._confirmed_seq, self._rewrite_ms))
        if seq < self.seq:
            self._move_to(seq)
        self._compared, self._uncertain = True, False

    def _lacks_the_last(self) -> bool:
        """Whether none of the newest readings that it has confirmed is in the store."""
        newest = self._journal.newest_readings(self.seq, _LOOK_BACK_BATCHES) if self.seq else ()
        if not newest:
            return False
        try:
            latest = self._store.latest({one.series for one in newest})
        except StoreMissing:  # only a write makes it
            return True
        return not any(
            one.series in latest and latest[one.series].time_ms >= one.time_ms - self._rewrite_ms
            for one in newest
        )

    def _write(self, readings: Sequence[Reading]) -> None:
        try:
            self._store.write(readings)
        except PointRefused as error:
            for index, reason in error.refused:
                self._refuse(readings[index], reason)

    def _refuse(self, reading: Reading, reason: str) -> None:
        self.refused += 1
        log.warning("store.point_refused", series=str(reading.series), time_ms=reading.time_ms, reason=reason)
        if self._on_refused is not None:
            self._on_refused(reading, reason)

    def _move_to(self, seq: int) -> None:
        self._journal.save_offset(NAME, seq)
        self.seq = seq
        self._confirmed_seq = max(seq, self._confirmed_seq)

    def _lag_ms(self, seq: int) -> int:
        try:
            waiting = self._journal.read(seq, max_batches=1)
        except JournalDamaged:
            return 0
        # below 0 where the clock was set back since
        return max(0, self._journal.last_time_ms() - waiting[0].committed_ms) if waiting else 0

    def _failed(self, error: BaseException) -> None:
        self._uncertain = True
        if self._rewrite_ms:  # a server: it may come back with another one's files
            self._compared = False
        self._reason = (
            error.reason if isinstance(error, StoreUnavailable) else f"{type(error).__name__}: {error}"
        )


def _group(batches: list[Batch]) -> list[Batch]:
    """The first of *batches*, as many as make a good write; always at least one."""
    total = 0
    for count, batch in enumerate(batches):
        total += len(batch.readings)
        if count and total > _READINGS_AT_ONCE:
            return batches[:count]
    return batches
