"""The campus of the moment: read from its folder, read again when a file changes, never half.

A folder with mistakes changes nothing: the campus before goes on, and the mistakes are reported. What changed between two
readings of the register is kept, also what changed while the service was away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.calendar.change import CalendarChange
from campus.campus import Campus
from campus.device import Device
from campus.errors import FolderProblems
from campus.folder import load_campus
from campus.folder.editing.calendar_file import preview_calendar, put_calendar
from campus.folder.editing.edit import put_device
from campus.folder.editing.revision import revisions
from campus.problem import Problem
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check as check_rules
from service.errors import NoCampusFolder
from store.operations.register_log import RegisterLog

log = structlog.get_logger()

_WATCHED = ("*.yaml", "*.csv", "*.xlsx", "*.xls")
#: settings that only a start applies
_AT_START = ("broker", "brokers", "store", "journal_quota_mb", "quarantine_quota_mb", "timezone", "id")
Applied = Callable[[Campus], None]


class Register:
    """*folder* None is a campus that nobody edits (the demonstration). *apply* hands a new campus to those who need it."""

    def __init__(
        self,
        campus: Campus,
        folder: Path | None,
        history: RegisterLog,
        *,
        now_ms: Callable[[], int],
        apply: Applied = lambda _: None,
    ) -> None:
        self._campus = campus
        self._started_with = campus
        self._folder = folder
        self._log = history
        self._now_ms = now_ms
        self._apply = apply
        self._lock = threading.RLock()
        self._seen = self._signature()
        self._pending = self._seen
        #: why the newest files are not in force; empty when they are
        self.problems: tuple[Problem, ...] = ()

    def campus(self) -> Campus:
        """The campus of the moment."""
        return self._campus

    @property
    def restart_needed(self) -> tuple[str, ...]:
        """Settings that were changed and need a start to apply."""
        old, new = self._started_with.site, self._campus.site
        return tuple(key for key in _AT_START if getattr(old, key) != getattr(new, key))

    def record_start(self) -> None:
        """Keeps what changed in the register since the service ran last; the first register ever is no change."""
        before, devices = self._log.last(), self._campus.devices
        if before is None:
            self._log.begin(devices)
        else:
            self._log.record(revisions(before, devices), devices, who="", now_ms=self._now_ms())

    def look(self) -> bool:
        """Reads the folder again where a file has changed and is not being written any more; True when it was applied."""
        if self._folder is None:
            return False
        signature = self._signature()
        if signature == self._seen:
            self._pending = signature
            return False
        if signature != self._pending:  # still changing: look again at the next round
            self._pending = signature
            return False
        return not self.reload()

    def reload(self, who: str = "") -> tuple[Problem, ...]:
        """Reads the folder; the mistakes that keep it from being applied, none when it was."""
        if self._folder is None:
            raise NoCampusFolder
        with self._lock:
            self._seen = self._pending = self._signature()
            try:
                new = load_campus(self._folder, decoders=decoder_names(), check_rules=check_rules)
            except FolderProblems as error:
                self.problems = tuple(error.problems)
                log.warning(
                    "register.not_applied", problems=len(error.problems), first=str(error.problems[0])
                )
                return self.problems
            self.problems = ()
            changes = list(revisions(self._campus.devices, new.devices))
            if changes:
                self._log.record(changes, new.devices, who=who, now_ms=self._now_ms())
            self._campus = new
            self._apply(new)
            log.info("register.applied", changes=len(changes), devices=len(new.devices))
            return ()

    def put(self, device_id: str, values: Mapping[str, str], who: str) -> Device:
        """Writes a device's row and applies it; raises :class:`FolderProblems` with nothing changed."""
        if self._folder is None:
            raise NoCampusFolder
        with self._lock:
            put_device(self._folder, device_id, values, decoders=decoder_names(), check_rules=check_rules)
            problems = self.reload(who)
            if problems:  # mistakes that were there before
                raise FolderProblems(str(self._folder), problems)
            return self._campus.device(device_id)

    def preview_calendar(self, change: CalendarChange) -> SchoolCalendar:
        """The calendar as *change* would make it; raises :class:`FolderProblems` with what hinders it."""
        if self._folder is None:
            raise NoCampusFolder
        with self._lock:
            names = decoder_names()
            settings = preview_calendar(self._folder, change, decoders=names, check_rules=check_rules)
            return self._calendar_of(settings)

    def put_calendar(self, change: CalendarChange, who: str) -> None:
        """Writes calendar.yaml and applies it; raises :class:`FolderProblems` with nothing changed."""
        if self._folder is None:
            raise NoCampusFolder
        with self._lock:
            put_calendar(self._folder, change, decoders=decoder_names(), check_rules=check_rules)
            problems = self.reload(who)
            if problems:  # mistakes that were there before
                raise FolderProblems(str(self._folder), problems)
            log.info("calendar.changed", who=who)

    def _calendar_of(self, settings: CalendarSettings) -> SchoolCalendar:
        site = self._campus.site
        return SchoolCalendar(settings, {building.id: building.use for building in site.buildings}, site.zone)

    def _signature(self) -> tuple[tuple[str, int, int], ...]:
        if self._folder is None:
            return ()
        files = []
        for pattern in _WATCHED:
            for path in sorted(self._folder.glob(pattern)):
                try:
                    stat = path.stat()
                except OSError:
                    continue
                files.append((path.name, stat.st_mtime_ns, stat.st_size))
        return tuple(files)
