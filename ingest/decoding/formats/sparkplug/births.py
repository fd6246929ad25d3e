"""What Sparkplug's births said: which metric an alias stands for, its datatype and unit, and where a node's count is.

Data messages may name a metric by its alias alone, so a decoder needs this memory; it is explicit, handed in with the
hints, and bounded: past its limits the births used longest ago are forgotten, and their data are held back until the
node is born again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

#: metrics over all births; some 300 bytes each
MOST_METRICS = 100_000
MOST_BIRTHS = 10_000
#: a node's messages count 0 to 255 and begin again
_SEQUENCES = 256


class KnownMetric(msgspec.Struct, frozen=True):
    """A metric as its birth described it."""

    name: str
    datatype: int
    unit: str = ""


class _Birth(msgspec.Struct):
    received_ms: int
    by_alias: dict[int, KnownMetric] = {}
    by_name: dict[str, KnownMetric] = {}

    @property
    def size(self) -> int:
        """Metrics held; a birth may give one name many aliases."""
        return max(len(self.by_alias), len(self.by_name))


class _Session(msgspec.Struct):
    #: the birth/death number, by which a late will of an earlier connection is told from a death
    birth_number: int | None = None
    sequence: int | None = None


class _Kept(msgspec.Struct, frozen=True):
    """Everything remembered, as it is written to disk."""

    births: dict[str, _Birth]
    sessions: dict[str, _Session]


class Births:
    """Births by address (``group/node`` or ``group/node/device``), sessions by node."""

    def __init__(self, *, most_metrics: int = MOST_METRICS, most_births: int = MOST_BIRTHS) -> None:
        self._most_metrics = most_metrics
        self._most_births = most_births
        self._births: OrderedDict[str, _Birth] = OrderedDict()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._metrics = 0
        #: one more with each birth and death
        self.version = 0

    def encoded(self) -> bytes:
        """All that is remembered, to be restored after a restart: births are not sent again for it."""
        return msgspec.msgpack.encode(_Kept(dict(self._births), dict(self._sessions)))

    def restore(self, kept: bytes) -> None:
        """Takes up what :meth:`encoded` gave; raises ValueError for anything else."""
        found = msgspec.msgpack.decode(kept, type=_Kept)
        for session in found.sessions.values():
            session.sequence = None  # messages sent while nobody listened are no gap worth a flag
        self._births = OrderedDict(found.births)
        self._sessions = OrderedDict(found.sessions)
        self._metrics = sum(birth.size for birth in self._births.values())

    def __len__(self) -> int:
        return self._metrics

    def node_born(self, node: str, birth_number: int | None, received_ms: int) -> None:
        """A node's birth ends what was known of its devices; one replayed from quarantine ends nothing."""
        before = self._births.get(node)
        if before is not None and before.received_ms >= received_ms:
            return
        self._forget(node)
        self.version += 1
        self._sessions[node] = _Session(birth_number)
        self._sessions.move_to_end(node)
        if len(self._sessions) > self._most_births:
            self._sessions.popitem(last=False)

    def node_died(self, node: str, birth_number: int | None) -> bool:
        """Forgets what a node's births said; False for the will of a connection that another one has replaced."""
        session = self._sessions.get(node)
        if (
            session is not None
            and birth_number is not None
            and session.birth_number not in {None, birth_number}
        ):
            return False
        self._forget(node)
        self._sessions.pop(node, None)
        return True

    def device_died(self, address: str) -> None:
        """Forgets one device's birth."""
        self._drop(address)

    def learn(
        self, address: str, metrics: Iterable[tuple[int | None, KnownMetric]], received_ms: int
    ) -> None:
        """Takes up a birth's metrics with their aliases; an older birth than the known one changes nothing."""
        before = self._births.get(address)
        if before is not None and before.received_ms > received_ms:
            return
        self._drop(address)
        birth = _Birth(received_ms)
        for alias, metric in metrics:
            birth.by_name[metric.name] = metric
            if alias is not None:
                birth.by_alias[alias] = metric
        self._births[address] = birth
        self.version += 1
        self._metrics += birth.size
        while self._births and (self._metrics > self._most_metrics or len(self._births) > self._most_births):
            self._drop(next(iter(self._births)))

    def metric(self, address: str, alias: int | None, name: str) -> KnownMetric | None:
        """What the birth of *address* said of a metric, by name or else by alias."""
        birth = self._births.get(address)
        if birth is None:
            return None
        self._births.move_to_end(address)
        if name:
            return birth.by_name.get(name)
        return None if alias is None else birth.by_alias.get(alias)

    def gap(self, node: str, sequence: int | None) -> str:
        """Says in words what is missing between this message of *node* and the one before; "" for nothing."""
        session = self._sessions.get(node)
        if session is None or sequence is None:
            return ""
        before, session.sequence = session.sequence, sequence
        if before is None or sequence == (before + 1) % _SEQUENCES:
            return ""
        return f"{sequence} after {before}"

    def _forget(self, node: str) -> None:
        for address in [one for one in self._births if one == node or one.startswith(f"{node}/")]:
            self._drop(address)

    def _drop(self, address: str) -> None:
        birth = self._births.pop(address, None)
        if birth is not None:
            self.version += 1
            self._metrics -= birth.size
