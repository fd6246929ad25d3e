"""Copies of the operations database: made each hour and at each stop, checked before they replace an older one."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import structlog

from campus.clock import iso
from store.sqlite.aside import set_aside
from store.sqlite.salvage import damage_of

log = structlog.get_logger()

_KEPT = 3
_NAME = "operations-"
_ENDING = ".db"


class Copies:
    """In the folder ``copies`` of the data folder. A database of our own file only; PostgreSQL's copies are its keeper's."""

    def __init__(self, data: Path, database: Path | None) -> None:
        self._folder = data / "copies"
        self._database = database
        #: why the last copy could not be made; empty when it was
        self.failure = ""

    def make(self, now_ms: int) -> Path | None:
        """Copies the database as it is at this moment; None where that failed, which :attr:`failure` says why."""
        if self._database is None:
            return None
        stamp = iso(now_ms // 1000 * 1000).replace(":", "").replace("-", "")
        target = self._folder / f"{_NAME}{stamp}{_ENDING}"
        beside = target.with_suffix(".new")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy(self._database, beside)
            damage = damage_of(beside)
            if damage:
                raise sqlite3.DatabaseError(damage)
            _sync(beside)
            beside.replace(target)
            self._forget_old()
        except (sqlite3.Error, OSError) as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            self.failure = str(error) or type(error).__name__
            log.error("operations.not_copied", reason=self.failure)  # noqa: TRY400 - no traceback helps
            return None
        self.failure = ""
        return target

    def all(self) -> list[Path]:
        """Every copy, the newest first."""
        return sorted(self._folder.glob(f"{_NAME}*{_ENDING}"), reverse=True)

    def newest_good(self) -> Path | None:
        """The newest copy that can be read."""
        for copy in self.all():
            with contextlib.suppress(sqlite3.Error, OSError):
                if not damage_of(copy):
                    return copy
        return None

    def put_back(self, copy: Path | None, now_ms: int) -> Path | None:
        """Makes *copy* the database (None: leaves its place empty); what was there is set aside, and its new name returned.

        The copy is whole on the disk before anything is renamed: where there is no room, nothing has changed. Raises
        :class:`OSError`.
        """
        if self._database is None:
            return None
        beside = self._database.with_name(self._database.name + ".new")
        if copy is not None:
            shutil.copyfile(copy, beside)
            beside.chmod(0o600)
            _sync(beside)
        aside = set_aside(self._database, now_ms) if self._database.exists() else None
        if copy is not None:
            beside.replace(self._database)
        return aside

    def _forget_old(self) -> None:
        for copy in self.all()[_KEPT:]:
            copy.unlink()


def made_at(copy: Path) -> str:
    """The moment in a copy's name."""
    return copy.name.removeprefix(_NAME).removesuffix(_ENDING)


def _copy(database: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    source = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    with contextlib.closing(source), contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE").fetchall()  # a copy is one file


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
