"""Setting a file aside: kept under another name, for whoever wants to look at it, out of everybody's way."""

from __future__ import annotations

from pathlib import Path

from campus.clock import iso

#: what SQLite keeps beside a file in WAL mode; without its log a file is not whole
_LOG = "-wal"
_INDEX = "-shm"
#: between the file's name and the moment
MARK = ".damaged-"


def set_aside(path: Path, now_ms: int) -> Path:
    """Renames the file, and its log with it; returns its new name. Raises :class:`OSError`."""
    stamp = iso(now_ms).replace(":", "").replace("-", "").partition(".")[0].rstrip("Z")
    aside = path.with_name(f"{path.name}{MARK}{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}{MARK}{stamp}-{number}")
    path.rename(aside)
    log = path.with_name(path.name + _LOG)
    if log.exists():
        log.rename(aside.with_name(aside.name + _LOG))
    path.with_name(path.name + _INDEX).unlink(missing_ok=True)
    return aside


def all_set_aside(folder: Path) -> list[Path]:
    """Files that were set aside, the oldest first, without their logs."""
    found = (one for one in folder.glob(f"*{MARK}*") if not one.name.endswith((_LOG, _INDEX)))
    return sorted(found, key=lambda one: one.name.partition(MARK)[2])
