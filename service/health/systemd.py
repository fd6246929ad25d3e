"""What systemd hears of us (sd_notify): a datagram of ``KEY=VALUE`` lines to the socket it names.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping

import structlog

from campus.clock import SECOND_MS

log = structlog.get_logger()

_SOCKET, _WATCHDOG_US, _WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Notifier:
    """Tells systemd, where it started us. *address* may be abstract (``@name``); empty for nobody to tell.

    *watchdog_ms* is within what time it wants to hear of us, 0 where it does not watch.
    """

    def __init__(self, address: str = "", *, watchdog_ms: int = 0) -> None:
        self.watchdog_ms = watchdog_ms
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address and hasattr(socket, "AF_UNIX"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.settimeout(0)  # a systemd that does not read must not hold up who pings it
        self._failed = False

    @classmethod
    def of(cls, environment: MutableMapping[str, str], pid: int) -> Notifier:
        """As *environment* says; the variables are taken out of it, as they are not meant for our children."""
        address = environment.pop(_SOCKET, "")
        watchdog_us, for_pid = environment.pop(_WATCHDOG_US, ""), environment.pop(_WATCHDOG_PID, "")
        wanted = watchdog_us.isdigit() and for_pid in {"", str(pid)}
        return cls(address, watchdog_ms=int(watchdog_us) // SECOND_MS if wanted else 0)

    @property
    def heard(self) -> bool:
        """Whether there is somebody to tell."""
        return self._socket is not None

    def tell(self, **states: str) -> bool:
        """Sends ``READY="1"``, ``STATUS="…"`` and so on; whether it went out. Never raises."""
        if self._socket is None:
            return False
        lines = "\n".join(f"{key}={' '.join(value.split())}" for key, value in states.items())
        try:
            self._socket.sendto(lines.encode(), self._address)
        except OSError as error:
            if not self._failed:
                log.warning("systemd.unheard", reason=str(error))
            self._failed = True
            return False
        self._failed = False
        return True

    def close(self) -> None:
        """Lets the socket go."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
        self._socket = None


def from_environment() -> Notifier:
    """As the process' own environment says."""
    return Notifier.of(os.environ, os.getpid())
