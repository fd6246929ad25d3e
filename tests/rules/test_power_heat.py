"""Electricity, heating and gas: each rule on short stories of values."""

import pytest

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
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
TERM = CalendarSettings.model_validate({"terms": [{"from": "2026-09-01", "to": "2027-01-22"}]})
BUILDINGS = {"t1": "teaching", "canteen": "canteen", "boiler": "boiler_house"}


def device(name, kind, building="t1", **more):
    return Device(id=name, name=name, kind=kind, place=Place(site="s", building=building), **more)


class House:
    """Devices fed by hand, or by a function of the minute."""

    def __init__(self, *devices, rules=None):
        site = Site.model_validate(
            {
                "id": "s",
                "name": "S",
                "buildings": [{"id": one, "name": one, "use": use} for one, use in BUILDINGS.items()],
                "tariffs": {"electricity_yuan_kwh": 0.5, "gas_yuan_m3": 3},
            }
        )
        hours = SchoolCalendar(TERM, BUILDINGS, SHANGHAI)
        self.engine = Engine(Campus(site=site, devices=devices, hours=hours), RuleSettings(rules))
        self.transitions = []

    def at(self, minute, device, quantity, value, channel=""):
        time_ms = START_MS + round(minute * MINUTE_MS)
        series = Series(device, quantity, channel)
        self.transitions += self.engine.advance(time_ms, [Reading(series, float(value), time_ms, time_ms)])

    def told(self, rule):
        return [
            (round((one.time_ms - START_MS) / MINUTE_MS), one.to_state.value, one.severity.value)
            for one in self.transitions
            if one.rule == rule and one.to_state.value in {"firing", "resolved"}
        ]

    def facts(self, rule):
        fired = [one for one in self.transitions if one.rule == rule and one.to_state.value == "firing"]
        return fired[-1].evidence.facts


def power_meter(**more):
    return device("e", "electricity_meter", **more)


@pytest.mark.parametrize(
    ("quantity", "rule", "values", "expected"),
    [
        (Quantity.CURRENT, "electricity.overload", [79] * 30, []),
        (Quantity.CURRENT, "electricity.overload", [85] * 9, []),
        (Quantity.CURRENT, "electricity.overload", [85] * 14, [(10, "firing", "warning")]),
        (Quantity.CURRENT, "electricity.overload", [110] * 9, [(5, "firing", "critical")]),
        # within 5 A of the limit it holds
        (Quantity.CURRENT, "electricity.overload", [85] * 11 + [77] * 20, [(10, "firing", "warning")]),
        (
            Quantity.CURRENT,
            "electricity.overload",
            [85] * 11 + [60] * 12,
            [(10, "firing", "warning"), (21, "resolved", "warning")],
        ),
        (Quantity.VOLTAGE, "electricity.voltage", [199] * 30, []),
        (Quantity.VOLTAGE, "electricity.voltage", [190] * 14, [(10, "firing", "warning")]),
        (Quantity.VOLTAGE, "electricity.voltage", [240] * 14, [(10, "firing", "warning")]),
        (Quantity.VOLTAGE, "electricity.voltage", [260] * 4, [(1, "firing", "critical")]),
        (Quantity.RESIDUAL_CURRENT, "electricity.residual", [299] * 9, []),
        (Quantity.RESIDUAL_CURRENT, "electricity.residual", [350] * 4, [(0, "firing", "warning")]),
        (Quantity.RESIDUAL_CURRENT, "electricity.residual", [600] * 4, [(0, "firing", "critical")]),
    ],
)
def test_plain_limits(quantity, rule, values, expected):
    """The limits of DOMAIN 4 by the minute, with their delays and dead-bands."""
    house = House(power_meter(rated_current_a=100))
    for minute, value in enumerate(values):
        house.at(minute, "e", quantity, value)
    assert house.told(rule) == expected


def test_a_hot_cable():
    """Sixty degrees for five minutes, seventy for one."""
    house = House(device("c", "climate", role="cable"))
    for minute in range(20):
        house.at(minute, "c", Quantity.TEMPERATURE, 62 if minute < 10 else 75)
    assert house.told("electricity.cable_hot") == [(5, "firing", "warning"), (11, "firing", "critical")]


@pytest.mark.parametrize(
    ("volts", "amperes", "expected"),
    [
        ((225, 224, 226), (30, 28, 31), []),
        ((225, 224, 20), (30, 28, 0), ["critical"]),
        ((0, 0, 0), (0, 0, 0), []),  # an outage, and no lost phase
        ((225, 224, 226), (80, 10, 75), ["notice"]),
        ((225, 224, 226), (8, 0, 0), []),  # small loads are never even
        ((235, 215, 212), (30, 28, 31), ["notice"]),
    ],
)
def test_phases(volts, amperes, expected):
    """A phase that is gone, currents far apart, and voltages that are uneven."""
    house = House(power_meter(rated_current_a=100))
    for minute in range(45):
        for phase, volt, ampere in zip("abc", volts, amperes, strict=True):
            house.at(minute, "e", Quantity.VOLTAGE, volt, phase)
            house.at(minute, "e", Quantity.CURRENT, ampere, phase)
    assert [severity for _, _, severity in house.told("electricity.phases")] == expected


def test_an_outage_by_its_voltage():
    """No voltage on any phase for a minute is an outage; it ends when power is back."""
    house = House(power_meter())
    for minute in range(12):
        for phase in "abc":
            house.at(minute, "e", Quantity.VOLTAGE, 0 if 4 <= minute < 8 else 226, phase)
    assert house.told("electricity.outage") == [(5, "firing", "critical"), (9, "resolved", "critical")]


@pytest.mark.parametrize(("others", "expected"), [(True, ["warning"]), (False, [])])
def test_an_outage_is_told_from_a_dead_network(others, expected):
    """Both meters of a building fall silent: an outage where devices elsewhere are heard, the network where nobody is."""
    meters = [device("e", "electricity_meter"), device("f", "electricity_meter")]
    elsewhere = [device(name, "climate", "canteen") for name in ("x", "y")]
    house = House(*meters, *elsewhere)
    for minute in range(60):
        for name in ("e", "f"):
            if minute < 20:
                house.at(minute, name, Quantity.ACTIVE_POWER, 2, "total")
        for name in ("x", "y"):
            if minute < 20 or others:
                house.at(minute, name, Quantity.TEMPERATURE, 20 + minute % 3)
    assert [severity for _, _, severity in house.told("electricity.outage")] == expected


def test_a_base_load_that_has_risen():
    """Five weeks of nights at 2 kW, then 3.2 kW: told after a week's median has moved, with its cost."""
    house = House(power_meter())
    for minute in range(0, 44 * 1440, 30):
        night = 2.0 if minute < 35 * 1440 else 3.2
        house.at(minute, "e", Quantity.ACTIVE_POWER, night if minute % 1440 < 360 else 9, "total")
    told = house.told("electricity.baseload_rise")
    assert [(state, severity) for _, state, severity in told] == [("firing", "notice")]
    assert 38 <= told[0][0] / 1440 <= 40
    assert house.facts("electricity.baseload_rise")["cost_yuan_day"] == pytest.approx(14.4)


def test_residual_current_that_rises():
    """A steady 60 mA is learned in a week; 115 mA is far below any limit, and told."""
    house = House(power_meter())
    for minute in range(0, 9 * 1440, 10):
        house.at(minute, "e", Quantity.RESIDUAL_CURRENT, 60 + minute % 30 / 10)
    for minute in range(9 * 1440, 9 * 1440 + 60, 10):
        house.at(minute, "e", Quantity.RESIDUAL_CURRENT, 115)
    assert [severity for _, _, severity in house.told("electricity.residual_rise")] == ["notice"]
    assert house.told("electricity.residual") == []


@pytest.mark.parametrize(("share", "expected"), [(1.0, []), (0.9, []), (0.5, ["notice"])])
def test_energy_against_power(share, expected):
    """A counter that counts half of what its power says is told after eighteen hours."""
    house, energy = House(power_meter()), 100.0
    for minute in range(0, 1600, 5):
        house.at(minute, "e", Quantity.ACTIVE_POWER, 6 + minute % 20 / 10, "total")
        energy += share * (6 + minute % 20 / 10) / 12
        house.at(minute, "e", Quantity.ENERGY, round(energy, 2), "total")
    assert [severity for _, _, severity in house.told("electricity.crosscheck")] == expected


def heating():
    rooms = [device(f"room{number}", "climate", role="room") for number in range(4)]
    return [
        device("supply", "boiler", "boiler", role="heating_supply"),
        device("return", "boiler", "boiler", role="heating_return"),
        device("outdoor", "climate", role="outdoor"),
        *rooms,
    ]


@pytest.mark.parametrize(("outdoor_c", "expected"), [(-12.0, ["critical"]), (9.0, [])])
def test_heating_that_fails(outdoor_c, expected):
    """The burner stops: supply and return fall together. It is told within the hour, before any room is cold."""
    house = House(*heating())
    for minute in range(0, 12 * 60, 5):
        off = max(0, minute - 10 * 60)
        house.at(minute, "outdoor", Quantity.TEMPERATURE, outdoor_c)
        house.at(minute, "return", Quantity.TEMPERATURE, 45 - off * 0.35)
        for number in range(4):
            house.at(minute, f"room{number}", Quantity.TEMPERATURE, 20 - off / 60 * 0.5)
        house.at(minute, "supply", Quantity.TEMPERATURE, 60 - min(15, off) - off * 0.35)
    told = house.told("boiler.heating_failed")
    assert [severity for _, _, severity in told] == expected
    if expected:
        assert told[0][0] - 600 <= 60
        assert house.facts("boiler.heating_failed")["hours_to_5c"] > 10


@pytest.mark.parametrize(("value", "expected"), [(60, []), (97, ["critical"]), (20, [])])
def test_supply_temperature(value, expected):
    """Too hot is critical; a cold supply is what summer is like, unless it was asked for."""
    house = House(*heating())
    for minute in range(0, 60, 5):
        house.at(minute, "supply", Quantity.TEMPERATURE, value)
    assert [severity for _, _, severity in house.told("boiler.supply")] == expected


@pytest.mark.parametrize(("value", "expected"), [(200, []), (40, ["warning"]), (700, ["critical"])])
def test_boiler_pressure(value, expected):
    """Below and above the band of a closed circuit."""
    house = House(*heating())
    for minute in range(0, 30, 5):
        house.at(minute, "supply", Quantity.PRESSURE, value)
    assert [severity for _, _, severity in house.told("boiler.pressure")] == expected


@pytest.mark.parametrize(("flow_m3h", "expected"), [(0.0, []), (0.05, []), (0.6, ["critical"])])
def test_gas_in_a_closed_kitchen(flow_m3h, expected):
    """After the canteen has closed, a pilot flame passes and a burner does not."""
    house, volume = House(device("g", "gas_meter", "canteen")), 50.0
    for minute in range(12 * 60, 27 * 60, 10):
        volume += (3.0 if minute < 19 * 60 else flow_m3h) / 6
        house.at(minute, "g", Quantity.GAS_VOLUME, round(volume, 3))
    told = house.told("gas.running_closed")
    assert [severity for _, _, severity in told] == expected
    if expected:
        assert 21 * 60 <= told[0][0] <= 22.6 * 60
        assert house.facts("gas.running_closed")["cost_yuan_day"] == pytest.approx(43.2)


def test_gas_detected():
    """A detector of profile gas is critical at once."""
    house = House(device("d", "leak_detector", "canteen", profile="gas"))
    house.at(0, "d", Quantity.LEAK_DETECTED, 0)
    house.at(1, "d", Quantity.LEAK_DETECTED, 1)
    assert house.told("gas.detected") == [(1, "firing", "critical")]
    assert house.told("water.detected") == []


def test_a_room_that_is_no_longer_heated():
    """Below 5 °C for an hour is a warning to close and drain."""
    house = House(device("r", "climate", role="room"))
    for minute in range(0, 180, 10):
        house.at(minute, "r", Quantity.TEMPERATURE, 9 - minute / 20)
    assert [severity for _, _, severity in house.told("pipe.room_cold")] == ["warning"]


def test_settings_follow_the_opening_hours():
    """Another limit while closed: Monday noon nothing, Monday night an alert of the same current."""
    rules = {"devices": {"e": {"electricity.overload": {"when_closed": {"warning_share": 0.3}}}}}
    house = House(power_meter(rated_current_a=100), rules=rules)
    for minute in range(12 * 60, 24 * 60, 2):
        house.at(minute, "e", Quantity.CURRENT, 40)
    told = house.told("electricity.overload")
    assert [(state, severity) for _, state, severity in told] == [("firing", "warning")]
    assert 22 * 60 <= told[0][0] <= 22 * 60 + 20


def test_waste_that_runs_into_unknown_hours_is_no_lesson():
    """Lights on from a Friday night into a weekend whose hours are not known yet hide no later such weekend."""
    house = House(power_meter())
    for minute in range(0, 34 * 24 * 60, 15):
        day, hour = divmod(minute // 60, 24)
        left_on = (day in {11, 32} and hour >= 22) or (day in {12, 33} and hour < 6)
        used = day % 7 < 5 and 7 <= hour < 21
        house.at(minute, "e", Quantity.ACTIVE_POWER, 4.0 if left_on or used else 0.5)
    fired = [minute / 60 / 24 for minute, state, _ in house.told("electricity.left_on") if state == "firing"]
    assert [round(day) for day in fired] == [33]
