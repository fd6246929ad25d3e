"""What Sparkplug's births said, kept over restarts: nodes are not born again because we were away."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from ingest.decoding.formats.sparkplug.births import Births

log = structlog.get_logger()

#: births are rare; a flood of them must not become a flood of writing
_SHORTEST_MS = 5_000


class BirthsFile:
    """One file beside the journal. Losing it costs no reading: data wait in quarantine for the next birth."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.births = Births()
        self._saved = 0
        self._saved_ms = 0
        try:
            self.births.restore(path.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.warning("births.unreadable", path=str(path), reason=str(error))

    def save(self, now_ms: int, *, at_once: bool = False) -> None:
        """Writes what changed, no oftener than every few seconds but *at_once*; a failure is only logged."""
        due = at_once or not 0 <= now_ms - self._saved_ms < _SHORTEST_MS
        if self.births.version == self._saved or not due:
            return
        self._saved_ms = now_ms
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("wb") as file:
                file.write(self.births.encoded())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            log.warning("births.not_saved", path=str(self._path), reason=str(error))
            return
        self._saved = self.births.version
