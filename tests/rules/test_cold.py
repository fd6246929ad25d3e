"""The cold chain: what is a defrost, a door, a drift, a dead compressor, an unplugged cabinet, and what it amounts to."""

import math

import pytest

from campus.campus import Campus
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.site import Site
from rules.cold.exposure import Exposure
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings

START_MS = 1_794_758_400_000
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
PLACE = Place(site="s", building="b")


def cabinet(name="f", profile="freezer", **more):
    return Device(id=name, name=name, kind="cold_storage", profile=profile, place=PLACE, **more)


class Kitchen:
    """Cabinets fed by a function of the minute."""

    def __init__(self, *devices, rules=None):
        campus = Campus(site=Site(id="s", name="S"), devices=devices)
        self.engine = Engine(campus, RuleSettings(rules))
        self.transitions = []

    def at(self, minute, value, device="f", quantity=Quantity.TEMPERATURE, quality=Quality.GOOD):
        time_ms = START_MS + round(minute * MINUTE_MS)
        found = self.engine.advance(
            time_ms, [Reading(Series(device, quantity), value, time_ms, time_ms, quality)]
        )
        self.transitions += found

    def run(self, minutes, value, every=5, **more):
        for minute in range(minutes.start, minutes.stop, every):
            self.at(minute, round(value(minute), 2), **more)

    def told(self, rule=""):
        return [
            (one.rule, round((one.time_ms - START_MS) / MINUTE_MS), one.to_state.value, one.severity.value)
            for one in self.transitions
            if one.rule.startswith(rule or "cold.") and one.to_state.value in {"firing", "resolved"}
        ]


def cycling(minute):
    """A freezer at −20 °C whose compressor starts twice an hour."""
    return -20 + 1.2 * math.sin(minute / 30 * 2 * math.pi)


def defrosting(minute, lasts=45, every=720):
    """The same, with a defrost of *lasts* minutes up to −5 °C and a quick pull-down after it."""
    into = minute % every
    if into < lasts:
        return -20 + 15 * into / lasts
    if into < lasts + 20:
        return -5 - 15 * (into - lasts) / 20
    return cycling(minute)


def test_defrosts_are_no_alarm():
    """A fortnight of defrosts of three quarters of an hour, twice a day, and not a word."""
    kitchen = Kitchen(cabinet())
    kitchen.run(range(14 * 1440), defrosting)
    assert kitchen.told() == []


def test_a_defrost_that_is_not_pulled_down_is_told():
    """Where the pull-down fails after a defrost, the alarm comes within the learned duration and an hour."""
    kitchen = Kitchen(cabinet())
    kitchen.run(range(5 * 1440), defrosting)
    start = 5 * 1440
    kitchen.run(range(start, start + 240), lambda minute: min(-3.0, -20 + (minute - start) / 3))
    first = kitchen.told()[0]
    assert first[2] == "firing"
    assert first[1] - start <= 150


def test_a_defrost_seen_once_in_a_quarter_of_an_hour_is_no_steady_rise():
    """Where readings are far apart a defrost is one leap after an hour that happened to rise: nothing fails."""
    kitchen = Kitchen(cabinet(interval_s=900))
    usual = [-20.4, -18.6, -20.2, -19.2]
    leap = [-20.2, -19.3, -19.4, -19.0, -19.6, -19.7, -16.4, -17.0, -20.0]
    for number, value in enumerate([*usual * (24 * 5), *leap, *usual]):
        kitchen.at(15 * number, value)
    assert kitchen.told("cold.failing") == []


def test_a_dead_compressor_is_told_before_the_limit():
    """At five kelvin an hour and no ripple left, it is told while still frozen, with the minutes that are left."""
    kitchen = Kitchen(cabinet())
    kitchen.run(range(5 * 1440), cycling)
    start = 5 * 1440
    kitchen.run(range(start, start + 300), lambda minute: -20 + 3.0 * (minute - start) / 60)
    told = kitchen.told("cold.failing")
    assert told[0][2] == "firing"
    fired = next(
        one for one in kitchen.transitions if one.rule == "cold.failing" and one.to_state.value == "firing"
    )
    facts = fired.evidence.facts
    assert facts["temperature_c"] < -12
    left = (-12 - facts["temperature_c"]) / 3 * 60
    assert facts["minutes_to_critical"] == pytest.approx(left, rel=0.35)


def test_a_cabinet_warmer_than_it_ever_was_is_told():
    """A freezer that settles five kelvin higher is told within hours, though −15 °C is not exceeded; then it resolves."""
    kitchen = Kitchen(cabinet())
    kitchen.run(range(8 * 1440), cycling)
    start = 8 * 1440
    kitchen.run(range(start, start + 1440), lambda minute: cycling(minute) + 4)
    told = kitchen.told("cold.drift")
    assert [one[2] for one in told] == ["firing"]
    assert told[0][1] - start <= 4 * 60
    kitchen.run(range(start + 1440, start + 3 * 1440), cycling)
    assert kitchen.told("cold.drift")[-1][2] == "resolved"


def test_before_it_has_learned_it_says_that_it_does_not_know():
    """In its first days drift is unknown, neither well nor an alert."""
    kitchen = Kitchen(cabinet())
    kitchen.run(range(2 * 1440), cycling)
    unknown = {one.rule for one in kitchen.engine.status() if one.unknown}
    assert "cold.drift" in unknown
    assert "cold.above_limit" not in unknown


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([(m, 1.0) for m in range(0, 120, 5)], []),
        ([(m, 0.0) for m in range(0, 120, 5)], []),  # at the limit is not below it
        ([(m, -0.6) for m in range(0, 41, 5)], []),  # three quarters of an hour are needed
        ([(m, -0.6) for m in range(0, 61, 5)], [(45, "firing", "warning")]),
        ([(m, -4.0) for m in range(0, 61, 5)], [(45, "firing", "critical")]),
    ],
)
def test_a_fridge_that_freezes(values, expected):
    """Below 0 °C for three quarters of an hour."""
    kitchen = Kitchen(cabinet(profile="fridge"))
    for minute, value in values:
        kitchen.at(minute, value)
    assert [one[1:] for one in kitchen.told("cold.too_cold")] == expected


def test_a_door_left_open():
    """Ten minutes open is a warning, shut ends it."""
    kitchen = Kitchen(cabinet())
    for minute in range(16):
        kitchen.at(minute, float(2 <= minute < 14), quantity=Quantity.DOOR_OPEN)
    assert [one[1:] for one in kitchen.told("cold.door_open")] == [
        (12, "firing", "warning"),
        (14, "resolved", "warning"),
    ]


def plug():
    return Device(id="p", name="p", kind="electricity_meter", parent="f", place=PLACE)


def test_an_unplugged_cabinet():
    """A compressor that pauses for twenty minutes is heard; no draw for much longer is told; power again ends it."""
    kitchen = Kitchen(cabinet(), plug())
    power = {"device": "p", "quantity": Quantity.ACTIVE_POWER}
    kitchen.run(range(2 * 1440), lambda minute: 0.0 if minute % 40 < 20 else 0.12, every=2, **power)
    assert kitchen.told("cold.power_lost") == []
    start = 2 * 1440
    kitchen.run(range(start, start + 90), lambda _: 0.0, every=2, **power)
    told = kitchen.told("cold.power_lost")
    assert [(one[2], one[3]) for one in told] == [("firing", "critical")]
    assert 35 <= told[0][1] - start <= 60
    kitchen.run(range(start + 90, start + 100), lambda _: 0.12, every=2, **power)
    assert kitchen.told("cold.power_lost")[-1][2] == "resolved"


def test_no_voltage_is_told_within_minutes():
    """A plug meter that reports no voltage need not be waited for."""
    kitchen = Kitchen(cabinet(), plug())
    for minute in range(10):
        kitchen.at(minute, 0.0 if minute >= 3 else 224.0, device="p", quantity=Quantity.VOLTAGE)
    assert [one[1:] for one in kitchen.told("cold.power_lost")] == [(5, "firing", "critical")]


def test_probes_that_part():
    """Product and air of one cabinet: a difference that grows by six kelvin for a day is a notice."""
    air = cabinet("air", "fridge", role="cabinet_air")
    product = cabinet("f", "fridge", role="product", parent="air")
    kitchen = Kitchen(product, air)
    for minute in range(0, 11 * 1440, 30):
        kitchen.at(minute, 4.0, device="air")
        kitchen.at(minute + 1, 4.5 if minute < 9 * 1440 else 10.5)
    assert [one[2:] for one in kitchen.told("cold.probe_pair")] == [("firing", "notice")]


def test_calibration_due():
    """A date more than a year old is a notice; a newer one, or none, is not."""
    kitchen = Kitchen(
        cabinet("old", calibration_date="2025-11-01"),
        cabinet("new", calibration_date="2026-05-01"),
        cabinet("none"),
    )
    kitchen.engine.advance(START_MS)
    kitchen.engine.advance(START_MS + 3 * 24 * HOUR_MS)
    due = {subject for rule, subject in kitchen.engine.firing() if rule == "cold.calibration_due"}
    assert due == {"old"}


@pytest.mark.parametrize(
    ("hours", "expected_c"), [([(22, 4.0), (2, 10.0)], 4.704), ([(23, -18.0), (1, -5.0)], -16.61)]
)
def test_mean_kinetic_temperature(hours, expected_c):
    """The vectors of DOMAIN 3.4 (steps taken as steps: the change lasts a second)."""
    exposure, at_ms = Exposure(limit_c=8.0), START_MS
    for length, value in hours:
        for minute in range(0, length * 60, 30):
            exposure.add(at_ms + minute * MINUTE_MS + 1, value)
        at_ms += length * HOUR_MS
        exposure.add(at_ms, value)
    assert exposure.mean_kinetic_c == pytest.approx(expected_c, abs=0.02)


def test_time_above_with_crossings():
    """From 6 to 10 °C and back in an hour each, with 8 °C as the limit: half of each hour above, by a kelvin on average."""
    exposure = Exposure(limit_c=8.0)
    for hour, value in ((0, 6.0), (1, 10.0), (2, 6.0), (9, 6.0)):
        exposure.add(START_MS + hour * HOUR_MS, value)
    assert exposure.minutes_above == pytest.approx(60)
    assert exposure.degree_minutes == pytest.approx(60)
    assert exposure.unknown_ms == 7 * HOUR_MS
    assert exposure.highest_c == 10.0


def test_the_record_of_an_excursion_is_in_its_evidence():
    """When it resolves, the alert says how long and how much it was above."""
    kitchen = Kitchen(cabinet(profile="fridge"))
    kitchen.run(range(60), lambda _: 4.0)
    kitchen.run(range(60, 180), lambda _: 9.0)
    kitchen.run(range(180, 240), lambda _: 4.0)
    resolved = next(one for one in kitchen.transitions if one.to_state.value == "resolved")
    assert resolved.evidence.facts["minutes_above"] == pytest.approx(120, abs=5)
    assert resolved.evidence.facts["degree_minutes"] == pytest.approx(118, abs=8)
    assert resolved.evidence.facts["mean_kinetic_c"] == pytest.approx(9.0, abs=0.1)
    fired = next(one for one in kitchen.transitions if one.to_state.value == "firing")
    assert "mean_kinetic_c" not in fired.evidence.facts


def test_hours_without_readings_are_in_the_record():
    """What nobody measured is neither above nor below: the record says how long that was."""
    kitchen = Kitchen(cabinet(profile="fridge"))
    kitchen.run(range(60), lambda _: 4.0)
    kitchen.run(range(60, 120), lambda _: 9.0)
    kitchen.run(range(300, 360), lambda _: 9.0)
    kitchen.run(range(360, 420), lambda _: 4.0)
    resolved = [one for one in kitchen.transitions if one.to_state.value == "resolved"]
    facts = next(one for one in resolved if one.rule == "cold.above_limit").evidence.facts
    assert facts["unknown_minutes"] == pytest.approx(180, abs=6)
    assert (
        facts["minutes_above"] == 55 + 55 + 1
    )  # from the first reading of 9 °C to the last, and until it crosses 8 °C
