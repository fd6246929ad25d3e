"""What a rule is: it looks at one subject's readings and says how bad things are. It keeps no clock and no secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from campus.campus import Campus
from campus.device import Device
from campus.quantity import Quantity
from campus.reading import Reading
from rules.level import Level
from rules.verdict import Verdict


class RuleParams(BaseModel):
    """What every rule can be set to.

    *for_s* is how long a level must hold before it fires; *keep_firing_for_s* how long all must be well before it
    resolves; *max_gap_s* the longest silence over which a level still counts as holding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    for_s: float = Field(default=300, ge=0)
    keep_firing_for_s: float = Field(default=300, ge=0)
    max_gap_s: float = Field(default=3 * 3600, gt=0)


class Input(NamedTuple):
    """Which readings a rule wants: a device's, of one quantity, or of all where *quantity* is None."""

    device: str
    quantity: Quantity | None


class Memory(msgspec.Struct):
    """Base of every rule's memory of one subject: small, bounded, and JSON."""


class Context(msgspec.Struct, frozen=True):
    """What a rule may look at beside its state: the moment, the campus, its subject and its settings."""

    now_ms: int
    campus: Campus
    device: Device
    params: Any


class Rule(Protocol):
    """One rule. The engine owns the state machine; the rule only says what it sees."""

    name: ClassVar[str]
    Params: ClassVar[type[RuleParams]]
    Memory: ClassVar[type[msgspec.Struct]]

    def defaults(self, device: Device) -> dict[str, float]:
        """Settings that differ from the Params' own for this device (its profile, its building's use)."""
        ...

    def inputs(self, device: Device, campus: Campus) -> Sequence[Input]:
        """What it wants to read for *device* as its subject; nothing where it does not apply."""
        ...

    def start(self, device: Device) -> msgspec.Struct: ...

    def on_reading(self, state: Any, reading: Reading, context: Context) -> Verdict | None: ...

    def on_time(self, state: Any, context: Context) -> Verdict | None: ...

    def due_ms(self, state: Any, params: Any) -> int | None:
        """When it wants ``on_time`` next, if ever."""
        ...

    def delay_s(self, params: Any, level: Level) -> float:
        """How long *level* must hold before it fires."""
        ...


class ReadingRule:
    """The parts most rules share: no clock of their own, one delay for every level."""

    def defaults(self, device: Device) -> dict[str, float]:  # noqa: ARG002 - the protocol's signature
        return {}

    def on_time(self, state: Any, context: Context) -> Verdict | None:  # noqa: ARG002 - the protocol's signature
        return None

    def due_ms(self, state: Any, params: Any) -> int | None:  # noqa: ARG002 - the protocol's signature
        return None

    def delay_s(self, params: Any, level: Level) -> float:  # noqa: ARG002 - the protocol's signature
        return float(params.for_s)
