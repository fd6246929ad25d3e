"""One device of the register, simulated: its physics, its sensor, its radio, its format."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from campus.clock import SECOND_MS
from campus.device import Device
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from simulators.campus.radio import Radio
from simulators.campus.sensor import Sensor
from simulators.formats.contract import Encoder, Publication
from simulators.physics.model import Model, Values
from simulators.physics.surroundings import CampusSurroundings

_DEFAULT_INTERVAL_S = 60.0
_COUNTED = {Quantity.WATER_VOLUME, Quantity.ENERGY, Quantity.GAS_VOLUME}
#: formats whose receiver says how strong it heard the device
_STRENGTH_DECODERS = {"chirpstack_v4", "tts_v3", "wmbusmeters"}
_STRENGTH = (Quantity.SIGNAL_STRENGTH, "")
#: an ordinary quartz keeps its interval this well
_CLOCK_ERROR = 2e-5


class Simulated:
    """A device with everything between its truth and the broker; each part draws from random numbers of its own."""

    def __init__(
        self, device: Device, model: Model, radio: Radio, encode: Encoder, *, seed: str, mains: bool
    ) -> None:
        self.device = device
        self.model = model
        self.radio = radio
        self.mains = mains
        self.sensor = Sensor(random.Random(f"{seed}:sensor"), device, battery=not mains)
        timing = random.Random(f"{seed}:phase")
        interval_ms = (device.interval_s or _DEFAULT_INTERVAL_S) * SECOND_MS
        self.interval_ms = max(1, round(interval_ms * (1 + timing.uniform(-_CLOCK_ERROR, _CLOCK_ERROR))))
        self.phase_ms = timing.randrange(self.interval_ms)
        self._encode = encode
        self._tells_strength = device.decoder in _STRENGTH_DECODERS
        self._encoding = random.Random(f"{seed}:encoding")
        self._series: dict[tuple[Quantity, str], Series] = {}

    def next_ms(self, after_ms: int) -> int:
        """The first moment at or after *after_ms* at which it reports."""
        return after_ms + (self.phase_ms - after_ms) % self.interval_ms

    def reports(self, time_ms: int, around: CampusSurroundings) -> list[Report]:
        """What of its report at *time_ms* reaches the broker, and when; physics go on where nothing does."""
        truth = self.model.step(time_ms, around)
        if self.mains and not around.powered(self.device.place.building, time_ms):
            return []
        sent = self.radio.deliver(time_ms)
        values = self.sensor.observe(truth, time_ms)
        if values is None or not sent:
            return []
        if self._tells_strength:
            strength_dbm = self.radio.strength_dbm(time_ms)
            values = values if strength_dbm is None else {**values, _STRENGTH: strength_dbm}
        stamp_ms = self.radio.stamp(time_ms)
        return [Report(moment, stamp_ms, self, values) for moment in sent]

    def series(self, key: tuple[Quantity, str]) -> Series:
        """The series of a quantity and channel, made once."""
        known = self._series.get(key)
        if known is None:
            known = self._series[key] = Series(self.device.id, *key)
        return known

    def publications(self, values: Values, time_ms: int, site: Site) -> list[Publication]:
        """The messages the device would send; a pulse meter sends pulses, not m3 or kWh."""
        weight = self.device.pulse_weight
        if weight:
            values = {
                (Quantity.PULSE_COUNT, channel) if quantity in _COUNTED else (quantity, channel): (
                    round(value / weight) if quantity in _COUNTED else value
                )
                for (quantity, channel), value in values.items()
            }
        return self._encode(self.device, values, time_ms, self._encoding, site)


class Report(NamedTuple):
    """What one device says: when the broker has it, which time it carries, and its values."""

    sent_ms: int
    time_ms: int
    simulated: Simulated
    values: Values

    def readings(self) -> Iterator[Reading]:
        """As the service would read it, in canonical units."""
        series = self.simulated.series
        for key, value in self.values.items():
            yield Reading(series(key), value, self.time_ms, self.sent_ms)

    def publications(self, site: Site) -> list[Publication]:
        """As the device would publish it."""
        return self.simulated.publications(self.values, self.time_ms, site)
