"""At which brokers we had a session: a broker that does not know it any more has lost what it held for us."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import structlog

from service.broker.folder import write_private

log = structlog.get_logger()


class KnownSessions:
    """A set kept in the data folder. A file that cannot be read is an empty one: it only helps to notice a loss."""

    def __init__(self, data: Path) -> None:
        self._path = data / "broker-sessions.json"
        self._lock = threading.Lock()
        try:
            self._known = set(msgspec.json.decode(self._path.read_bytes(), type=list[str]))
        except FileNotFoundError:
            self._known = set()
        except (OSError, msgspec.DecodeError) as error:
            log.warning("broker.sessions_unreadable", file=str(self._path), reason=str(error))
            self._known = set()

    def __contains__(self, session: str) -> bool:
        return session in self._known

    def add(self, session: str) -> None:
        """From now on that broker is expected to know us."""
        with self._lock:
            self._known.add(session)
            try:
                write_private(self._path, msgspec.json.encode(sorted(self._known)).decode())
            except OSError as error:
                log.warning("broker.sessions_not_kept", file=str(self._path), reason=str(error))
