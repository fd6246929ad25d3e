"""Whether anybody is told now, and the reason that is kept."""

import pytest

from alerts.decision import ENDINGS, Decision, Reason, decide
from rules.level import Level, State
from rules.verdict import Transition


@pytest.mark.parametrize(
    ("to_state", "severity", "notified", "historical", "tell", "reason"),
    [
        (State.FIRING, Level.NOTICE, None, False, True, Reason.OPENED),
        (State.FIRING, Level.CRITICAL, Level.WARNING, False, True, Reason.ESCALATED),
        (State.FIRING, Level.WARNING, Level.WARNING, False, False, Reason.NOT_LOWERED),  # its advice changed
        (State.FIRING, Level.NOTICE, Level.CRITICAL, False, False, Reason.NOT_LOWERED),
        (State.RESOLVED, Level.WARNING, Level.WARNING, False, True, Reason.RESOLVED),
        (State.RESOLVED, Level.CRITICAL, Level.NOTICE, False, True, Reason.RESOLVED),
        (State.RESOLVED, Level.WARNING, None, False, False, Reason.NOT_OPEN),
        (State.FIRING, Level.CRITICAL, None, True, False, Reason.NOT_HISTORICAL),
        (State.RESOLVED, Level.CRITICAL, Level.CRITICAL, True, False, Reason.NOT_HISTORICAL),
    ],
)
def test_who_is_told(to_state, severity, notified, historical, tell, reason):
    """News is what opens, grows worse or ends; the past and what grows less severe are not."""
    transition = Transition(0, "r", "s", State.FIRING, to_state, severity, historical=historical)
    assert decide(transition, notified) == Decision(tell=tell, reason=reason)


def test_endings():
    """An alert ends by its rule's word, or because nobody judges it any more."""
    assert {Reason.RESOLVED, Reason.RULE_OFF, Reason.DEVICE_GONE} == ENDINGS
