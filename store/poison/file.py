"""The file that the record of deaths is kept in, and what stands in it."""

from __future__ import annotations

import contextlib
import enum
import os
from pathlib import Path

import msgspec
import structlog

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS

log = structlog.get_logger()

#: what is set aside rests so long after the first, second … time; the last repeats
RESTS_MS = (MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, DAY_MS)


class Kind(enum.StrEnum):
    """What kind of thing was under way."""

    MESSAGE = "message"
    RULE = "rule"
    CHANNEL = "channel"


class Suspect(msgspec.Struct, frozen=True):
    """What was under way at a death: *item* says which exactly, *group* where it belongs (topic, rule and device, channel)."""

    kind: Kind
    item: str
    group: str


class SetAside(msgspec.Struct, frozen=True):
    """What rests: *item* of *group*, or with "" the whole group.

    It is handled again from *again_ms* on, as a trial. *rests*: how many times it has been sent to rest, from 1.
    """

    id: int
    kind: Kind
    item: str
    group: str
    deaths: int
    since_ms: int
    again_ms: int = 0
    rests: int = 1

    def rests_at(self, now_ms: int) -> bool:
        """Whether it is not to be handled. A rest longer than its own says that the clock was set back: it is over."""
        return 0 < self.again_ms - now_ms <= rest_ms(self.rests)

    def longer(self, deaths: int, now_ms: int) -> SetAside:
        """The same after a trial that killed again."""
        rests = self.rests + 1
        return msgspec.structs.replace(
            self, deaths=max(deaths, self.deaths + 1), again_ms=now_ms + rest_ms(rests), rests=rests
        )


class Record(msgspec.Struct):
    """How often something was under way at a death, and when last."""

    suspect: Suspect
    deaths: int
    last_ms: int


class Content(msgspec.Struct):
    """All that is kept."""

    suspects: list[Record] = []
    #: by kind and group: deaths in a row, nothing of the group having been completed between them
    in_a_row: dict[str, int] = {}
    set_aside: list[SetAside] = []
    #: messages were released whose copies in quarantine are not replayed yet
    replay_due: bool = False
    next_id: int = 1


def rest_ms(rests: int) -> int:
    """How long the rest is when it is the first, second … one."""
    return RESTS_MS[min(max(rests, 1), len(RESTS_MS)) - 1]


def read(path: Path) -> Content:
    """A record that cannot be read is kept beside for people, and begun anew: it is no reason not to start."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Content)
    except FileNotFoundError:
        return Content()
    except (OSError, ValueError) as error:
        log.warning("poison.unreadable", path=str(path), reason=str(error))
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".damaged"))
        return Content()


def write(path: Path, content: Content) -> None:
    """Written whole and beside; where it cannot be, this run still knows, and the next start is told again."""
    beside = path.with_suffix(".new")
    try:
        with beside.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content), indent=1))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        log.warning("poison.not_saved", path=str(path), reason=str(error))
