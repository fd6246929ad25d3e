"""Fridges and freezers: air and goods as two masses, a thermostat, defrost, doors, loads, and what fails in them.

The numbers of a −20 °C freezer were fitted to a recorded one (docs/simulators.md): air between −20.6 and −18.4 °C, 14 minutes
up and 15 down, a defrost every 36 to 42 hours that lifts the air by 17 to 25 K in half an hour. With the compressor off, the air
alone has a time constant of 4.5 h, and with its goods the cabinet has 38 h (DOMAIN.md 3.3, an upright freezer: 4.9 and 38 h).
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from simulators.physics.course import Courses
from simulators.physics.demand import poisson
from simulators.physics.model import Surroundings, Values

#: time constants in hours: air through the walls, air with the goods
_WALL_H, _GOODS_H = 4.5, 0.6
#: the heat the goods hold, in masses of the air's side: 4.5 h × (1 + 7.5) is about 38 h
_GOODS_MASSES = 7.5
#: while food thaws, between these temperatures, it takes this many times the heat (a plateau near 0 °C, DOMAIN.md 3.3)
_THAW_C, _THAW_TIMES = (-3.0, -0.5), 12.0
#: the compressor's pull over the heat coming in at the set point: a duty of 40 to 53 %
_PULL = (1.9, 2.5)
#: an open door lets the room in with this time constant; openings an hour at full activity and their seconds (assumed)
_DOOR_H = 0.2
_OPENINGS_PER_HOUR, _OPENING_S = 2.0, (5.0, 25.0)
#: goods put in on a morning in two: share of the goods' mass, at this temperature (assumed)
_LOAD_HOUR_UTC, _LOAD_SHARE, _LOAD_C = 23, 0.06, {"freezer": -8.0}
_DEFAULT_LOAD_C = 18.0


class Defrost(NamedTuple):
    """Every *every_ms* the heater lifts the air by *rise_k* within *lasts_ms*; 0 for a cabinet that needs none."""

    every_ms: int
    lasts_ms: int
    rise_k: float


class Setting(NamedTuple):
    """What a kind of cabinet is set to."""

    set_c: float
    swing_k: float
    defrosts: bool


SETTINGS = {
    "freezer": Setting(-19.5, 1.1, defrosts=True),
    "fridge": Setting(4.0, 1.0, defrosts=False),
    "sample_cabinet": Setting(4.0, 0.8, defrosts=False),
}


def usual_defrost(generator: random.Random, setting: Setting) -> Defrost:
    """Most freezers defrost a little several times a day, some strongly every one and a half days."""
    if not setting.defrosts:
        return Defrost(0, 0, 0)
    if generator.random() < 0.7:
        every_h, lasts_min, rise_k = generator.uniform(6, 12), 20.0, generator.uniform(4, 8)
    else:
        every_h, lasts_min, rise_k = (
            generator.uniform(36, 42),
            generator.uniform(26, 33),
            generator.uniform(15, 22),
        )
    return Defrost(round(every_h * HOUR_MS), round(lasts_min * MINUTE_MS), rise_k)


class Cabinet:
    """One cabinet; *profile* chooses its setting, *building* whose people open it and whose mains feed it."""

    def __init__(
        self,
        generator: random.Random,
        building: str,
        *,
        profile: str,
        mains_lost: Courses,
        room_c: float = 24.0,
    ) -> None:
        self._generator = generator
        self._building = building
        self._setting = SETTINGS.get(profile, SETTINGS["fridge"])
        self._load_c = _LOAD_C.get(profile, _DEFAULT_LOAD_C)
        self._room_c = room_c
        self._defrost = usual_defrost(generator, self._setting)
        self._phase_ms = generator.randrange(self._defrost.every_ms) if self._defrost.every_ms else 0
        self._pull_k_min = (
            generator.uniform(*_PULL) * (room_c - self._setting.set_c) / (_WALL_H * HOUR_MS / MINUTE_MS)
        )
        self._cooling = generator.random() < 0.5
        self._last_ms: int | None = None
        self.air_c = self._setting.set_c + generator.uniform(-1, 1) * self._setting.swing_k
        self.goods_c = self._setting.set_c
        self._mains_lost = mains_lost
        #: above 0 while its own circuit is off
        self.unpowered = Courses()
        #: share of the cooling that is missing: 1 for a dead compressor, less for lost refrigerant
        self.cooling_lost = Courses()
        #: above 0 while somebody leaves the door open; 1 is ajar as far as a hand
        self.door = Courses()
        #: above 0 while the heater of the defrost does not end
        self.heater_stuck = Courses()

    def step(self, time_ms: int, around: Surroundings) -> Values:
        """The air's temperature."""
        last_ms = time_ms if self._last_ms is None else self._last_ms
        self._last_ms = time_ms
        opened = self._opened(last_ms, time_ms, around)
        while last_ms < time_ms:
            slice_ms = min(MINUTE_MS, time_ms - last_ms)
            self._minute(last_ms, slice_ms, opened.pop() if opened else 0.0)
            last_ms += slice_ms
        return {(Quantity.TEMPERATURE, ""): self.air_c}

    def _opened(self, from_ms: int, to_ms: int, around: Surroundings) -> list[float]:
        """Seconds the door is open, for some of the minutes of a span."""
        if to_ms <= from_ms:
            return []
        self._load(from_ms, to_ms)
        activity = around.activity(self._building, to_ms)
        count = poisson(self._generator, _OPENINGS_PER_HOUR * activity * (to_ms - from_ms) / HOUR_MS)
        if not count:
            return []
        minutes = max(1, (to_ms - from_ms) // MINUTE_MS)
        seconds = [0.0] * minutes
        for _ in range(count):
            seconds[self._generator.randrange(minutes)] += self._generator.uniform(*_OPENING_S)
        return seconds

    def _load(self, from_ms: int, to_ms: int) -> None:
        """Fresh goods before breakfast, about every other day."""
        day = (to_ms - _LOAD_HOUR_UTC * HOUR_MS) // DAY_MS
        if day != (from_ms - _LOAD_HOUR_UTC * HOUR_MS) // DAY_MS and self._generator.random() < 0.5:
            share = _LOAD_SHARE * self._generator.uniform(0.3, 1.5)
            self.goods_c += share * (self._load_c - self.goods_c)

    def _minute(self, now_ms: int, slice_ms: int, open_s: float) -> None:
        hours = slice_ms / HOUR_MS
        air_c, goods_c = self.air_c, self.goods_c
        flow_k = (goods_c - air_c) * (1 - math.exp(-hours / _GOODS_H))
        melting = _THAW_TIMES if _THAW_C[0] < goods_c < _THAW_C[1] and self._setting.set_c < -10 else 1.0
        self.goods_c = goods_c - flow_k / (_GOODS_MASSES * melting)
        gain_k = flow_k + (self._room_c - air_c) * hours / _WALL_H
        ajar = self.door.at(now_ms) if self.door else 0.0
        if open_s or ajar:
            air_share = min(1.0, open_s * 1000 / max(1, slice_ms)) + ajar
            gain_k += (self._room_c - air_c) * (1 - math.exp(-hours * air_share / _DOOR_H))
        if (self.unpowered and self.unpowered.at(now_ms)) or (
            self._mains_lost and self._mains_lost.at(now_ms)
        ):
            self.air_c = air_c + gain_k
            return
        if self._heats(now_ms):
            self.air_c = air_c + max(gain_k, self._defrost.rise_k * slice_ms / max(1, self._defrost.lasts_ms))
            self._cooling = True
            return
        self._thermostat(air_c)
        pull_k = self._pull_k_min * slice_ms / MINUTE_MS if self._cooling else 0.0
        if self.cooling_lost:
            pull_k *= 1 - min(1.0, self.cooling_lost.at(now_ms))
        self.air_c = air_c + gain_k - pull_k

    def _heats(self, now_ms: int) -> bool:
        every_ms = self._defrost.every_ms
        if not every_ms:
            return False
        since_ms = (now_ms + self._phase_ms) % every_ms
        stuck = self.heater_stuck and self.heater_stuck.at(now_ms) > 0
        return since_ms < self._defrost.lasts_ms or bool(stuck and self.air_c < self._room_c)

    def _thermostat(self, air_c: float) -> None:
        if air_c >= self._setting.set_c + self._setting.swing_k:
            self._cooling = True
        elif air_c <= self._setting.set_c - self._setting.swing_k:
            self._cooling = False
