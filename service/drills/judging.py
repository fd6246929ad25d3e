"""Has the rules of the running exercise judge what the journal holds of it."""

from __future__ import annotations

from service.drills.ports import DrillPorts
from service.drills.run import DrillRun
from store.errors import JournalDamaged

_BATCHES_AT_ONCE = 256


class DrillJudging:
    """Follows the journal from where an exercise began; it keeps no offset, as no exercise outlives the process."""

    def __init__(self, ports: DrillPorts) -> None:
        self._ports = ports
        self._seq = 0

    def begin(self) -> None:
        """From the journal's end on."""
        self._seq = self._ports.journal.last_seq()

    def wait(self, timeout_s: float) -> bool:
        """Whether there is a batch that was not judged yet; waits so long for one."""
        return self._ports.journal.wait(self._seq, timeout_s)

    def judge(self, run: DrillRun) -> bool:
        """Judges the batches that are there and keeps what came of it; whether anything came."""
        try:
            batches = self._ports.journal.read(self._seq, max_batches=_BATCHES_AT_ONCE)
        except JournalDamaged as error:
            self._seq = error.seq
            return False
        transitions = run.judge(batches)
        if transitions:
            self._ports.book.take_own(transitions, self._ports.now_ms())
        self._seq = batches[-1].seq if batches else self._seq
        return bool(transitions)
