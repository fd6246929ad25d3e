"""What passed in each hour, day or month, and how much of it is inferred."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

from campus.meter.meter import Meter
from campus.meter.register import Register
from campus.meter.step import Reason, Step

#: readings further apart than this part of a period leave its edges to a straight line (assumed)
_EDGE_SHARE = 0.1


class Use(msgspec.Struct):
    """*volume* passed in the period from *start_ms*; *inferred* of it is not measured there, for *reasons*.

    *covered_ms* is the time that readings speak for: none of it means that nothing is known, not that nothing passed.
    """

    start_ms: int
    end_ms: int
    volume: float = 0.0
    inferred: float = 0.0
    backflow: float = 0.0
    covered_ms: int = 0
    reasons: set[Reason] = msgspec.field(default_factory=set)


def steps(register: Register, points: Iterable[tuple[int, float]], meter: Meter) -> Iterator[Step]:
    """The steps of readings (time, value) in the order of time."""
    for time_ms, value in points:
        yield register.read(value, time_ms, meter)


def consumption(found: Iterable[Step], edges_ms: Sequence[int]) -> list[Use]:
    """The steps' volumes by period; *edges_ms* are the periods' starts and the last one's end.

    A volume over several periods is spread evenly. Over a gap that is inferred and said so; the sum is not.
    """
    uses = [Use(start, end) for start, end in pairwise(edges_ms)]
    for step in found:
        if not step.told or step.until_ms <= edges_ms[0] or step.since_ms >= edges_ms[-1]:
            continue
        at = max(0, bisect_right(edges_ms, step.since_ms) - 1)
        while at < len(uses) and uses[at].start_ms < step.until_ms:
            _add(uses[at], step)
            at += 1
    return uses


def _add(use: Use, step: Step) -> None:
    elapsed_ms = step.until_ms - step.since_ms
    if elapsed_ms <= 0:
        return
    part_ms = min(step.until_ms, use.end_ms) - max(step.since_ms, use.start_ms)
    volume = step.volume * part_ms / elapsed_ms
    use.covered_ms += part_ms
    use.volume += volume
    use.backflow += step.backflow * part_ms / elapsed_ms
    reason = _reason(use, step, whole=part_ms == elapsed_ms)
    if reason is not None and volume:
        use.inferred += volume
        use.reasons.add(reason)


def _reason(use: Use, step: Step, *, whole: bool) -> Reason | None:
    """Why this part of the step is inferred. A gap wholly within the period is none: its sum was measured."""
    if step.reason is Reason.GAP and whole:
        return None
    if step.reason is not None or whole:
        return step.reason
    far = step.until_ms - step.since_ms > _EDGE_SHARE * (use.end_ms - use.start_ms)
    return Reason.EDGE if far else None
