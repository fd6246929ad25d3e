"""Water meters, and a campus on which they are fed with flows."""

from __future__ import annotations

from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.campus import Campus
from campus.clock import SHANGHAI
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings

#: Monday 2026-11-16, 00:00 in Shanghai
START_MS = 1_794_758_400_000
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
PLACE = Place(site="s", building="t1")
TERM = CalendarSettings.model_validate({"terms": [{"from": "2026-09-01", "to": "2027-01-22"}]})


def meter(name, **more):
    return Device(id=name, name=name, kind="water_meter", place=PLACE, **more)


class Bench:
    """Meters fed with flows: *flow_m3h* is asked for every interval."""

    def __init__(self, *devices, rules=None, calendar=True, timezone="Asia/Shanghai", use="teaching"):
        site = Site.model_validate(
            {
                "id": "s",
                "name": "S",
                "timezone": timezone,
                "buildings": [{"id": "t1", "name": "A", "use": use}],
                "tariffs": {"water_yuan_m3": 4},
            }
        )
        hours = SchoolCalendar(TERM, {"t1": use}, SHANGHAI) if calendar else None
        self.engine = Engine(Campus(site=site, devices=devices, hours=hours), RuleSettings(rules))
        self.volumes = {one.id: 100.0 for one in devices if one.kind.value == "water_meter"}
        self.transitions = []

    def at(self, time_ms, device, quantity, value):
        found = self.engine.advance(time_ms, [Reading(Series(device, quantity), value, time_ms, time_ms)])
        self.transitions += found

    def run(self, hours, flow_m3h, *, from_h=0, minutes=10, step=0.001):
        """Feeds all meters for *hours*; *flow_m3h*(device, hour) says what passes them."""
        for number in range(round(from_h * 60 / minutes), round((from_h + hours) * 60 / minutes)):
            time_ms = START_MS + number * minutes * MINUTE_MS
            for name in self.volumes:
                self.volumes[name] += flow_m3h(name, number * minutes / 60) * minutes / 60
                shown = round(self.volumes[name] // step * step, 4)
                self.at(time_ms, name, Quantity.WATER_VOLUME, shown)

    def told(self, rule):
        ends = {"resolved", "firing"}
        return [
            (round((one.time_ms - START_MS) / HOUR_MS, 1), one.to_state.value, one.severity.value)
            for one in self.transitions
            if one.rule == rule and one.to_state.value in ends
        ]

    def facts(self, rule):
        return next(
            one.evidence.facts
            for one in self.transitions
            if one.rule == rule and one.to_state.value == "firing"
        )


def school_day(hour):
    """A teaching building's use: by day on weekdays, nothing else."""
    return 1.2 if 8 <= hour % 24 < 18 and hour // 24 % 7 < 5 else 0.0
