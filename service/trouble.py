"""What is wrong with the service at a moment, and who says so; see :mod:`service.health.watch`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from api.ports import Condition
from rules.level import Level
from rules.verdict import Facts


class Trouble(msgspec.Struct, frozen=True):
    """Something that is wrong at this moment; it becomes an alert when it lasts *for_ms*.

    *part* of the service is in *condition* because of it, from the first moment on; no part for what is wrong elsewhere.
    """

    rule: str
    subject: str
    severity: Level
    facts: Facts
    for_ms: int = 0
    part: str = ""
    condition: Condition = Condition.DEGRADED


#: what is wrong now; asked with the moment, in milliseconds since 1970
Look = Callable[[int], Iterable[Trouble]]


class Probe(msgspec.Struct, frozen=True):
    """A look at one *part*; where the look itself fails, that part is not proven well, and so is down."""

    part: str
    ask: Look

    def __call__(self, now_ms: int) -> Iterable[Trouble]:
        """What is wrong now."""
        return self.ask(now_ms)


def down(rule: str, part: str, facts: Facts) -> Trouble:
    """A part that is proven not to work."""
    return Trouble(rule, part, Level.CRITICAL, facts, 0, part, Condition.DOWN)
