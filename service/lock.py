"""One service a data folder."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from service.errors import DataInUse, DataUnusable


class DataLock:
    """Held by the running service; the system lets go of it however the process ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = (folder / "lock").open("a+")
        except OSError as error:
            raise DataUnusable(folder / "lock", error.strerror or str(error)) from error

    def acquire(self) -> None:
        """Raises :class:`DataInUse` where another service holds it."""
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise DataInUse(self._folder) from error
        with contextlib.suppress(OSError):  # the number is for people; a full disk must not hinder the start
            self._file.truncate(0)
            self._file.write(str(os.getpid()))
            self._file.flush()

    def release(self) -> None:
        with contextlib.suppress(OSError):  # as above
            self._file.close()


def is_locked(folder: Path) -> bool:
    """Whether a service is running on the folder; nothing is changed."""
    try:
        file = (folder / "lock").open("rb")
    except OSError:
        return False
    with file:
        if sys.platform == "win32":
            import msvcrt

            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                return True
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
            return False
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
