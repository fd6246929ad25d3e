"""Measures the rules alone: readings a second in a replay of half a year of one healthy sensor, by the minute."""

from __future__ import annotations

import argparse
import math
import random
import time

from campus.campus import Campus
from campus.clock import MINUTE_MS
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from rules.engine.engine import Engine
from rules.engine.replay import replay
from rules.engine.settings import RuleSettings

START_MS = 1_794_758_400_000
PLACE = Place(site="s", building="b")
KINDS = {
    "room": ("climate", {"role": "room"}, Quantity.TEMPERATURE, 20.0),
    "pipe": ("pipe_probe", {"role": "pipe_wall"}, Quantity.TEMPERATURE, 14.0),
    "freezer": ("cold_storage", {"profile": "freezer"}, Quantity.TEMPERATURE, -19.0),
    "circuit": ("electricity_meter", {}, Quantity.ACTIVE_POWER, 5.0),
    "water meter": ("water_meter", {}, Quantity.WATER_VOLUME, 100.0),
}


def history(kind: str, days: int) -> tuple[Campus, list[Reading]]:
    """A healthy device of *kind*, and its readings."""
    name, more, quantity, usual = KINDS[kind]
    one = Device.model_validate(
        {"id": "d", "name": "d", "kind": name, "place": PLACE, "interval_s": 60, **more}
    )
    chance, series, found, volume = random.Random(1), Series("d", quantity), [], usual
    for minute in range(days * 1440):
        if quantity is Quantity.WATER_VOLUME:
            by_day = 6 * 60 <= minute % 1440 < 22 * 60
            volume += chance.choice([0.0, 0.0, 0.0, 0.002, 0.01]) if by_day else 0.0
            value = round(volume, 3)
        else:
            value = round(usual + math.sin(minute / 12) + chance.gauss(0, 0.1), 1)
        time_ms = START_MS + minute * MINUTE_MS
        found.append(Reading(series, value, time_ms, time_ms))
    site = Site.model_validate({"id": "s", "name": "s", "buildings": [{"id": "b", "name": "b"}]})
    return Campus(site=site, devices=[one]), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=180)
    days = parser.parse_args().days
    print(f"{'device':<14}{'readings':>10}{'readings/s':>12}{'a year takes, s':>18}")
    for kind in KINDS:
        campus, readings = history(kind, days)
        engine = Engine(campus, RuleSettings())
        started = time.perf_counter()
        for _ in replay(engine, readings):
            pass
        per_second = len(readings) / (time.perf_counter() - started)
        assert not engine.faults, engine.faults
        print(f"{kind:<14}{len(readings):>10}{per_second:>12.0f}{365 * 1440 / per_second:>18.1f}")


if __name__ == "__main__":
    main()
