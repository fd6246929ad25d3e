"""An exercise as everyone but the database sees it, and the log that keeps them all."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from alerts.errors import NoSuchDrill
from store.operations.database import reading
from store.operations.tables import DrillRow


class DrillState(enum.StrEnum):
    """*Refused* never began; *aborted* was ended by the service, *stopped* by a person."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    ABORTED = "aborted"
    REFUSED = "refused"


class DrillOrder(msgspec.Struct, frozen=True):
    """What is asked for. *people*: ids of people.csv, roles, ``duty`` or ``group``; *device* is the real one to shadow.

    *speed* 1 is real time; above, time is compressed for the drill devices and for the rules that judge them.
    *start_ms* 0 is at once. *seed* chooses places and noise.
    """

    scenario: str
    people: tuple[str, ...]
    announced: bool = True
    speed: int = 1
    device: str = ""
    start_ms: int = 0
    seed: int = 1


class PlannedFault(msgspec.Struct, frozen=True):
    """What is made to happen, on the wall's clock."""

    kind: str
    devices: tuple[str, ...]
    start_ms: int
    end_ms: int


class PlannedExpectation(msgspec.Struct, frozen=True):
    """One of *rules* about one of *subjects* at *level* or worse by *by_ms*; *from_ms* is when its fault begins."""

    rules: tuple[str, ...]
    level: str
    from_ms: int
    by_ms: int
    subjects: tuple[str, ...] = ()


class DrillPlan(msgspec.Struct, frozen=True):
    """An order worked out. *copies* are drill devices and the real ones they stand for, *names* what they are called."""

    title: str = ""
    description: str = ""
    copies: dict[str, str] = {}
    names: dict[str, str] = {}
    buildings: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    faults: tuple[PlannedFault, ...] = ()
    expect: tuple[PlannedExpectation, ...] = ()
    ends_ms: int = 0


class Drill(msgspec.Struct, frozen=True):
    """One exercise from order to record."""

    id: int
    state: DrillState
    asked: DrillOrder
    plan: DrillPlan
    ordered_ms: int
    ordered_by: str
    start_ms: int
    began_ms: int | None = None
    ended_ms: int | None = None
    ended_by: str = ""
    reason: str = ""

    @property
    def over(self) -> bool:
        return self.state not in {DrillState.PLANNED, DrillState.RUNNING}


class DrillLog:
    """All exercises, in the operations database. Thread-safe."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._reading = reading(database)

    def add(self, asked: DrillOrder, plan: DrillPlan, *, who: str, now_ms: int) -> int:
        """Keeps an order as planned; its number."""
        with Session(self._database) as session, session.begin():
            row = DrillRow(
                scenario=asked.scenario, state=DrillState.PLANNED.value, asked=msgspec.to_builtins(asked),
                plan=msgspec.to_builtins(plan), ordered_ms=now_ms, ordered_by=who,
                start_ms=asked.start_ms or now_ms,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id

    def accepted(self, drill_id: int, plan: DrillPlan) -> None:
        """An order from outside was looked at and may wait for its time."""
        with Session(self._database) as session, session.begin():
            _row(session, drill_id).plan = msgspec.to_builtins(plan)

    def began(self, drill_id: int, plan: DrillPlan, now_ms: int) -> None:
        """It runs from now on."""
        with Session(self._database) as session, session.begin():
            row = _row(session, drill_id)
            row.state, row.began_ms, row.plan = DrillState.RUNNING.value, now_ms, msgspec.to_builtins(plan)

    def ended(
        self, drill_id: int, state: DrillState, now_ms: int, *, who: str = "", reason: str = ""
    ) -> None:
        """It is over, for *reason*. Whatever ended it first stays."""
        with Session(self._database) as session, session.begin():
            row = _row(session, drill_id)
            if not _drill(row).over:
                row.state, row.ended_ms, row.ended_by, row.reason = state.value, now_ms, who, reason

    def get(self, drill_id: int) -> Drill:
        """One exercise; raises :class:`NoSuchDrill`."""
        with Session(self._reading) as session:
            return _drill(_row(session, drill_id))

    def find(
        self, *, states: Sequence[DrillState] = (), scenario: str = "", before_id: int = 0, limit: int = 100
    ) -> list[Drill]:
        """The newest first."""
        query = sa.select(DrillRow).order_by(DrillRow.id.desc()).limit(limit)
        if states:
            query = query.where(DrillRow.state.in_([one.value for one in states]))
        if scenario:
            query = query.where(DrillRow.scenario == scenario)
        if before_id:
            query = query.where(DrillRow.id < before_id)
        with Session(self._reading) as session:
            return [_drill(row) for row in session.scalars(query)]


def _row(session: Session, drill_id: int) -> DrillRow:
    row = session.get(DrillRow, drill_id)
    if row is None:
        raise NoSuchDrill(drill_id)
    return row


def _drill(row: DrillRow) -> Drill:
    body: Mapping[str, object] = {
        "id": row.id, "state": row.state, "asked": row.asked, "plan": row.plan, "ordered_ms": row.ordered_ms,
        "ordered_by": row.ordered_by, "start_ms": row.start_ms, "began_ms": row.began_ms,
        "ended_ms": row.ended_ms, "ended_by": row.ended_by, "reason": row.reason,
    }  # fmt: skip
    return msgspec.convert(body, Drill)
