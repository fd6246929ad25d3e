"""How an exercise went: a pure function of what was planned and what was written down."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec

from alerts.drills.drill import Drill, DrillState, PlannedExpectation
from rules.level import Level


class Deed(enum.StrEnum):
    """What a good crew gets done, in this order."""

    NOTICED = "noticed"
    TOLD = "told"
    READ = "read"
    ACKNOWLEDGED = "acknowledged"
    HANDLED = "handled"


class Verdict(enum.StrEnum):
    """What became of an expectation or a deed; *open* may still come."""

    MET = "met"
    LATE = "late"
    MISSED = "missed"
    OPEN = "open"


class DrillMessage(msgspec.Struct, frozen=True):
    """A message of an exercise; *sent_ms* None is one that never went out."""

    channel: str
    recipient: str
    created_ms: int
    sent_ms: int | None = None
    failed: str = ""


class Act(msgspec.Struct, frozen=True):
    """Somebody did something about an alert."""

    kind: str
    time_ms: int
    who: str = ""
    cause: str = ""
    repair_note: str = ""


class Heard(msgspec.Struct, frozen=True):
    """An alert of an exercise with all that followed from it. *levels* are the levels it reached, and when."""

    id: int
    rule: str
    subject: str
    opened_ms: int
    levels: tuple[tuple[int, Level], ...]
    messages: tuple[DrillMessage, ...] = ()
    acts: tuple[Act, ...] = ()


class Expected(msgspec.Struct, frozen=True):
    """An expectation and what came of it; *after_ms* counts from its fault's start, in the scenario's own time."""

    planned: PlannedExpectation
    verdict: Verdict
    allowed_ms: int
    after_ms: int | None = None
    alert_id: int | None = None


class Done(msgspec.Struct, frozen=True):
    """A deed: when first, by whom, and how long after what it followed from: noticing after the fault's start in the
    scenario's own time, what people do in real time.
    """

    deed: Deed
    verdict: Verdict
    time_ms: int | None = None
    who: tuple[str, ...] = ()
    after_ms: int | None = None


class Score(msgspec.Struct, frozen=True):
    """*passed* of *due* items were met; an item is an expectation or a deed."""

    expected: tuple[Expected, ...]
    done: tuple[Done, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Of every item."""
        return (*(one.verdict for one in self.expected), *(one.verdict for one in self.done))

    @property
    def due(self) -> int:
        return len(self.verdicts)

    @property
    def passed(self) -> int:
        return self.verdicts.count(Verdict.MET)

    @property
    def missed(self) -> int:
        return self.verdicts.count(Verdict.MISSED) + self.verdicts.count(Verdict.LATE)

    def deed(self, deed: Deed) -> Done:
        """One of the deeds."""
        return next(one for one in self.done if one.deed is deed)


def score(drill: Drill, heard: Sequence[Heard], now_ms: int) -> Score:
    """*now_ms* decides what can still come while it runs."""
    end_ms = drill.ended_ms if drill.ended_ms is not None else now_ms
    expected = tuple(_expected(one, heard, drill, end_ms) for one in drill.plan.expect)
    return Score(expected, _deeds(drill, heard))


def _expected(one: PlannedExpectation, heard: Sequence[Heard], drill: Drill, end_ms: int) -> Expected:
    wanted = Level(one.level).rank
    found = min(
        (
            (at_ms, alert.id)
            for alert in heard
            if alert.rule in one.rules and (not one.subjects or alert.subject in one.subjects)
            for at_ms, level in alert.levels
            if level.rank >= wanted
        ),
        default=None,
    )
    speed = drill.asked.speed
    allowed_ms = (one.by_ms - one.from_ms) * speed
    if found is None:
        # Cut off before its time was up, it was not missed: nobody knows.
        pending = end_ms < one.by_ms
        return Expected(one, Verdict.OPEN if pending else Verdict.MISSED, allowed_ms)
    verdict = Verdict.MET if found[0] <= one.by_ms else Verdict.LATE
    return Expected(one, verdict, allowed_ms, (found[0] - one.from_ms) * speed, found[1])


def _deeds(drill: Drill, heard: Sequence[Heard]) -> tuple[Done, ...]:
    began_ms = min((one.start_ms for one in drill.plan.faults), default=drill.began_ms or drill.start_ms)
    opened = [(one.opened_ms, "") for one in heard]
    sent = [
        (one.sent_ms, one.recipient) for alert in heard for one in alert.messages if one.sent_ms is not None
    ]
    first_ms = min(opened)[0] if opened else None
    notified_ms = min(sent)[0] if sent else None
    acts = {
        deed: [(act.time_ms, act.who) for alert in heard for act in alert.acts if _is(act, deed)]
        for deed in (Deed.READ, Deed.ACKNOWLEDGED, Deed.HANDLED)
    }
    # Whoever takes an alert on has read it, also where the message itself was not opened.
    acts[Deed.READ] += acts[Deed.ACKNOWLEDGED]
    taken_ms = min(acts[Deed.ACKNOWLEDGED], default=(notified_ms, ""))[0]
    return (
        _done(Deed.NOTICED, opened, began_ms, drill),
        _done(Deed.TOLD, sent, first_ms, drill),
        _done(Deed.READ, acts[Deed.READ], notified_ms, drill),
        _done(Deed.ACKNOWLEDGED, acts[Deed.ACKNOWLEDGED], notified_ms, drill),
        _done(Deed.HANDLED, acts[Deed.HANDLED], taken_ms, drill),
    )


def _is(act: Act, deed: Deed) -> bool:
    return is_handled(act) if deed is Deed.HANDLED else act.kind == deed.value


def is_handled(act: Act) -> bool:
    """Whether somebody wrote down what it was, or what was done."""
    return act.kind == "noted" and bool(act.cause.strip() or act.repair_note.strip())


def _done(deed: Deed, found: Sequence[tuple[int, str]], since_ms: int | None, drill: Drill) -> Done:
    if not found:
        # Cut off by the service, nobody knows whether it would have been done.
        known = drill.over and drill.state is not DrillState.ABORTED
        return Done(deed, Verdict.MISSED if known else Verdict.OPEN)
    time_ms = min(found)[0]
    speed = drill.asked.speed if deed is Deed.NOTICED else 1
    who = tuple(dict.fromkeys(name for _, name in sorted(found) if name))
    return Done(
        deed, Verdict.MET, time_ms, who, None if since_ms is None else max(0, time_ms - since_ms) * speed
    )
