"""The weather and the day of a simulated campus."""

from __future__ import annotations

import math
import zoneinfo
from collections.abc import Mapping

from campus.clock import DAY_MS, HOUR_MS, from_ms
from campus.opening import Opening, OpeningHours

#: hours of the day (local) at which each use of a building is busy, with the share of its full activity
_RHYTHMS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "teaching": ((7.5, 12, 1.0), (13.5, 17.5, 1.0), (18.5, 21.5, 0.4)),
    "dormitory": ((6, 7.5, 1.0), (12, 13.5, 0.5), (17.5, 19, 0.6), (21, 23, 1.0)),
    "canteen": ((4.5, 8, 0.8), (10, 13.5, 1.0), (16, 19, 0.9)),
    "boiler_house": ((0, 24, 0.5),),
    "office": ((8, 12, 1.0), (13.5, 17.5, 1.0)),
    "sports": ((7, 9, 0.4), (15, 19, 0.8)),
    "other": ((8, 18, 0.5),),
}
_QUIET = 0.02


class NorthernWinter:
    """A northern Chinese school: a smooth yearly and daily temperature, and each building's rhythm.

    The mean and swing follow Shenyang's climate normals roughly (January near -11 °C, July near 25 °C; 10 K
    between night and afternoon); they set a plausible stage, and are no forecast.
    """

    mean_c = 8.5
    year_swing_k = 18.0
    day_swing_k = 5.0

    def __init__(self, zone: zoneinfo.ZoneInfo, uses: Mapping[str, str], hours: OpeningHours) -> None:
        self._zone = zone
        self._uses = dict(uses)
        self._hours = hours

    def outdoor_c(self, time_ms: int) -> float:
        """Coldest in mid-January at about six in the morning."""
        local = from_ms(time_ms, self._zone)
        year = math.cos(2 * math.pi * (local.timetuple().tm_yday - 15) / 365.25)
        hour = local.hour + local.minute / 60
        day = math.cos(2 * math.pi * (hour - 15) / 24)
        weather = 3.0 * math.sin(2 * math.pi * (time_ms / DAY_MS) / 6.3)
        return self.mean_c - self.year_swing_k * year + self.day_swing_k * day + weather

    def activity(self, building: str, time_ms: int) -> float:
        """The building's rhythm while it is open; next to nothing while it is closed."""
        use = self._uses.get(building, "other")
        if self._hours.opening(building, time_ms) is Opening.CLOSED:
            return _QUIET
        local = from_ms(time_ms, self._zone)
        hour = local.hour + local.minute / 60 + local.second * 1_000 / HOUR_MS
        return max((share for start, end, share in _RHYTHMS[use] if start <= hour < end), default=_QUIET)
