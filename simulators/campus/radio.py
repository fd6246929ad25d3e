"""From the sensor to the broker: what is lost, sent twice, sent late, and stamped by a wrong clock."""

from __future__ import annotations

import random
from typing import NamedTuple

from campus.clock import MINUTE_MS
from simulators.physics.course import Courses


class Link(NamedTuple):
    """Chances of one message: lost, sent twice, kept back and sent later (assumed; ordinary links in buildings)."""

    lost: float = 0.001
    twice: float = 0.0005
    late: float = 0.0


LORAWAN = Link(lost=0.01, twice=0.002, late=0.002)
LINKS = {
    "chirpstack_v4": LORAWAN,
    "tts_v3": LORAWAN,
    "wmbusmeters": Link(lost=0.02, twice=0.005),
    "zigbee2mqtt": Link(lost=0.003, twice=0.001),
}
_USUAL = Link()
#: how strong a radio is heard in a building; what hides it costs this much at full loss; nothing is heard below (assumed)
_USUAL_DBM, _SHADOW_DB, _WEAKEST_DBM = (-105.0, -65.0), 60.0, -124.0
#: a message kept back comes within this span; the copy of one sent twice after a moment
_LATEST_MS, _COPY_MS = 20 * MINUTE_MS, 3_000


class Radio:
    """One device's link; *gateway_down* is shared by all devices behind a gateway."""

    def __init__(self, generator: random.Random, decoder: str, *, gateway_down: Courses) -> None:
        self._generator = generator
        self._link = LINKS.get(decoder, _USUAL)
        self._usual_dbm = generator.uniform(*_USUAL_DBM) if decoder in LINKS else None
        self.gateway_down = gateway_down
        #: above 0 while nothing comes: a dead battery, an unplugged sensor
        self.silent = Courses()
        #: added share of messages lost
        self.loss = Courses()
        #: milliseconds by which the device's clock is wrong
        self.clock_ms = Courses()

    def deliver(self, time_ms: int) -> tuple[int, ...]:
        """When the broker has a message of *time_ms*: never, once or twice."""
        if (self.gateway_down and self.gateway_down.at(time_ms)) or (self.silent and self.silent.at(time_ms)):
            return ()
        link = self._link
        chance = self._generator.random()
        lost = link.lost + (self.loss.at(time_ms) if self.loss else 0.0)
        if chance < lost:
            return ()
        if chance < lost + link.twice:
            return (time_ms, time_ms + _COPY_MS)
        if chance < lost + link.twice + link.late:
            return (time_ms + self._generator.randrange(MINUTE_MS, _LATEST_MS),)
        return (time_ms,)

    def strength_dbm(self, time_ms: int) -> float | None:
        """How strong the gateway hears it; None for a device on a wire or on WLAN, that does not say."""
        if self._usual_dbm is None:
            return None
        shadow_db = self.loss.at(time_ms) * _SHADOW_DB if self.loss else 0.0
        return round(max(_WEAKEST_DBM, self._usual_dbm - shadow_db + self._generator.uniform(-3, 3)))

    def stamp(self, time_ms: int) -> int:
        """The time the device itself believes it is."""
        return time_ms + round(self.clock_ms.at(time_ms)) if self.clock_ms else time_ms
