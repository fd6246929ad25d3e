"""What retained descriptions say of the values on other topics, remembered within bounds.

Homie, ESPHome and Home Assistant's discovery publish a value and its unit on different topics. The decoders of one site
share one :class:`Descriptions`; it is handed to them, survives a reload of the register, and is filled again by the
broker, which repeats retained messages whenever somebody subscribes. Without it they fall back to names and register.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from ingest.message import LONGEST_TOPIC

#: descriptions kept: some hundred devices with some dozen values each, at ≈ 1 KiB each no more than 20 MiB
MOST = 20_000
#: of one message: a device with a value for each of a cabinet's circuits
MOST_OF_ONE = 500
#: and so many are looked at, as a topic may be too long for any
MOST_LOOKED_AT = 2 * MOST_OF_ONE
#: of any text in a description; a unit, a class or a name is never longer
LONGEST = 128


class Described(msgspec.Struct, frozen=True, gc=False):
    """One value: its *unit*, Home Assistant's *device_class* or Homie's *datatype*, and where it is in the message.

    *path* leads into the JSON payload, () for a bare one; *on* and *off* are the payloads of a two-state sensor.
    """

    field: str
    address: str = ""
    name: str = ""
    unit: str = ""
    device_class: str = ""
    datatype: str = ""
    path: tuple[str | int, ...] = ()
    on: str = ""
    off: str = ""


#: a topic, and what is said of a value on it
Description = tuple[str, Described]
#: a broker's name and a topic: two brokers may have the same topics
_Key = tuple[str, str]


class Descriptions:
    """What each *origin* (the topic of a description) says of the values on other topics of its *broker*."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._count = 0
        self._said: OrderedDict[_Key, tuple[Description, ...]] = OrderedDict()
        self._on: dict[_Key, dict[str, tuple[Described, ...]]] = {}  # topic -> origin -> descriptions

    def __len__(self) -> int:
        return self._count

    def tell(self, origin: str, told: Iterable[Description], broker: str = "") -> None:
        """Remembers; what *origin* said before is replaced, and those who spoke longest ago make room."""
        self.forget(origin, broker)
        possible = (one for one in itertools.islice(told, MOST_LOOKED_AT) if len(one[0]) <= LONGEST_TOPIC)
        kept = tuple(itertools.islice(possible, MOST_OF_ONE))
        while self._said and self._count + len(kept) > self._most:
            oldest_broker, oldest = next(iter(self._said))
            self.forget(oldest, oldest_broker)
        if not kept:
            return
        self._said[broker, origin] = kept
        self._count += len(kept)
        for topic, described in kept:
            by_origin = self._on.setdefault((broker, topic), {})
            by_origin[origin] = (*by_origin.get(origin, ()), described)

    def forget(self, origin: str, broker: str = "") -> None:
        """*origin* was deleted, or is about to say something else."""
        said = self._said.pop((broker, origin), ())
        self._count -= len(said)
        for topic, _ in said:
            by_origin = self._on.get((broker, topic), {})
            by_origin.pop(origin, None)
            if not by_origin:
                self._on.pop((broker, topic), None)

    def said_by(self, origin: str, broker: str = "") -> tuple[Description, ...]:
        """What *origin* last said."""
        return self._said.get((broker, origin), ())

    def on(self, topic: str, broker: str = "") -> tuple[Described, ...]:
        """What is known of the values on *topic*: no more than one message may say, whoever says it."""
        by_origin = self._on.get((broker, topic), {})
        return tuple(itertools.islice(itertools.chain.from_iterable(by_origin.values()), MOST_OF_ONE))


def short(value: object) -> str:
    """A text of a description, cut to its bound; "" for anything that is none."""
    return value.strip()[:LONGEST] if isinstance(value, str) else ""
