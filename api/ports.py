"""What the API asks of rooms it may not import; the service hands over what fulfils these."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol

import msgspec


class Condition(enum.StrEnum):
    """How a part of the service does."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Part(msgspec.Struct, frozen=True):
    """One part of the service, in words a person can act on."""

    name: str
    condition: Condition
    text: str = ""


class Health(msgspec.Struct, frozen=True):
    """All parts; the whole is as bad as the worst of them."""

    parts: tuple[Part, ...]

    @property
    def condition(self) -> Condition:
        worst = max((list(Condition).index(part.condition) for part in self.parts), default=0)
        return list(Condition)[worst]


class HeldMessage(msgspec.Struct, frozen=True):
    """A quarantined message as pages show it; *payload* may be cut, *size* is the original's."""

    id: int
    time_ms: int
    topic: str
    code: str
    detail: str
    address: str
    decoder: str
    size: int
    payload: bytes = b""


class Stranger(msgspec.Struct, frozen=True):
    """A device that sends but is not in the register."""

    address: str
    decoder: str
    topic: str
    count: int
    last_ms: int
    quantities: tuple[str, ...] = ()


class QuarantineDesk(Protocol):
    """Looks at what was held back, and sends it through again."""

    def held(self, *, limit: int, before_id: int | None = None, code: str = "") -> Sequence[HeldMessage]: ...

    def one(self, entry_id: int) -> HeldMessage | None: ...

    def strangers(self) -> Sequence[Stranger]: ...

    def replay(self, entry_ids: Sequence[int]) -> int:
        """Feeds entries through ingest again; how many were handed over."""
        ...
