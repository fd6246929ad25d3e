"""What the devices of a campus share: the weather, each building's day, its heating and its mains."""

from __future__ import annotations

import math

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, from_ms
from simulators.physics.course import Courses
from simulators.physics.weather import Sky

#: hours of the day (local) at which each use of a building is busy, with the share of its full activity
#: (a northern boarding school's day; assumed)
_RHYTHMS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "teaching": ((6.5, 7.5, 0.3), (7.5, 12, 1.0), (12, 13.5, 0.2), (13.5, 17.5, 1.0), (17.5, 21.8, 0.5)),
    "dormitory": ((5.8, 7.5, 1.0), (12, 13.5, 0.5), (17.5, 19, 0.6), (21, 23, 1.0), (0, 5.8, 0.01)),
    "canteen": ((4.5, 8, 0.8), (8, 10, 0.4), (10, 13.5, 1.0), (15, 19, 0.9)),
    "boiler_house": ((0, 24, 0.5),),
    "office": ((8, 12, 1.0), (13.5, 17.5, 1.0)),
    "sports": ((6, 8, 0.4), (15, 19, 0.8)),
    "other": ((8, 18, 0.5),),
}
#: open but out of hours, and closed: a guard, a cleaner
_QUIET, _CLOSED = 0.02, 0.003
_SLOT_MS = 5 * MINUTE_MS
_KEPT_SLOTS = 4_096

#: room air while heated in use, and at night-set while a building is shut for a day or more (值班供暖; assumed)
_HEATED_C, _SETBACK_C = 20.0, 14.0
_SHUT_MS = DAY_MS
#: a masonry building without heating cools with about this time constant (assumed; buildings cool slowly, DOMAIN.md 2.3)
_COOLING_H, _HEATING_H = 40.0, 12.0
#: people, lights and sun keep a building above the weather, also without heating
_GAIN_K, _UNHEATED_GAIN_K = 5.0, 4.0
_UNHEATED_COOLING_H = 20.0
_AIR_SLOT_MS = 10 * MINUTE_MS


class BuildingState:
    """One building: its use, its air, and what is cut off from it."""

    def __init__(self, use: str, *, heated: bool) -> None:
        self.use = use
        self.heated = heated
        #: share of the heating that is missing, 0..1
        self.heating_lost = Courses()
        #: above 0 while the mains are off
        self.mains_lost = Courses()
        #: added activity: a sports day, guests, an open day
        self.crowd = Courses()
        self._slot = 0
        self._air_c: tuple[float, float] | None = None

    def indoor_c(self, building: str, time_ms: int, around: CampusSurroundings) -> float:
        """The rooms' air, on a grid of ten minutes, so that it does not matter who asks when."""
        slot, rest_ms = divmod(time_ms, _AIR_SLOT_MS)
        if self._air_c is None or slot < self._slot:
            start_c = self._aim(building, slot * _AIR_SLOT_MS, around)[0]
            self._slot, self._air_c = slot, (start_c, start_c)
        while self._slot < slot:
            self._slot += 1
            air_c = self._air_c[1]
            aim_c, hours = self._aim(building, self._slot * _AIR_SLOT_MS, around)
            share = 1 - math.exp(-_AIR_SLOT_MS / (hours * HOUR_MS))
            self._air_c = air_c, air_c + (aim_c - air_c) * share
        before, after = self._air_c
        return before + (after - before) * rest_ms / _AIR_SLOT_MS

    def _aim(self, building: str, time_ms: int, around: CampusSurroundings) -> tuple[float, float]:
        """What the air tends to, and how many hours it takes for most of the way."""
        outdoor_c = around.outdoor_c(time_ms)
        if not self.heated:
            return outdoor_c + _UNHEATED_GAIN_K, _UNHEATED_COOLING_H
        set_c = _SETBACK_C if around.shut(building, time_ms) else _HEATED_C
        free_c = outdoor_c + _GAIN_K
        if free_c >= set_c:
            return min(free_c, 28.0 + 0.3 * (free_c - 28.0)), _COOLING_H
        lost = min(1.0, self.heating_lost.at(time_ms)) if self.heating_lost else 0.0
        aim_c = set_c + lost * (free_c - set_c)
        air_c = aim_c if self._air_c is None else self._air_c[1]
        return aim_c, _HEATING_H if aim_c > air_c else _COOLING_H


class CampusSurroundings:
    """:class:`simulators.physics.model.Surroundings` of a campus."""

    def __init__(self, campus: Campus, sky: Sky) -> None:
        self._zone = campus.site.zone
        self._hours = campus.hours
        self.sky = sky
        self.outdoor_c = sky.outdoor_c
        self.buildings: dict[str, BuildingState] = {
            one.id: BuildingState(one.use, heated=one.heated) for one in campus.site.buildings
        }
        self._activities: dict[tuple[str, int], float] = {}

    def building(self, building: str) -> BuildingState:
        """The building of that id; a nameless one is made where the register names none."""
        return self.buildings.setdefault(building, BuildingState("other", heated=True))

    def indoor_c(self, building: str, time_ms: int) -> float:
        """The air of a building's rooms."""
        return self.building(building).indoor_c(building, time_ms, self)

    def powered(self, building: str, time_ms: int) -> bool:
        """Whether the building's mains are on."""
        lost = self.building(building).mains_lost
        return not lost or not lost.at(time_ms)

    def shut(self, building: str, time_ms: int) -> bool:
        """Whether the building has been closed for a day or more."""
        closed = self._hours.opening(building, time_ms) is Opening.CLOSED
        return closed and time_ms - self._hours.changed_ms(building, time_ms) > _SHUT_MS

    def activity(self, building: str, time_ms: int) -> float:
        """The building's rhythm while it is open, next to nothing while it is closed; by slots of five minutes."""
        slot = time_ms // _SLOT_MS
        known = self._activities.get((building, slot))
        if known is None:
            if len(self._activities) > _KEPT_SLOTS:
                self._activities.clear()
            known = self._activities[building, slot] = self._activity(building, slot * _SLOT_MS)
        return known

    def _activity(self, building: str, time_ms: int) -> float:
        state = self.building(building)
        crowd = state.crowd.at(time_ms)
        if self._hours.opening(building, time_ms) is Opening.CLOSED:
            return _CLOSED + crowd
        local = from_ms(time_ms, self._zone)
        hour = local.hour + local.minute / 60
        return crowd + max(
            (share for start, end, share in _RHYTHMS[state.use] if start <= hour < end), default=_QUIET
        )
