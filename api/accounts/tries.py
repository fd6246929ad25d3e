"""How often a password may be guessed: by name and address together, by address, and by name from strangers.

A try counts from when it begins, so a hundred at once are no more than a hundred in a row; one that was right is taken
back. Five wrong ones from one address slow down that address only. The budget of a name holds against guessing from many
addresses, and does not touch an address from which that person has signed in before.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from api.errors import TooManyTries
from campus.clock import MINUTE_MS

#: keys remembered of each kind; whoever tried longest ago is forgotten
_MOST_KEYS = 4096


class _Limit(NamedTuple):
    most: int
    window_ms: int


_PAIR = _Limit(5, 5 * MINUTE_MS)
_ADDRESS = _Limit(20, 5 * MINUTE_MS)
_NAME = _Limit(30, 15 * MINUTE_MS)


class Try(NamedTuple):
    """A try under way: its time and the keys it was counted under."""

    at_ms: int
    keys: tuple[tuple[int, bytes], ...]


class Tries:
    """Counts tries. *addresses* says from where a user is signed in already."""

    def __init__(self, addresses: Callable[[str], Iterable[str]]) -> None:
        self._addresses = addresses
        self._lock = threading.Lock()
        self._limits = (_PAIR, _ADDRESS, _NAME)
        self._windows: tuple[OrderedDict[bytes, list[int]], ...] = (
            OrderedDict(),
            OrderedDict(),
            OrderedDict(),
        )

    def begin(self, name: str, address: str, now_ms: int) -> Try:
        """Counts a try; raises :class:`TooManyTries`, then nothing is counted."""
        network = _network(address)
        keys = [(0, _digest(name, network)), (1, _digest(network))]
        if network not in map(_network, self._addresses(name)):
            keys.append((2, _digest(name)))
        with self._lock:
            wait_ms = max(self._wait_ms(kind, key, now_ms) for kind, key in keys)
            if wait_ms > 0:
                raise TooManyTries(math.ceil(wait_ms / 1000))
            for kind, key in keys:
                window = self._windows[kind]
                window.setdefault(key, []).append(now_ms)
                window.move_to_end(key)
                if len(window) > _MOST_KEYS:
                    window.popitem(last=False)
        return Try(now_ms, tuple(keys))

    def take_back(self, one: Try) -> None:
        """A try that was no guess: the password was right, or nobody had time to look."""
        with self._lock:
            for kind, key in one.keys:
                times = self._windows[kind].get(key, [])
                if one.at_ms in times:
                    times.remove(one.at_ms)

    def succeeded(self, one: Try) -> None:
        """The password was right: earlier mistakes of that person at that address are forgotten, too."""
        self.take_back(one)
        with self._lock:
            self._windows[0].pop(one.keys[0][1], None)

    def _wait_ms(self, kind: int, key: bytes, now_ms: int) -> int:
        limit, times = self._limits[kind], self._windows[kind].get(key)
        if times is None:
            return 0
        # those that lie far ahead are from before the clock was set back
        times[:] = [at for at in times if abs(now_ms - at) < limit.window_ms]
        return times[-limit.most] + limit.window_ms - now_ms if len(times) >= limit.most else 0


def _digest(*parts: str) -> bytes:
    """A key of fixed size, however long what was typed is."""
    return hashlib.blake2b("\0".join(parts).encode(errors="replace"), digest_size=16).digest()


def _network(address: str) -> str:
    """*address*, or the /64 of an IPv6 one, all of which one person has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
