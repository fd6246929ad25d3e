"""Who draws water, how much and when: random draws by kind of fixture, flushing cisterns, roof tanks, sprinklers."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS

_LITRE_M3 = 0.001
#: more draws than this in one step are summed by their mean and spread
_MANY = 40


class Fixture(NamedTuple):
    """A kind of outlet: how much one draw takes, how fast, and its share of all draws."""

    litres_low: float
    litres_high: float
    flow_l_min: float
    share: float


#: Draws by the use of a building. Flows are the rated ones of ordinary fittings (a tap 0.1 L/s, a shower head 0.15 L/s),
#: a cistern's flush 4 to 6 L; the shares are assumed. Together they give a spread-to-mean of 15 to 70 L an hour, the range of the
#: 46 recorded household meters (docs/simulators.md).
FIXTURES: dict[str, tuple[Fixture, ...]] = {
    "teaching": (Fixture(0.3, 2, 6, 0.55), Fixture(4, 6, 8, 0.40), Fixture(8, 15, 10, 0.05)),
    "office": (Fixture(0.3, 3, 6, 0.60), Fixture(4, 6, 8, 0.35), Fixture(8, 15, 10, 0.05)),
    "dormitory": (
        Fixture(0.5, 4, 6, 0.50), Fixture(4, 6, 8, 0.33), Fixture(25, 70, 9, 0.12), Fixture(40, 60, 10, 0.05),
    ),
    "canteen": (Fixture(0.5, 5, 9, 0.55), Fixture(10, 60, 14, 0.40), Fixture(100, 250, 20, 0.05)),
    "boiler_house": (Fixture(20, 80, 15, 1.0),),
    "sports": (Fixture(0.3, 2, 6, 0.5), Fixture(4, 6, 8, 0.4), Fixture(25, 60, 9, 0.1)),
    "other": (Fixture(0.3, 3, 6, 0.6), Fixture(4, 6, 8, 0.4)),
}  # fmt: skip

#: below this activity a building is closed: a guard washes hands or fills a bucket, nobody showers or fills kettles (assumed)
_ALONE, _MOST_ALONE_L = 0.01, 12.0
#: in lessons taps rest, in the ten minutes between two of them everybody goes at once (lesson and break: 50 min; assumed)
_LESSON_MS, _PERIOD_MS, _LESSON_SHARE, _BREAK_SHARE = 40 * MINUTE_MS, 50 * MINUTE_MS, 0.5, 3.0


class Demand(Protocol):
    """Something that draws water."""

    def volume_m3(self, from_ms: int, to_ms: int, activity: float) -> float:
        """What it takes in a span, with the building's activity 0..1."""
        ...


class Draws:
    """Random draws, *per_hour* at full activity; one that outlasts a span goes on in the next."""

    def __init__(
        self, generator: random.Random, fixtures: Sequence[Fixture], *, per_hour: float, lessons: bool = False
    ) -> None:
        self._generator = generator
        self._fixtures = fixtures
        self._per_ms = per_hour / HOUR_MS
        self._lessons = lessons
        total = sum(one.share for one in fixtures)
        self._bounds = [sum(one.share for one in fixtures[: n + 1]) / total for n in range(len(fixtures))]
        sizes = [((one.litres_low + one.litres_high) / 2, one.share / total) for one in fixtures]
        self._mean_l = sum(size * share for size, share in sizes)
        second = sum(
            share * (low * low + low * high + high * high) / 3
            for (low, high, _, _), (_, share) in zip(fixtures, sizes, strict=True)
        )
        self._spread_l = math.sqrt(second)
        #: draws still running: end and m3 a millisecond
        self._running: list[tuple[float, float]] = []

    def volume_m3(self, from_ms: int, to_ms: int, activity: float) -> float:
        """Old draws first, then the new ones of this span."""
        volume_m3 = 0.0
        if self._running:
            volume_m3 = sum((min(end, to_ms) - from_ms) * rate for end, rate in self._running)
            self._running = [one for one in self._running if one[0] > to_ms]
        if self._lessons and activity > 0.9:
            in_lesson = (from_ms + to_ms) // 2 % _PERIOD_MS < _LESSON_MS
            short = to_ms - from_ms < _PERIOD_MS
            activity *= (_LESSON_SHARE if in_lesson else _BREAK_SHARE) if short else 1.0
        count = poisson(self._generator, self._per_ms * (to_ms - from_ms) * activity)
        if 0 < activity < _ALONE:
            return volume_m3 + sum(self._draw_m3(from_ms, to_ms, most_l=_MOST_ALONE_L) for _ in range(count))
        if count > _MANY:
            litres = self._generator.gauss(count * self._mean_l, math.sqrt(count) * self._spread_l)
            return volume_m3 + max(0.0, litres) * _LITRE_M3
        for _ in range(count):
            volume_m3 += self._draw_m3(from_ms, to_ms)
        return volume_m3

    def _draw_m3(self, from_ms: int, to_ms: int, most_l: float = math.inf) -> float:
        uniform = self._generator.random
        which = uniform()
        fixture = next(
            one for one, bound in zip(self._fixtures, self._bounds, strict=True) if which <= bound + 1e-9
        )
        litres = fixture.litres_low + (fixture.litres_high - fixture.litres_low) * uniform()
        litres = min(litres, most_l)
        start = from_ms + (to_ms - from_ms) * uniform()
        rate = fixture.flow_l_min * _LITRE_M3 / MINUTE_MS
        end = start + litres * _LITRE_M3 / rate
        if end > to_ms:
            self._running.append((end, rate))
            return (to_ms - start) * rate
        return litres * _LITRE_M3


class Cistern:
    """The flushing cistern of a row of urinals: *litres* every *every_min*, day and night where nobody shuts it off.

    It fills continuously from a valve left open a little, so the meter sees a steady trickle while it is on.
    """

    def __init__(self, *, litres: float, every_min: float, quiet_below: float = 0.1) -> None:
        self._m3_per_ms = litres * _LITRE_M3 / (every_min * MINUTE_MS)
        self._quiet_below = quiet_below

    def volume_m3(self, from_ms: int, to_ms: int, activity: float) -> float:
        """The trickle, while there is anybody in the building."""
        return self._m3_per_ms * (to_ms - from_ms) if activity >= self._quiet_below else 0.0


class RoofTank:
    """A tank behind a float valve: demand empties it, and the meter sees it filled again in one go (二次供水)."""

    def __init__(self, demand: Demand, *, band_m3: float, fill_m3h: float) -> None:
        self._demand = demand
        self._band_m3 = band_m3
        self._m3_per_ms = fill_m3h / HOUR_MS
        self._missing_m3 = 0.0
        self._filling = False

    def volume_m3(self, from_ms: int, to_ms: int, activity: float) -> float:
        """What flows in: nothing until *band_m3* is missing, then the valve's flow until it is full."""
        self._missing_m3 += self._demand.volume_m3(from_ms, to_ms, activity)
        if not self._filling and self._missing_m3 < self._band_m3:
            return 0.0
        inflow_m3 = min(self._missing_m3, self._m3_per_ms * (to_ms - from_ms))
        self._missing_m3 -= inflow_m3
        self._filling = self._missing_m3 > 1e-9
        return inflow_m3


class Sprinklers:
    """Irrigation by a timer: *flow_m3h* for *minutes* each day from *start_ms* of the UTC day, in the season's days."""

    def __init__(self, *, flow_m3h: float, start_ms: int, minutes: float) -> None:
        self._m3_per_ms = flow_m3h / HOUR_MS
        self._start_ms = start_ms
        self._length_ms = round(minutes * MINUTE_MS)

    def volume_m3(self, from_ms: int, to_ms: int, activity: float) -> float:  # noqa: ARG002 - a timer asks nobody
        """The overlap with the timer's windows, from April to October."""
        taken_ms = 0
        for day in range(from_ms // DAY_MS - 1, to_ms // DAY_MS + 1):
            begin = day * DAY_MS + self._start_ms
            # Day 90 to 304 of a year, counted in mean years: the frost-free months.
            if 90 <= day % 365.25 < 304:
                taken_ms += max(0, min(to_ms, begin + self._length_ms) - max(from_ms, begin))
        return taken_ms * self._m3_per_ms


def poisson(generator: random.Random, expected: float) -> int:
    """Knuth's product of uniforms; a normal approximation where that would take long."""
    if expected <= 0:
        return 0
    if expected > _MANY:
        return max(0, round(generator.gauss(expected, math.sqrt(expected))))
    limit = math.exp(-expected)
    count, product = 0, generator.random()
    while product > limit:
        count += 1
        product *= generator.random()
    return count
