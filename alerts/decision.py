"""Tell anybody now? A pure function that returns its reason; the reason is kept and shown."""

from __future__ import annotations

import enum

import msgspec

from rules.level import Level, State
from rules.verdict import Transition


class Reason(enum.StrEnum):
    """Why somebody is told, or nobody."""

    OPENED = "opened"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    RULE_OFF = "ended: no rule judges it any more"
    DEVICE_GONE = "ended: the device left the register"
    NOT_HISTORICAL = "not told: it lies in the past"
    NOT_LOWERED = "not told: it became less severe"
    NOT_OPEN = "not told: there is no such open alert"


#: why an alert is over
ENDINGS = frozenset({Reason.RESOLVED, Reason.RULE_OFF, Reason.DEVICE_GONE})


class Decision(msgspec.Struct, frozen=True):
    """*tell* and why."""

    tell: bool
    reason: Reason


def decide(transition: Transition, notified_severity: Level | None) -> Decision:
    """What to do about *transition* when the open alert was told with *notified_severity* (None: nothing is open)."""
    if transition.historical:
        return Decision(tell=False, reason=Reason.NOT_HISTORICAL)
    if transition.to_state is State.RESOLVED:
        if notified_severity is None:
            return Decision(tell=False, reason=Reason.NOT_OPEN)
        return Decision(tell=True, reason=Reason.RESOLVED)
    if notified_severity is None:
        return Decision(tell=True, reason=Reason.OPENED)
    if transition.severity.rank > notified_severity.rank:
        return Decision(tell=True, reason=Reason.ESCALATED)
    return Decision(tell=False, reason=Reason.NOT_LOWERED)
