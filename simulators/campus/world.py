"""A simulated campus in time: what every device says, in order, and what is really going on."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator

from campus.campus import Campus
from campus.reading import Reading
from simulators.campus.effect import Effects
from simulators.campus.fleet import Fleet
from simulators.campus.label import Label, by_time
from simulators.campus.simulated import Report, Simulated
from simulators.faults.scenario import Scenario
from simulators.physics.pipe import Pipe
from simulators.physics.surroundings import CampusSurroundings
from simulators.physics.weather import Sky, SyntheticWeather, Weather


class World:
    """A campus, its weather, and the scenarios that begin when they are :meth:`begin`-ed.

    The same *seed*, campus, weather and calls give the same reports to the byte.
    """

    def __init__(self, campus: Campus, *, seed: int, weather: Weather | None = None) -> None:
        self.campus = campus
        self.seed = seed
        sky = Sky(weather or SyntheticWeather(campus.site.zone, seed=seed))
        self.around = CampusSurroundings(campus, sky)
        self.fleet = Fleet(campus, self.around, seed=seed)
        self._effects = Effects(campus, self.fleet, self.around, seed=seed)
        self._labels: list[Label] = []
        self._waiting: list[tuple[int, int, Simulated | Report]] = []
        self._counter = itertools.count()
        self._started = False

    def begin(self, scenario: Scenario, start_ms: int) -> list[Label]:
        """Lets a scenario happen from *start_ms* on; raises :class:`simulators.errors.NoSuchPlace`.

        Faults must not begin before what :meth:`run` has already yielded.
        """
        labels = self._effects.begin(scenario, start_ms)
        self._labels += labels
        return labels

    def labels(self) -> list[Label]:
        """Every fault begun so far, and what physics brought about by itself (pipes cold, frozen, burst)."""
        natural = [
            Label("", incident.kind, (one.device.id,), incident.start_ms, incident.end_ms)
            for one in self.fleet.devices.values()
            if isinstance(one.model, Pipe)
            for incident in one.model.finished()
        ]
        return by_time([*self._labels, *natural])

    def run(self, from_ms: int, to_ms: int) -> Iterator[Report]:
        """All reports that reach the broker in a span (half open), in that order; spans follow one another."""
        if not self._started:
            self._started = True
            for one in self.fleet.devices.values():
                self._push(one.next_ms(from_ms), one)
        waiting, around = self._waiting, self.around
        while waiting and waiting[0][0] < to_ms:
            now_ms, _, due = waiting[0]
            if isinstance(due, Report):
                heapq.heappop(waiting)
                yield due
                continue
            heapq.heapreplace(waiting, (now_ms + due.interval_ms, next(self._counter), due))
            for report in due.reports(now_ms, around):
                if report.sent_ms <= now_ms:
                    yield report
                else:
                    self._push(report.sent_ms, report)

    def everyone(self, time_ms: int) -> Iterator[Report]:
        """One report of every device at *time_ms*, as after the broker's start."""
        for one in self.fleet.devices.values():
            yield from one.reports(time_ms, self.around)

    def readings(self, from_ms: int, to_ms: int) -> Iterator[Reading]:
        """All readings of a span in the order of their receipt."""
        for report in self.run(from_ms, to_ms):
            yield from report.readings()

    def _push(self, time_ms: int, one: Simulated | Report) -> None:
        heapq.heappush(self._waiting, (time_ms, next(self._counter), one))
