"""What is true of a simulated campus: which fault was where and when, and what a good monitor says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Expectation(NamedTuple):
    """One of *rules* on one of *subjects* (any device, where empty) at *level* or worse by *by_ms*."""

    rules: tuple[str, ...]
    level: str
    by_ms: int
    subjects: tuple[str, ...] = ()


class Label(NamedTuple):
    """One fault, or one oddity that is none (then nothing is expected, and *forbidden* rules stay silent)."""

    scenario: str
    kind: str
    devices: tuple[str, ...]
    start_ms: int
    end_ms: int
    expect: tuple[Expectation, ...] = ()
    forbidden: tuple[str, ...] = ()

    def covers(self, device: str, time_ms: int, *, grace_ms: int = 0) -> bool:
        """Whether something said of *device* at a time can be about this."""
        return device in self.devices and self.start_ms <= time_ms < self.end_ms + grace_ms


def by_time(labels: Sequence[Label]) -> list[Label]:
    """In the order they begin."""
    return sorted(labels, key=lambda one: (one.start_ms, one.end_ms, one.scenario, one.kind, one.devices))
