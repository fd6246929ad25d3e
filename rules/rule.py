"""What a rule is: it looks at one subject's readings and says how bad things are. It keeps no clock and no secrets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from campus.campus import Campus
from campus.clock import MINUTE_MS
from campus.device import Device
from campus.quantity import Quantity
from campus.reading import Reading, Series
from rules.level import Level
from rules.verdict import Verdict
from rules.words.advice import Advice
from rules.words.fact import Fact


class RuleParams(BaseModel):
    """What every rule can be set to.

    *for_s* is how long a level must hold before it fires, and *least_confirmations* how many readings must say so;
    *keep_firing_for_s* how long all must be well before it resolves; *max_gap_s* the longest silence over which a
    level still counts as holding. Where nobody set it, it is three intervals of a device whose register names one: what
    speaks of a whole night or of a battery that is told once a day sets its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    enabled: bool = True
    for_s: float = Field(default=300, ge=0)
    least_confirmations: int = Field(default=1, ge=1, le=20)
    keep_firing_for_s: float = Field(default=300, ge=0)
    max_gap_s: float = Field(default=3 * 3600, gt=0)

    def contradiction(self) -> tuple[str, str] | None:
        """The field that contradicts another, and what was expected of it; None where all agree."""
        return None


class Input(NamedTuple):
    """Which readings a rule wants: a device's, of one quantity, or of all where *quantity* is None."""

    device: str
    quantity: Quantity | None


#: a rule's settings, and what it remembers of one subject: small, bounded, and JSON
P = TypeVar("P", bound=RuleParams)
P_co = TypeVar("P_co", bound=RuleParams, covariant=True)
M = TypeVar("M", bound=msgspec.Struct)


def never_heard(device: str) -> int:  # noqa: ARG001 - the signature of Context.heard_ms
    """The answer where nobody keeps count of who was heard."""
    return 0


class Context(msgspec.Struct, Generic[P_co], frozen=True, gc=False):
    """What a rule may look at beside its state: the moment, the campus (places, hours, tariffs), subject, settings.

    *heard_ms* tells when any device was last heard, by its id; 0 for never.
    """

    now_ms: int
    campus: Campus
    device: Device
    params: P_co
    heard_ms: Callable[[str], int] = never_heard


class Quiet(msgspec.Struct, frozen=True, array_like=True):
    """Good values of one series from *low* to *high*, before *until_ms*, that a rule need not see.

    This is what makes the usual reading of a healthy device cost next to nothing.
    """

    low: float
    high: float
    until_ms: int


#: the end of a quiet that time alone does not end
ALWAYS_MS = 1 << 62


def next_look_ms(time_ms: int, every_ms: int = 10 * MINUTE_MS) -> int:
    """The next moment on a common grid, so that all rules of a series look at the same reading."""
    return time_ms - time_ms % every_ms + every_ms


class Rule(Protocol[P, M]):
    """One rule. The engine owns the state machine; the rule only says what it sees."""

    name: ClassVar[str]
    #: what people read first, a marked text with ``{place}`` and ``{device}``
    title: str
    Params: type[P]
    Memory: type[M]
    #: whether readings that arrive too late to alarm on are still for it; else they are only judged as history
    accepts_late: ClassVar[bool]

    @property
    def advice(self) -> tuple[Advice, ...]:
        """Each advice its verdicts name."""
        ...

    @property
    def lines(self) -> tuple[Fact, ...]:
        """The facts its verdicts stand on that people read, in the order of their lines; others are left to the details."""
        ...

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """Settings that differ from the Params' own for this device: by its profile, or its building's *use*."""
        ...

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """What it wants to read for *device* as its subject; nothing where it does not apply."""
        ...

    def start(self, device: Device) -> M:
        """The memory of a subject that was never heard."""
        ...

    def on_reading(self, state: M, reading: Reading, context: Context[P]) -> Verdict | None:
        """Its word after *reading*; None where that says nothing of the subject itself."""
        ...

    def on_suspect(self, state: M, reading: Reading, context: Context[P]) -> Verdict | None:
        """Its word after a reading that cannot be trusted alone: a sentinel, or no number at all."""
        ...

    def on_time(self, state: M, context: Context[P]) -> Verdict | None:
        """Its word when the moment that ``due_ms`` named has come; None where that says nothing."""
        ...

    def on_blind(self, state: M, from_ms: int, until_ms: int) -> None:
        """Nobody listened between these moments: what was not heard then was not necessarily not said."""
        ...

    def due_ms(self, state: M, params: P) -> int | None:
        """When it wants ``on_time`` next, if ever; 0 for the first moment there is."""
        ...

    def wakes_on(self, device: Device, campus: Campus) -> Collection[str]:
        """Devices without which its clock stands: before one of them was ever heard, ``on_time`` only ever says what it
        said first, and need not be called again. Nothing where it always must be.
        """
        ...

    def delay_s(self, params: P, level: Level, state: M) -> float:
        """How long *level* must hold before it fires."""
        ...

    def quiet(self, state: M, series: Series, context: Context[P]) -> Quiet | None:
        """What it need not be told of *series* while all is well; None to be told everything."""
        ...


#: a rule of whatever settings and memory, as the engine handles them
AnyRule: TypeAlias = Rule[Any, Any]


class ReadingRule(Generic[P, M]):
    """The parts most rules share: no clock of their own, one delay for every level, no late or doubtful readings."""

    title: str
    advice: tuple[Advice, ...] = ()
    lines: tuple[Fact, ...] = ()
    accepts_late: ClassVar[bool] = False
    Params: type[P]
    Memory: type[M]

    def start(self, device: Device) -> M:
        """An empty memory."""
        return self.Memory()

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """None of its own."""
        return {}

    def on_suspect(self, state: M, reading: Reading, context: Context[P]) -> Verdict | None:
        """Doubt about the subject's own reading is doubt about the subject; a neighbour's is passed over."""
        return Verdict(Level.UNKNOWN) if reading.series.device == context.device.id else None

    def on_time(self, state: M, context: Context[P]) -> Verdict | None:
        """Nothing: it has no clock."""
        return None

    def on_blind(self, state: M, from_ms: int, until_ms: int) -> None:
        """Nothing: it does not count silence."""

    def due_ms(self, state: M, params: P) -> int | None:
        """Never."""
        return None

    def wakes_on(self, device: Device, campus: Campus) -> Collection[str]:
        """No device: it has no clock that could stand."""
        return ()

    def delay_s(self, params: P, level: Level, state: M) -> float:
        """The same for every level, in seconds."""
        return float(params.for_s)

    def quiet(self, state: M, series: Series, context: Context[P]) -> Quiet | None:
        """Nothing: it is told everything."""
        return None
