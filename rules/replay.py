"""Which alerts the rules would have raised on a history: the engine itself, fed with the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from campus.clock import iso
from campus.reading import Reading
from rules.engine import Engine
from rules.level import State
from rules.verdict import Transition

_TOLD = {State.FIRING, State.RESOLVED}


def replay(
    engine: Engine, readings: Iterable[Reading], *, until_ms: int | None = None
) -> Iterator[Transition]:
    """Transitions of *readings* (sorted by time), each taken as received when it was true; time ends at *until_ms*."""
    last_ms = 0
    for reading in readings:
        last_ms = reading.time_ms
        yield from engine.advance(reading.time_ms, (reading,))
    yield from engine.advance(max(last_ms, until_ms or 0))


def is_alert(transition: Transition) -> bool:
    """Whether a transition opens, changes or ends an alert; pending ones are the engine's own affair."""
    return transition.to_state in _TOLD


def to_json(transition: Transition) -> dict[str, Any]:
    """One object a transition, as ``shouyuan replay --json`` prints it."""
    return {
        "time": iso(transition.time_ms),
        "rule": transition.rule,
        "subject": transition.subject,
        "state": transition.to_state.value,
        "severity": transition.severity.value,
        "evidence": msgspec.to_builtins(transition.evidence),
    }
