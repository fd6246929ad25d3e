"""The data folder is its owner's alone: it holds the keys and the hashes of passwords."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from alerts.own import data as own_data
from service.recovery.event import Event

_FOLDER = 0o700
_FILE = 0o600


def private_umask() -> None:
    """What this process makes from now on is its owner's alone."""
    os.umask(0o077)


def make_private(folder: Path, now_ms: int) -> list[Event]:
    """Makes the folder, or narrows it and the files in it to their owner; what was wider, or stays so."""
    if sys.platform == "win32":  # permissions are lists there, and inherited
        folder.mkdir(parents=True, exist_ok=True)
        return []
    if not folder.exists():
        folder.mkdir(mode=_FOLDER, parents=True)
        return []
    wide = list(_wide(folder))
    stuck = [path for path in wide if not _narrow(path)]
    if not wide:
        return []
    names = ", ".join(path.name or str(path) for path in (stuck or wide)[:5])
    reason = f"chmod: {names}" if stuck else names
    return [Event(now_ms, own_data.DATA_OPEN, str(folder), {"reason": reason})]


def wider_than_owner(folder: Path) -> list[Path]:
    """The folder and what is in it, as far as others may look into it."""
    return [] if sys.platform == "win32" or not folder.exists() else list(_wide(folder))


def _wide(folder: Path) -> Iterator[Path]:
    if stat.S_IMODE(folder.stat().st_mode) & ~_FOLDER:
        yield folder
    for path in (*sorted(folder.iterdir()), *sorted(folder.glob("copies/*"))):
        if path.is_file() and not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & ~_FILE:
            yield path


def _narrow(path: Path) -> bool:
    try:
        path.chmod(_FOLDER if path.is_dir() else _FILE)
    except OSError:
        return False
    return True
