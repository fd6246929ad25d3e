"""What the API asks of rooms it may not import; the service hands over what fulfils these."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from alerts.drills.drill import Drill, DrillOrder
from campus.calendar.calendar import SchoolCalendar
from campus.calendar.change import CalendarChange
from campus.text import Translate


class Condition(enum.StrEnum):
    """How a part of the service does."""

    OK = "ok"
    DEGRADED = "degraded"
    #: nothing is proven yet, which is not being well
    STARTING = "starting"
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


class HeldUsage(msgspec.Struct, frozen=True):
    """How much is held back, and how much may be."""

    entries: int
    bytes: int
    budget_bytes: int


class SetAsideThing(msgspec.Struct, frozen=True):
    """What rests because the service died *deaths* times while handling it: *kind* is message, rule or channel.

    From *again_ms* on it is handled again: a message when it comes again or somebody replays it, all else by itself.

    *group* is its topic, ``rule/device`` or channel; *item* tells one message apart, "" stands for the whole group.
    """

    id: int
    kind: str
    group: str
    item: str
    deaths: int
    since_ms: int
    again_ms: int


class UnregisteredSource(msgspec.Struct, frozen=True):
    """A device that sends but is not in the register."""

    address: str
    decoder: str
    topic: str
    count: int
    last_ms: int
    quantities: tuple[str, ...] = ()


class Guess(msgspec.Struct, frozen=True):
    """What an unregistered device seems to be, from its messages: columns of the register by English header."""

    address: str
    columns: dict[str, str]
    quantities: tuple[str, ...]
    last_topic: str = ""
    last_payload: str = ""
    last_ms: int = 0


class RegisterProblem(msgspec.Struct, frozen=True):
    """A mistake that keeps a change from being made: where, what was found, what was expected."""

    where: str
    found: str
    expected: str


class RegisterRefused(Exception):
    """Raised by the desk when a change cannot be made; nothing was changed."""

    def __init__(self, problems: Sequence[RegisterProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "; ".join(f"{one.where}: found {one.found}, expected {one.expected}" for one in problems)
        )


class RegisterDesk(Protocol):
    """Edits the register and the school calendar; every method that changes something raises :class:`RegisterRefused` with nothing changed."""

    def guess(self, address: str) -> Guess | None:
        """What the device at *address* seems to be; None where nothing was held of it."""
        ...

    def put(self, device_id: str, columns: Mapping[str, str], who: str) -> None:
        """Adds a device, or changes columns of it; "" empties a column."""
        ...

    def reload(self, who: str) -> Sequence[RegisterProblem]:
        """Reads the folder again; the mistakes that keep it from being applied."""
        ...

    def preview_calendar(self, change: CalendarChange) -> SchoolCalendar:
        """The school calendar as *change* would make it; nothing is changed."""
        ...

    def put_calendar(self, change: CalendarChange, who: str) -> None:
        """Changes calendar.yaml, in force at once."""
        ...

    def history(self, device_id: str) -> Sequence[Mapping[str, Any]]:
        """What became of a device, newest first: ``time_ms``, ``change``, ``before``, ``after``, ``who``."""
        ...


class DrillRefused(Exception):
    """Raised by the desk for an exercise that must not be, before anything has happened. *text* is marked for translation."""

    def __init__(self, text: str, **values: object) -> None:
        self.text = text
        self.values = values
        super().__init__(text.format(**values))

    def words(self, translate: Translate) -> str:
        """Why, in a language."""
        return translate(self.text).format(**self.values)


class DrillScenario(msgspec.Struct, frozen=True):
    """A scenario that may be exercised: *minutes* it takes in real time; *fast* where it may be compressed."""

    name: str
    title: str
    description: str
    rules: tuple[str, ...]
    minutes: int
    fast: bool


class DrillDesk(Protocol):
    """Runs exercises; raises :class:`DrillRefused` with nothing begun."""

    def scenarios(self, language: str) -> Sequence[DrillScenario]:
        """What can be exercised, the most common first."""
        ...

    def order(self, order: DrillOrder, who: str) -> Drill:
        """Begins one, or keeps it for its time."""
        ...

    def stop(self, drill_id: int, who: str) -> Drill:
        """Ends the one that runs, or drops one that was planned."""
        ...

    def running(self) -> Drill | None:
        """The one that runs now."""
        ...


class QuarantineDesk(Protocol):
    """Looks at what was held back, sends it through again, or throws it away."""

    def held(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        code: str = "",
        unread: bool = False,
        shown_bytes: int = 0,
    ) -> Sequence[HeldMessage]:
        """The newest first, with so much of each payload; *unread* leaves out unregistered devices."""
        ...

    def one(self, entry_id: int) -> HeldMessage | None: ...

    def unregistered_sources(self) -> Sequence[UnregisteredSource]: ...

    def replay(self, entry_ids: Sequence[int]) -> int:
        """Feeds entries through ingest again; how many were handed over.

        Messages that are set aside are handed over where nothing else is asked for: that is somebody's decision.
        """
        ...

    def set_aside(self) -> Sequence[SetAsideThing]:
        """What killed the service and rests or is on trial, the newest last."""
        ...

    def try_again(self, aside_id: int) -> bool:
        """Handles it again, as if it had never killed; False for a number that is none."""
        ...

    def purge(
        self, *, ids: Sequence[int] = (), code: str = "", address: str = "", unread: bool = False
    ) -> int:
        """Throws away what matches all that is given, everything where nothing is; how many."""
        ...

    def usage(self) -> HeldUsage: ...
