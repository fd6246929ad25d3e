"""What a rule says, with the readings it stands on; and what the engine makes of it."""

from __future__ import annotations

import msgspec

from campus.reading import Reading
from rules.level import Level, State

#: a number or short text that explains a verdict; keys carry units (``flow_m3h``, ``limit_c``)
Facts = dict[str, float | int | str]


class Witness(msgspec.Struct, frozen=True):
    """A reading a verdict stands on."""

    series: str
    time_ms: int
    value: float

    @classmethod
    def of(cls, reading: Reading) -> Witness:
        """*reading*, at its own time."""
        return cls(str(reading.series), reading.time_ms, reading.value)


class Evidence(msgspec.Struct, frozen=True):
    """Why: the numbers compared, since when, what it costs, and which advice text applies.

    *facts* hold what was compared (``flow_m3h`` 1.2 against ``limit_m3h`` 0.5) and what it costs
    (``loss_m3_day``, ``cost_yuan_day``, ``minutes_to_0c``); *since_ms* is when it began; *advice* is the key of
    the advice text.
    """

    facts: Facts = {}
    since_ms: int = 0
    witnesses: tuple[Witness, ...] = ()
    advice: str = ""
    #: the reading that showed that it is over
    recovered: Witness | None = None


class Verdict(msgspec.Struct, frozen=True):
    """A rule's word on its subject at one moment."""

    level: Level
    evidence: Evidence = Evidence()


#: well, and nothing to be said, without anything that speaks for it
OK = Verdict(Level.OK)
UNKNOWN = Verdict(Level.UNKNOWN)


class Transition(msgspec.Struct, frozen=True):
    """A change of state of one (rule, subject), or of its severity while firing (from firing to firing)."""

    time_ms: int
    rule: str
    subject: str
    from_state: State
    to_state: State
    severity: Level
    evidence: Evidence = Evidence()
    #: its cause lies further back than the allowed lateness: recorded, never sent as an emergency
    historical: bool = False
