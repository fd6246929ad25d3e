"""Which alerts the rules would have raised on a history: the engine itself, fed with the past."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from campus.campus import Campus
from campus.clock import iso
from campus.reading import Reading
from rules.catalogue import catalogue
from rules.engine.engine import Engine
from rules.level import State
from rules.verdict import Transition

_BATCH = 512
_TOLD = {State.FIRING, State.RESOLVED}


def replay(
    engine: Engine, readings: Iterable[Reading], *, until_ms: int | None = None
) -> Iterator[Transition]:
    """Transitions of *readings* (sorted by time), each taken as received when it was true; time ends at *until_ms*.

    They are fed in handfuls, which is faster and, as batching changes nothing, the same.
    """
    last_ms, rest = 0, iter(readings)
    while batch := list(itertools.islice(rest, _BATCH)):
        last_ms = max(last_ms, batch[-1].time_ms)
        yield from engine.advance(last_ms, batch)
    yield from engine.advance(max(last_ms, until_ms or 0))


def devices_read(subjects: Iterable[str], campus: Campus) -> set[str]:
    """Whose readings the rules of *subjects* stand on: their own, and those of outdoor probes, sub-meters and the like."""
    found: set[str] = set()
    for subject in subjects:
        device = campus.device(subject)
        found.add(subject)
        for rule in catalogue().values():
            found.update(wanted.device for wanted in rule.inputs(device, campus))
    return found


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
