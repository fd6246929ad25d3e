"""A freezer for exercises: it warms up on purpose, so that the whole road of an alert is walked."""

from __future__ import annotations

import random
from collections.abc import Iterator

from campus.clock import MINUTE_MS, SECOND_MS
from campus.device import Device
from campus.quantity import Quantity
from campus.site import Site
from simulators.formats.contract import Publication
from simulators.formats.home import zigbee2mqtt
from simulators.physics.model import Values
from simulators.physics.thermal import measured

EVERY_MS = 2 * SECOND_MS
_WARM_AFTER_MS = 8 * SECOND_MS
_CYCLE_MS = 6 * MINUTE_MS
_WARM_MS = 3 * MINUTE_MS
_COLD_C, _WARM_C = -20.0, -6.0


class DrillFreezer:
    """A freezer that warms up for three minutes of every six, from shortly after the start."""

    def __init__(self, device: Device, site: Site, *, seed: int, start_ms: int) -> None:
        self._device = device
        self._site = site
        self._generator = random.Random(f"{seed}:{device.id}")
        self._start_ms = start_ms
        self._next_ms = start_ms

    def publications(self, after_ms: int, until_ms: int) -> Iterator[Publication]:
        """What it publishes in a span of time."""
        self._next_ms = max(self._next_ms, after_ms)
        while self._next_ms < until_ms:
            phase_ms = (self._next_ms - self._start_ms) % _CYCLE_MS
            warm = _WARM_AFTER_MS <= phase_ms < _WARM_AFTER_MS + _WARM_MS
            values: Values = {
                (Quantity.TEMPERATURE, ""): measured(self._generator, _WARM_C if warm else _COLD_C)
            }
            yield from zigbee2mqtt(self._device, values, self._next_ms, self._generator, self._site)
            self._next_ms += EVERY_MS
