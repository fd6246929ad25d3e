"""What has killed the service, how often, and what is therefore set aside.

A thing that was under way at one death is a suspect, as it may have been there by chance. Under way at a second one, it is
set aside and never handled a third time, until somebody says so. Where each death shows another message of the same
topic, or another moment of the same rule, the third in a row sets the whole topic or rule aside.
"""

from __future__ import annotations

import contextlib
import enum
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from campus.clock import DAY_MS

log = structlog.get_logger()

DEATHS = 2
DEATHS_IN_A_ROW = 3
#: a suspect that was not met again is forgotten
_KEPT_MS = 90 * DAY_MS
_MOST = 500


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
    """What is not handled any more: *item* of *group*, or with "" the whole group."""

    id: int
    kind: Kind
    item: str
    group: str
    deaths: int
    since_ms: int


class _Record(msgspec.Struct):
    suspect: Suspect
    deaths: int
    last_ms: int


class _Content(msgspec.Struct):
    suspects: list[_Record] = []
    #: by kind and group: deaths without one in between at which another group was under way
    in_a_row: dict[str, int] = {}
    set_aside: list[SetAside] = []
    next_id: int = 1


class Poison:
    """The record of deaths, in a file of its own: it is written before anything else is touched.

    *whole*: kinds of which one item twice sets its whole group aside.
    """

    def __init__(self, path: Path, *, whole: Iterable[Kind] = (Kind.RULE,)) -> None:
        self._path = path
        self._whole = frozenset(whole)
        self._content = _read(path)
        self._sum_up()

    def blame(self, suspects: Iterable[Suspect], now_ms: int) -> list[SetAside]:
        """Writes down what was under way when the last run ended, nothing after an orderly end; returns what is set aside
        from now on.
        """
        content, found = self._content, list(dict.fromkeys(suspects))
        if not found and not content.in_a_row:
            return []
        rows = {_row(one): content.in_a_row.get(_row(one), 0) + 1 for one in found}
        content.in_a_row = rows
        fresh: list[SetAside] = []
        for one in found:
            deaths = self._count(one, now_ms)
            if deaths >= DEATHS:
                item = "" if one.kind in self._whole else one.item
                fresh += self._put_aside(one, item, deaths, now_ms)
            elif rows[_row(one)] >= DEATHS_IN_A_ROW and one.kind is not Kind.CHANNEL:
                fresh += self._put_aside(one, "", rows[_row(one)], now_ms)
        for one in found:
            # one message after the other over the same channel: it is the channel
            several = [
                aside
                for aside in content.set_aside
                if aside.kind is Kind.CHANNEL and aside.group == one.group and aside.item
            ]
            if one.kind is Kind.CHANNEL and len(several) >= DEATHS:
                fresh += self._put_aside(one, "", sum(aside.deaths for aside in several), now_ms)
        content.suspects = [one for one in content.suspects if now_ms - one.last_ms < _KEPT_MS][-_MOST:]
        content.set_aside = content.set_aside[-_MOST:]
        self._save()
        return fresh

    def all(self) -> tuple[SetAside, ...]:
        """What is set aside, the newest last."""
        return tuple(self._content.set_aside)

    def holds(self, kind: Kind, item: str, group: str) -> bool:
        """Whether that is not to be handled."""
        held = self._held
        return (kind, item, group) in held or (kind, "", group) in held

    def groups(self, kind: Kind) -> frozenset[str]:
        """The groups of *kind* that are set aside as a whole."""
        return frozenset(one.group for one in self._content.set_aside if one.kind is kind and not one.item)

    def release(self, aside_id: int) -> SetAside | None:
        """Lets it be handled again, as if it had never killed; None for a number that is none."""
        found = next((one for one in self._content.set_aside if one.id == aside_id), None)
        if found is None:
            return None
        content = self._content
        content.set_aside = [one for one in content.set_aside if one.id != aside_id]
        content.suspects = [
            one
            for one in content.suspects
            if not (
                one.suspect.kind is found.kind
                and one.suspect.group == found.group
                and found.item in {"", one.suspect.item}
            )
        ]
        content.in_a_row.pop(f"{found.kind.value} {found.group}", None)
        self._save()
        return found

    def _count(self, suspect: Suspect, now_ms: int) -> int:
        for one in self._content.suspects:
            if one.suspect == suspect:
                one.deaths, one.last_ms = one.deaths + 1, now_ms
                return one.deaths
        self._content.suspects.append(_Record(suspect, 1, now_ms))
        return 1

    def _put_aside(self, suspect: Suspect, item: str, deaths: int, now_ms: int) -> list[SetAside]:
        if self.holds(suspect.kind, item, suspect.group):
            return []
        content = self._content
        fresh = SetAside(content.next_id, suspect.kind, item, suspect.group, deaths, now_ms)
        content.set_aside = [*content.set_aside, fresh]
        content.next_id += 1
        self._sum_up()
        return [fresh]

    def _sum_up(self) -> None:
        aside = self._content.set_aside
        self._held = frozenset((one.kind, one.item, one.group) for one in aside)
        #: nothing is set aside, as nearly always: then nobody need ask for one thing
        self.is_empty = not aside

    def _save(self) -> None:
        """Written whole and beside; where it cannot be, this run still knows, and the next start is told again."""
        self._sum_up()
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(self._content), indent=1))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            log.warning("poison.not_saved", path=str(self._path), reason=str(error))


def _row(suspect: Suspect) -> str:
    return f"{suspect.kind.value} {suspect.group}"


def _read(path: Path) -> _Content:
    """A record that cannot be read is kept beside for people, and begun anew: it is no reason not to start."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Content)
    except FileNotFoundError:
        return _Content()
    except (OSError, ValueError) as error:
        log.warning("poison.unreadable", path=str(path), reason=str(error))
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".damaged"))
        return _Content()
