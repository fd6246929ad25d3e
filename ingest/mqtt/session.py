"""What becomes of our session at a broker: taken by another client of our name, or lost by the broker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from campus.clock import MINUTE_MS

#: MQTT 5: another client connected with our client id
_TAKEN_OVER = 142
_WINDOW_MS = 2 * MINUTE_MS
#: once may be ourselves, behind a network that broke
_TAKEN_TIMES = 2
#: MQTT 3.1.1 gives no reason: connections that were made and at once lost so often, while the broker is there
_LOST_TIMES = 4
_SHORT_MS = 20_000


class SessionWatch:
    """*known* says whether the broker has kept a session of ours before; *on_kept* is called when it begins a new one."""

    def __init__(self, *, known: bool = False, on_kept: Callable[[], object] = lambda: None) -> None:
        self._known = known
        self._on_kept = on_kept
        self._connected_ms = 0
        self._new = not known
        self._taken_ms: deque[int] = deque(maxlen=_TAKEN_TIMES)
        self._lost_ms: deque[int] = deque(maxlen=_LOST_TIMES)
        #: when the broker last said that it has no session of ours, though it had; 0 for never
        self.forgotten_ms = 0

    def connected(self, now_ms: int, *, session_present: bool) -> None:
        """The broker took us."""
        self._connected_ms = now_ms
        self._new = self._new or not session_present
        if self._known and not session_present:
            self.forgotten_ms = now_ms

    def kept(self) -> None:
        """Our subscriptions are confirmed: from now on the broker keeps messages for us."""
        self._known = True
        if self._new:
            self._new = False
            self._on_kept()

    def disconnected(self, now_ms: int, reason: int) -> None:
        """An established connection ended, though not by us."""
        if reason == _TAKEN_OVER:
            self._taken_ms.append(now_ms)
        elif now_ms - self._connected_ms < _SHORT_MS:
            self._lost_ms.append(now_ms)

    def unreachable(self) -> None:
        """The broker is not there at all, so nobody pushes us out of it."""
        self._lost_ms.clear()

    def contested(self, now_ms: int) -> bool:
        """Whether another client of our name keeps taking our session."""
        return any(
            len(moments) == moments.maxlen and now_ms - moments[0] <= _WINDOW_MS
            for moments in (self._taken_ms, self._lost_ms)
        )
