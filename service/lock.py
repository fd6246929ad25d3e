"""One service a data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from service.errors import DataInUse


class DataLock:
    """Held by the running service; the system lets go of it however the process ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file = (folder / "lock").open("a+")

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
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.close()
