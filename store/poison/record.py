"""What has killed the service, how often, and what therefore rests for a while.

Whatever kills the process finds something under way, so a death proves little: kills at random must silence nothing for
long, while a real poison must not kill again and again. Hence what was under way at two deaths, and was not completed
between them, rests. After its rest it is tried: completed, it is released; if it kills again, the next rest is longer, up
to a day. Where each death shows another item of the same group (a topic, a rule on a device, a channel), and nothing of
that group was completed between them, the whole group rests.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from campus.clock import DAY_MS
from store.poison.file import Kind, Record, SetAside, Suspect, read, rest_ms, write

__all__ = ["DEATHS", "DEATHS_IN_A_ROW", "Kind", "Poison", "SetAside", "Suspect"]

DEATHS = 2
#: for a whole group; of a channel's messages, two must have killed twice, as one is nearly always under way
DEATHS_IN_A_ROW = {Kind.MESSAGE: 3, Kind.RULE: 3, Kind.CHANNEL: 4}
#: a suspect that was not met again is forgotten
_KEPT_MS = 90 * DAY_MS
_MOST = 500


class Poison:
    """The record of deaths, in a file of its own: it is written before anything else is touched. Thread-safe.

    *whole*: kinds of which one item twice sends its whole group to rest.
    """

    def __init__(self, path: Path, *, whole: Iterable[Kind] = (Kind.RULE,)) -> None:
        self._path = path
        self._whole = frozenset(whole)
        self._lock = threading.Lock()
        self._content = read(path)
        self._released: list[SetAside] = []
        self._sum_up()

    def blame(self, suspects: Iterable[Suspect], now_ms: int) -> list[SetAside]:
        """Writes down what was under way when the last run ended, nothing after an orderly end; returns what rests
        from now on.
        """
        content, found = self._content, list(dict.fromkeys(suspects))
        with self._lock:
            if not found and not content.in_a_row:
                return []
            content.in_a_row = {_row(one): content.in_a_row.get(_row(one), 0) + 1 for one in found}
            fresh: list[SetAside] = []
            for one in found:
                deaths, in_a_row = self._count(one, now_ms), content.in_a_row[_row(one)]
                if deaths >= DEATHS and one.kind not in self._whole:
                    fresh += self._put_aside(one, one.item, deaths, now_ms)
                whole = in_a_row >= DEATHS_IN_A_ROW[one.kind] and (
                    one.kind is not Kind.CHANNEL or self._items_of(one) >= DEATHS
                )
                if whole or (deaths >= DEATHS and one.kind in self._whole) or self._knows(one, ""):
                    fresh += self._put_aside(one, "", max(deaths, in_a_row), now_ms)
            content.suspects = [one for one in content.suspects if now_ms - one.last_ms < _KEPT_MS][-_MOST:]
            content.set_aside = content.set_aside[-_MOST:]
            self._save()
        return fresh

    def completed(self, kind: Kind, item: str, group: str) -> None:
        """*item* of *group* was handled and the process lives: neither it nor its group is to blame.

        Cheap where neither is suspected. Another item of the group keeps its own record.
        """
        content, row, same = self._content, f"{kind.value} {group}", Suspect(kind, item, group)
        if not (row in content.in_a_row or same in self._suspects or self.knows(kind, item, group)):
            return
        with self._lock:
            content.in_a_row.pop(row, None)
            content.suspects = [one for one in content.suspects if one.suspect != same]
            released = [one for one in content.set_aside if _covers(one, same)]
            content.set_aside = [one for one in content.set_aside if not _covers(one, same)]
            self._note_released(*released)
            self._save()

    def watches(self, kind: Kind, group: str) -> bool:
        """Whether it matters that something of *group* is completed."""
        return (kind, group) in self._watched

    def watched(self, kind: Kind) -> frozenset[str]:
        """Every group of *kind* of which that matters."""
        return frozenset(group for one, group in self._watched if one is kind)

    def all(self) -> tuple[SetAside, ...]:
        """What rests or is on trial, the newest last."""
        return tuple(self._content.set_aside)

    def holds(self, kind: Kind, item: str, group: str, now_ms: int) -> SetAside | None:
        """Why that is not to be handled now: what rests until last; None where nothing does."""
        held = self._held
        found = [held.get((kind, item, group)), held.get((kind, "", group))]
        resting = [one for one in found if one is not None and one.rests_at(now_ms)]
        return max(resting, key=lambda one: one.again_ms, default=None)

    def knows(self, kind: Kind, item: str, group: str) -> bool:
        """Whether that is set aside, at rest or on trial."""
        return (kind, item, group) in self._held or (kind, "", group) in self._held

    def groups(self, kind: Kind, now_ms: int) -> frozenset[str]:
        """The groups of *kind* that rest as a whole."""
        aside = self._content.set_aside
        return frozenset(
            one.group for one in aside if one.kind is kind and not one.item and one.rests_at(now_ms)
        )

    def release(self, aside_id: int) -> SetAside | None:
        """Lets it be handled again, as if it had never killed; None for a number that is none."""
        content = self._content
        with self._lock:
            found = next((one for one in content.set_aside if one.id == aside_id), None)
            if found is None:
                return None
            content.set_aside = [one for one in content.set_aside if one.id != aside_id]
            content.suspects = [one for one in content.suspects if not _covers(found, one.suspect)]
            content.in_a_row.pop(f"{found.kind.value} {found.group}", None)
            self._note_released(found)
            self._save()
        return found

    def take_released(self) -> list[SetAside]:
        """What was released since this was last asked, so that what waited for it is handled."""
        with self._lock:
            released, self._released = self._released, []
        return released

    @property
    def replay_due(self) -> bool:
        """Whether messages held may be released by now; kept over a restart until :meth:`replayed`."""
        return self._content.replay_due

    def replayed(self) -> None:
        """Every message that was released has been replayed."""
        with self._lock:
            self._content.replay_due = False
            self._save()

    def _note_released(self, *released: SetAside) -> None:
        self._released += released
        self._content.replay_due |= any(one.kind is Kind.MESSAGE for one in released)

    def _count(self, suspect: Suspect, now_ms: int) -> int:
        for one in self._content.suspects:
            if one.suspect == suspect:
                one.deaths, one.last_ms = one.deaths + 1, now_ms
                return one.deaths
        self._content.suspects.append(Record(suspect, 1, now_ms))
        return 1

    def _items_of(self, suspect: Suspect) -> int:
        """How many items of its group are set aside."""
        aside = self._content.set_aside
        return sum(bool(one.item) and (one.kind, one.group) == (suspect.kind, suspect.group) for one in aside)

    def _knows(self, suspect: Suspect, item: str) -> bool:
        return (suspect.kind, item, suspect.group) in self._held

    def _put_aside(self, suspect: Suspect, item: str, deaths: int, now_ms: int) -> list[SetAside]:
        """Sends it to its first rest; a longer one where it had been and was on trial."""
        content = self._content
        known = self._held.get((suspect.kind, item, suspect.group))
        if known is not None:
            fresh = known.longer(deaths, now_ms)
        else:
            again_ms = now_ms + rest_ms(1)
            fresh = SetAside(content.next_id, suspect.kind, item, suspect.group, deaths, now_ms, again_ms)
            content.next_id += 1
        content.set_aside = [*(one for one in content.set_aside if one is not known), fresh]
        self._sum_up()
        return [fresh]

    def _sum_up(self) -> None:
        content = self._content
        self._held = {(one.kind, one.item, one.group): one for one in content.set_aside}
        self._suspects = frozenset(one.suspect for one in content.suspects)
        suspected = {(one.kind, one.group) for one in self._suspects}
        rows = (row.partition(" ") for row in content.in_a_row)
        self._watched = frozenset(
            suspected
            | {(one.kind, one.group) for one in content.set_aside}
            | {(Kind(kind), group) for kind, _, group in rows}
        )
        #: nothing is suspected or set aside, as nearly always: then nobody need ask for one thing
        self.is_empty = not self._watched

    def _save(self) -> None:
        self._sum_up()
        write(self._path, self._content)


def _row(suspect: Suspect) -> str:
    return f"{suspect.kind.value} {suspect.group}"


def _covers(aside: SetAside, suspect: Suspect) -> bool:
    return aside.kind is suspect.kind and aside.group == suspect.group and aside.item in {"", suspect.item}
