"""What a sensor makes of the truth: its step, its noise, its drift, its battery, and the ways it dies."""

from __future__ import annotations

import random

from campus.clock import DAY_MS
from campus.device import Device
from campus.quantity import Quantity
from simulators.physics.course import Courses
from simulators.physics.model import Values
from simulators.physics.thermal import NOISE_K, RESOLUTION_C

#: what a probe says when it is not there, by decoder: markers seen in real messages (DOMAIN.md 2.4, PAYLOADS.md)
_SENTINELS_C = {
    "tasmota": (85.0, -127.0),
    "zigbee2mqtt": (-327.68,),
    "chirpstack_v4": (-3276.8, 0.0),
    "tts_v3": (-3276.8, 0.0),
}
_DEFAULT_SENTINELS_C = (-127.0, 85.0)
#: a lithium cell lasts about five years (assumed)
_PERCENT_PER_DAY = 100 / (5 * 365)
#: of a dying sensor at its worst: spread of its noise in K, and how often it says nothing or nonsense
_DYING_NOISE_K, _DYING_NONSENSE, _DYING_SILENCE = 3.0, 0.25, 0.4


class Sensor:
    """Stands between a model's truth and what is sent."""

    def __init__(self, generator: random.Random, device: Device, *, battery: bool) -> None:
        self._generator = generator
        self._sentinels_c = _SENTINELS_C.get(device.decoder, _DEFAULT_SENTINELS_C)
        self._battery = battery
        self._battery_percent = generator.uniform(55, 100)
        self._battery_ms: int | None = None
        self._held: Values | None = None
        #: above 0 while the same values are said again and again
        self.stuck = Courses()
        #: 0..1, how near its end it is: noise, nonsense and silence grow
        self.dying = Courses()
        #: kelvins by which it reads wrong
        self.offset_k = Courses()
        #: percent of the battery gone beside its usual ageing
        self.drained = Courses()

    def observe(self, truth: Values, time_ms: int) -> Values | None:
        """What is said of *truth*; None for nothing."""
        values = dict(truth)
        temperature = (Quantity.TEMPERATURE, "")
        if temperature in values:
            values[temperature] = self._temperature(values[temperature], time_ms)
        if self._battery:
            values[Quantity.BATTERY_LEVEL, ""] = self._level(time_ms)
        if self.stuck:
            if self.stuck.at(time_ms):
                self._held = self._held or values
                return self._held
            self._held = None
        if self.dying:
            return self._failing(values, self.dying.at(time_ms))
        return values

    def _temperature(self, truth_c: float, time_ms: int) -> float:
        if self.offset_k:
            truth_c += self.offset_k.at(time_ms)
        steps = round((truth_c + self._generator.gauss(0, NOISE_K)) / RESOLUTION_C)
        return round(steps * RESOLUTION_C, 2)

    def _level(self, time_ms: int) -> float:
        if self._battery_ms is None:
            self._battery_ms = time_ms
        used = (time_ms - self._battery_ms) / DAY_MS * _PERCENT_PER_DAY + self.drained.at(time_ms)
        return float(max(0, round(self._battery_percent - used)))

    def _failing(self, values: dict[tuple[Quantity, str], float], share: float) -> Values | None:
        if not share:
            return values
        chance = self._generator.random()
        if chance < share * _DYING_SILENCE:
            return None
        nonsense = chance < share * (_DYING_SILENCE + _DYING_NONSENSE)
        for key, value in values.items():
            if key[0] is Quantity.TEMPERATURE:
                wrong_c = self._generator.choice(self._sentinels_c)
                noisy_c = value + self._generator.gauss(0, _DYING_NOISE_K * share)
                values[key] = wrong_c if nonsense else round(noisy_c, 1)
        return values
