"""Whether our own clock runs ahead, by what devices say that date their readings themselves.

A clock of ours that is hours or years ahead makes everything such devices say look late, and late readings raise no
alarm. One device that is behind has a slow clock or a backlog. But where most of them are behind by the same amount for
minutes on end, it is our clock that is wrong; a backlog's age shrinks as it is delivered.
"""

from __future__ import annotations

import statistics

import msgspec

from campus.clock import HOUR_MS, MINUTE_MS, SECOND_MS

#: readings that are less behind are no concern of anybody
SUSPECT_MS = 30 * MINUTE_MS
_SAME_MS = 2 * MINUTE_MS
_HELD_MS = 10 * MINUTE_MS
_RECENT_MS = 3 * HOUR_MS
_LEAST_DEVICES = 3
_LOOK_EVERY_MS = 5 * SECOND_MS


class _Behind(msgspec.Struct):
    """A device that has been behind by about *by_ms* from one moment to another, by our clock."""

    by_ms: int
    since_ms: int
    last_ms: int


class DeviceClocks:
    """Bounded by the devices of the register. Fed by one thread; *ahead_ms* may be read by any."""

    def __init__(self) -> None:
        self._behind: dict[str, _Behind] = {}
        self._on_time: dict[str, int] = {}
        self._looked_ms = 0
        #: by how much our clock is ahead of the devices', 0 where it is not
        self.ahead_ms = 0

    def on_time(self, device: str, received_ms: int) -> None:
        """*device* said something with a time of its own that agrees with ours."""
        if self._behind:
            self._on_time[device] = received_ms
            if self._behind.pop(device, None) is not None:
                self._look(received_ms)

    def is_ours(self, device: str, behind_ms: int, received_ms: int) -> bool:
        """Whether our clock is to blame for a reading of *device* that is *behind_ms* old."""
        known = self._behind.get(device)
        if known is None or abs(behind_ms - known.by_ms) > _SAME_MS or received_ms < known.last_ms:
            self._behind[device] = _Behind(behind_ms, received_ms, received_ms)
            self._on_time.pop(device, None)
        else:
            known.last_ms = received_ms
        if not 0 <= received_ms - self._looked_ms < _LOOK_EVERY_MS:
            self._look(received_ms)
        return self.ahead_ms > 0 and abs(behind_ms - self.ahead_ms) <= _SAME_MS

    def _look(self, now_ms: int) -> None:
        self._looked_ms = now_ms
        held = [
            one.by_ms
            for one in self._behind.values()
            if one.last_ms - one.since_ms >= _HELD_MS and 0 <= now_ms - one.last_ms < _RECENT_MS
        ]
        middle_ms = round(statistics.median(held)) if held else 0
        agreeing = sum(abs(by_ms - middle_ms) <= _SAME_MS for by_ms in held)
        against = sum(0 <= now_ms - heard_ms < _RECENT_MS for heard_ms in self._on_time.values())
        against += len(held) - agreeing
        self.ahead_ms = middle_ms if agreeing >= _LEAST_DEVICES and agreeing > against else 0
