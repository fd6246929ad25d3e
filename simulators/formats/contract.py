"""What every encoder is."""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple, Protocol

from campus.device import Device
from campus.quantity import Quantity
from campus.site import Site
from simulators.physics.model import Values


class Publication(NamedTuple):
    """A message as a device would publish it."""

    topic: str
    payload: bytes


class Encoder(Protocol):
    """Turns a device's values at a time into the messages its format would carry."""

    def __call__(
        self, device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
    ) -> list[Publication]: ...


def as_json(body: Any) -> bytes:
    """Compact JSON in UTF-8, as devices send it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def first(values: Values, quantity: Quantity) -> float | None:
    """The value of *quantity* on any channel, or None."""
    return next((value for (name, _), value in values.items() if name is quantity), None)


def strength(values: Values, generator: random.Random) -> int:
    """What the receiver heard in dBm; a usual one where nobody says."""
    told = first(values, Quantity.SIGNAL_STRENGTH)
    return generator.randint(-105, -65) if told is None else round(told)
