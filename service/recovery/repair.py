"""Sets aside what is damaged in a stopped service's data folder, and rebuilds what can be rebuilt."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from campus.text import marked as _
from ingest.decoding.formats.sparkplug.births import Births
from service.recovery.copies import Copies
from service.recovery.event import Event, EventLog
from service.recovery.inspection import Finding, State, inspect
from service.recovery.opening import Opener
from service.recovery.permissions import make_private
from store.errors import StoreError
from store.sqlite.aside import all_set_aside
from store.timeseries.embedded import EmbeddedStore
from store.timeseries.embedded.salvage import salvage_history

#: more than any journal or quarantine that is opened for repair only
_QUOTA_BYTES = 1 << 50
_SALVAGED = _("{file}:找回 {readings} 条历史读数。")
_NOTHING_SALVAGED = _("{file}:没有能读的历史读数({reason})。")
_DONE = _("{file}:已处理(另存为 {aside})。")
_RESTORED = _("{file}:已用备份恢复。")
_NARROWED = _("{file}:权限已收紧。")


class Step(msgspec.Struct, frozen=True):
    """One thing that was done, as a sentence."""

    text: str
    values: dict[str, str | int | float] = {}


def wanted(data: Path) -> list[Finding]:
    """What a repair would deal with: damage, and files that were set aside and not yet looked through."""
    return [
        one
        for one in inspect(data)
        if one.state is State.DAMAGED or one.file.startswith("timeseries.db.damaged-")
    ]


def repair(data: Path, now_ms: int) -> Iterator[Step]:
    """Does it; the caller holds the folder's lock. Raises :class:`service.errors.DataUnusable` and store errors."""
    events = EventLog(data)
    for event in make_private(data, now_ms):
        events.add(event)
        yield Step(_NARROWED, {"file": event.file})
    known = len(events.all())
    opener = Opener(data, events, now_ms=now_ms)
    operations = data / "operations.db"
    copies = Copies(data, operations)
    if operations.exists() or copies.all():
        opener.operations(f"sqlite:///{operations}", copies).dispose()
    if (data / "journal.db").exists() or (data / "quarantine.db").exists():
        opener.journal(data / "journal.db", quota_bytes=_QUOTA_BYTES, quarantine_bytes=_QUOTA_BYTES).close()
    opener.minor(data / "births.msgpack", Births().restore)
    if (data / "timeseries.db").exists() or _old_histories(data):
        with contextlib.closing(opener.store("embedded", thorough=True)) as store:
            if isinstance(store, EmbeddedStore):
                yield from _salvage(data, store)
    for event in events.all()[known:]:
        yield _step_of(event)


def _salvage(data: Path, store: EmbeddedStore) -> Iterator[Step]:
    for aside in _old_histories(data):
        try:
            count = salvage_history(aside, store)
        except (sqlite3.Error, StoreError) as error:
            yield Step(_NOTHING_SALVAGED, {"file": aside.name, "reason": str(error)})
        else:
            yield Step(_SALVAGED, {"file": aside.name, "readings": count})


def _old_histories(data: Path) -> list[Path]:
    return [one for one in all_set_aside(data) if one.name.startswith("timeseries.db") and one.is_file()]


def _step_of(event: Event) -> Step:
    if "aside" in event.facts:
        return Step(_DONE, {"file": event.file, "aside": event.facts["aside"]})
    return Step(_RESTORED, {"file": event.file})
