"""When a running exercise must end, and why."""

from __future__ import annotations

from typing import NamedTuple

from alerts.drills.drill import Drill, DrillLog, DrillState
from alerts.drills.record import record_of
from alerts.drills.score import Deed, Verdict
from alerts.own.service import UNREACHABLE
from campus.text import marked as _
from campus.text import translator
from rules.level import Level
from service.drills.ports import DrillPorts
from service.drills.run import DrillRun

REAL_ALERT = _("出现真实告警(编号 {number}),演练立即让路。")
BROKEN = _("演练设备发不出数据:{error}")


class Ending(NamedTuple):
    """How an exercise ends; *reason* in the language of the site."""

    state: DrillState
    reason: str = ""


class DrillEnding:
    """Looks at each round whether the running exercise is over."""

    def __init__(self, ports: DrillPorts, log: DrillLog) -> None:
        self._ports = ports
        self._log = log

    def of(self, run: DrillRun, now_ms: int) -> Ending | None:
        """The end of *run*; None while it goes on."""
        number = self._real_alert(run)
        if self._log.get(run.drill.id).over:  # stopped on the command line
            return Ending(DrillState.STOPPED)
        if number:
            return Ending(DrillState.ABORTED, self._text(REAL_ALERT, number=number))
        if run.failure is not None:
            return Ending(DrillState.ABORTED, self._text(BROKEN, error=run.failure))
        if now_ms >= run.drill.plan.ends_ms or self._all_done(run.drill, now_ms):
            return Ending(DrillState.DONE)
        return None

    def _real_alert(self, run: DrillRun) -> int:
        """A real alert it gives way to: any critical one, as the same two or three people deal with it, or one of a device
        that is shadowed. It is aborted, not paused: nobody should have to tell two stories apart afterwards.
        """
        shadowed = set(run.copies.values())
        for alert in self._ports.book.open_alerts():
            if (
                not alert.drill
                and alert.rule != UNREACHABLE
                and (alert.severity is Level.CRITICAL or alert.subject in shadowed)
            ):
                return alert.id
        return 0

    def _all_done(self, drill: Drill, now_ms: int) -> bool:
        """Nothing more can come: every expectation is settled, and every alert has been dealt with."""
        record = record_of(self._ports.database, drill, now_ms)
        settled = all(expected.verdict is not Verdict.OPEN for expected in record.score.expected)
        return settled and record.score.deed(Deed.HANDLED).verdict is Verdict.MET and record.all_handled

    def _text(self, text: str, **values: object) -> str:
        return translator(self._ports.campus().site.language)(text).format(**values)
