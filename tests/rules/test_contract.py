"""What every rule must hold to, whatever it judges: one suite for the whole catalogue."""

import copy
import random

import msgspec
import pytest

from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.campus import Campus
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, SHANGHAI
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.site import Site
from rules.catalogue import catalogue
from rules.engine.engine import Engine
from rules.engine.listing import rules_of
from rules.engine.replay import replay
from rules.engine.settings import RuleSettings
from rules.level import Level, State

#: Monday 2026-11-16 in Shanghai
START_MS = 1_794_758_400_000
RULES = sorted(catalogue())


def device(name, kind, building="t1", **more):
    return Device(id=name, name=name, kind=kind, place=Place(site="s", building=building), **more)


DEVICES = [
    device("gateway", "gateway"),
    device("main", "water_meter", register_modulus=100_000),
    device("floor1", "water_meter", parent="main", pulse_weight=0.01, gateway="gateway"),
    device("floor2", "water_meter", parent="main", gateway="gateway"),
    device("pipe", "pipe_probe", role="pipe_wall"),
    device("space", "pipe_probe", role="pipe_space"),
    device("outdoor", "climate", role="outdoor"),
    device("room", "climate", role="room"),
    device("freezer", "cold_storage", "canteen", profile="freezer", calibration_date="2025-01-01"),
    device("plug", "electricity_meter", "canteen", parent="freezer"),
    device("fridge", "cold_storage", "canteen", profile="fridge", role="cabinet_air"),
    device("product", "cold_storage", "canteen", profile="fridge", role="product", parent="fridge"),
    device("power", "electricity_meter", rated_current_a=100),
    device("cable", "climate", role="cable"),
    device("leak", "leak_detector"),
    device("smell", "leak_detector", "canteen", profile="gas"),
    device("gas", "gas_meter", "canteen"),
    device("supply", "boiler", role="heating_supply"),
    device("return", "boiler", role="heating_return"),
]
SITE = Site.model_validate(
    {
        "id": "s",
        "name": "S",
        "buildings": [
            {"id": "t1", "name": "A", "use": "teaching"},
            {"id": "canteen", "name": "B", "use": "canteen"},
        ],
        "tariffs": {"water_yuan_m3": 4, "electricity_yuan_kwh": 0.5},
    }
)
TERM = CalendarSettings.model_validate({"terms": [{"from": "2026-09-01", "to": "2027-01-22"}]})
CAMPUS = Campus(
    site=SITE, devices=DEVICES, hours=SchoolCalendar(TERM, {"t1": "teaching", "canteen": "canteen"}, SHANGHAI)
)
EVERYTHING = {"defaults": {"water.over_budget": {"budget_m3_day": 1.0}}}
CHANNELS = {
    Quantity.VOLTAGE: ("a", "b", "c"),
    Quantity.CURRENT: ("a", "b", "c"),
    Quantity.ACTIVE_POWER: ("total",),
    Quantity.ENERGY: ("total",),
}
#: what a quiet day gives, and what a bad one does
VALUES = {
    Quantity.TEMPERATURE: (20.0, (-30.0, 60.0)),
    Quantity.WATER_FLOW: (0.2, (-2.0, 30.0)),
    Quantity.ACTIVE_POWER: (3.0, (0.0, 40.0)),
    Quantity.VOLTAGE: (225.0, (0.0, 260.0)),
    Quantity.CURRENT: (20.0, (0.0, 150.0)),
    Quantity.RESIDUAL_CURRENT: (60.0, (0.0, 700.0)),
    Quantity.BATTERY_LEVEL: (80.0, (0.0, 100.0)),
    Quantity.SIGNAL_STRENGTH: (-70.0, (-130.0, -60.0)),
    Quantity.PRESSURE: (200.0, (0.0, 900.0)),
    Quantity.WATER_PRESSURE: (300.0, (0.0, 500.0)),
    Quantity.DOOR_OPEN: (0.0, (0.0, 1.0)),
    Quantity.LEAK_DETECTED: (0.0, (0.0, 1.0)),
}
COUNTERS = {
    Quantity.WATER_VOLUME: 0.02,
    Quantity.GAS_VOLUME: 0.05,
    Quantity.ENERGY: 0.5,
    Quantity.WATER_BACKFLOW_VOLUME: 0.0,
}
USUAL_C = {
    "freezer": -19.0,
    "fridge": 4.0,
    "product": 4.0,
    "outdoor": 3.0,
    "pipe": 15.0,
    "space": 14.0,
    "supply": 60.0,
}


def engine(name, settings=EVERYTHING):
    return Engine(CAMPUS, RuleSettings(settings), rules={name: catalogue()[name]})


def series_of(name):
    """Every series the rule reads, with a quantity where it wants them all."""
    found = {}
    for one in CAMPUS.devices.values():
        for wanted in catalogue()[name].inputs(one, CAMPUS):
            quantity = wanted.quantity or Quantity.TEMPERATURE
            for channel in CHANNELS.get(quantity, ("",)):
                found[Series(wanted.device, quantity, channel)] = None
    return list(found)


def history(name, seed=1, *, calm=False, steps=500, minutes=15):
    """Readings every *minutes*: mostly usual values, with bad spells, doubts, gaps, repeats and latecomers among them."""
    chance, counters, found = random.Random(seed), {}, []
    read, bad_until = series_of(name), 0
    for step in range(steps):
        time_ms = START_MS + step * minutes * MINUTE_MS
        if not calm and step > bad_until and chance.random() < 0.03:
            bad_until = step + chance.randrange(2, 40)
        if not calm and chance.random() < 0.02:
            continue
        for one in read:
            quality, at_ms = Quality.GOOD, time_ms + chance.randrange(0, 30_000)
            bad = not calm and step < bad_until
            if one.quantity in COUNTERS:
                rate = COUNTERS[one.quantity] * (chance.choice([0, 1, 50]) if bad else chance.choice([0, 1]))
                if calm:
                    rate = _calm_rate(one.quantity, time_ms, rate, minutes)
                value = counters[one] = round(counters.get(one, 100.0) + rate, 3)
                if bad and chance.random() < 0.02:
                    value = 0.0
            else:
                usual, span = VALUES[one.quantity]
                usual = USUAL_C.get(one.device, usual) if one.quantity is Quantity.TEMPERATURE else usual
                wobble = 0.01 * abs(usual) * chance.random()
                value = chance.uniform(*span) if bad else usual + wobble
            if not calm and chance.random() < 0.02:
                quality = chance.choice([Quality.SUSPECT, Quality.LATE])
                at_ms -= 0 if quality is Quality.SUSPECT else 5 * HOUR_MS
            found.append(
                Reading(one, value, at_ms, at_ms if quality is not Quality.LATE else time_ms, quality)
            )
            if not calm and chance.random() < 0.02:
                found.append(found[-1])
    return found


def _calm_rate(quantity, time_ms, rate, minutes):
    """Energy as its power says; water and gas by day from Monday to Friday only."""
    if quantity is Quantity.ENERGY:
        return 3.015 * minutes / 60
    local_h = (time_ms - START_MS) // HOUR_MS
    return rate if 9 <= local_h % 24 < 19 and local_h // 24 % 7 < 5 else 0.0


def one_by_one(one, readings):
    return [found for reading in readings for found in one.advance(reading.received_ms, [reading])]


@pytest.mark.parametrize("name", RULES)
def test_it_applies_somewhere_and_is_listed(name):
    """Each rule has a subject on a usual campus, a title, and numbers whose units stand in their names."""
    subjects = [one for one in DEVICES if catalogue()[name].inputs(one, CAMPUS)]
    assert subjects
    assert catalogue()[name].title
    listed = [one for one in rules_of(subjects[0], CAMPUS, RuleSettings()) if one.rule == name]
    assert len(listed) == 1
    assert {number.origin for number in listed[0].numbers} >= {"rule"}


@pytest.mark.parametrize("name", RULES)
def test_what_it_is_fed_stays_as_it_was(name):
    """Readings are not changed, nothing fails within, and a repeat of the last ones changes nothing."""
    readings = history(name)
    before = copy.deepcopy(readings)
    one = engine(name)
    one_by_one(one, readings)
    assert readings == before
    assert one.faults == []
    end_ms = readings[-1].received_ms
    good = [reading for reading in readings if reading.quality is not Quality.LATE][-30:]
    snapshot = one.snapshot()
    one.advance(end_ms, good)
    assert one.snapshot() == snapshot


@pytest.mark.parametrize("name", RULES)
def test_a_restart_in_the_middle_changes_nothing(name):
    """Its state goes through JSON at any moment, and it goes on as if nothing had happened."""
    readings = history(name, seed=2)
    whole, first = engine(name), engine(name)
    cut = len(readings) // 3
    expected = one_by_one(whole, readings)
    found = one_by_one(first, readings[:cut])
    second = engine(name)
    second.restore(first.snapshot())
    assert second.snapshot() == first.snapshot()
    found += one_by_one(second, readings[cut:])
    assert found == expected
    assert second.lost == []


@pytest.mark.parametrize("name", RULES)
def test_batches_and_replay_change_nothing(name):
    """Live, one reading at a time, gives what a replay in handfuls gives."""
    readings = sorted(
        (one for one in history(name, seed=3) if one.quality is not Quality.LATE), key=lambda one: one.time_ms
    )
    live = engine(name)
    found = [two for one in readings for two in live.advance(one.time_ms, [one])]
    assert found == list(replay(engine(name), readings))


@pytest.mark.parametrize("name", RULES)
def test_it_is_silent_on_a_calm_week(name):
    """Usual values from the first day on raise nothing, whatever has been learned."""
    readings = history(name, calm=True, steps=700)
    told = [one for one in one_by_one(engine(name, {}), readings) if one.to_state is State.FIRING]
    due = {"cold.calibration_due"} & {name}  # its date is in the register, and past
    assert {one.rule for one in told} == due


#: what these need to fire is not in random histories; their own tests fire them
NOT_IN_THESE_HISTORIES = {
    "boiler.supply",
    "cold.drift",
    "cold.failing",
    "cold.probe_pair",
    "cold.too_cold",
    "electricity.baseload_rise",
    "electricity.cable_hot",
    "electricity.left_on",
    "electricity.residual_rise",
    "pipe.room_cold",
    "pipe.still_water",
    "sensor.battery_low",
    "sensor.clock",
    "sensor.gateway_down",
    "sensor.implausible",
    "sensor.signal_weak",
    "sensor.silent",
    "sensor.stuck",
    "water.balance",
    "water.night_excess",
    "water.rise",
    "water.stands",
}


def _until_it_fires(one, readings):
    for reading in readings:
        one.advance(reading.received_ms, [reading])
        if one.firing():
            return reading.received_ms
    return 0


@pytest.mark.parametrize("name", RULES)
def test_silence_and_doubt_resolve_nothing(name):
    """Once something fires, neither missing nor doubtful readings end it."""
    for seed in range(4, 9):
        one = engine(name)
        end_ms = _until_it_fires(one, history(name, seed=seed, minutes=5))
        if end_ms:
            break
    else:
        assert name in NOT_IN_THESE_HISTORIES
        return
    firing = one.firing()
    found = one.advance(end_ms + 3 * DAY_MS)
    for step in range(1, 10):
        at_ms = end_ms + 3 * DAY_MS + step * HOUR_MS
        doubtful = [Reading(two, float("nan"), at_ms, at_ms, Quality.SUSPECT) for two in series_of(name)]
        if not name.startswith("sensor."):  # for those, a device that sends nonsense is one that sends
            found += one.advance(at_ms, doubtful)
    assert [two for two in found if two.to_state is State.RESOLVED] == []
    assert set(firing) <= set(one.firing())


#: these stand until somebody acts: a date in the register, a budget below what even a calm day takes
STANDING = {"cold.calibration_due", "water.over_budget"}


def _calm_after(name, readings, end_ms):
    """Four calm days from the next midnight on, with counters that go on from where they stood."""
    shift_ms = -(-(end_ms - START_MS) // DAY_MS) * DAY_MS
    stood = {one.series: one.value for one in readings if one.received_ms <= end_ms and one.value}
    for one in history(name, calm=True, steps=4 * 288, minutes=5):
        risen = one.value - 100.0 + stood.get(one.series, 100.0)
        value = round(risen, 3) if one.series.quantity in COUNTERS else one.value
        at_ms = one.time_ms + shift_ms
        yield Reading(one.series, value, at_ms, at_ms)


@pytest.mark.parametrize("name", [name for name in RULES if name not in STANDING])
def test_what_is_over_ends(name):
    """Four calm days end what fires, with meters of a known interval, too: whatever the pace at which the rule speaks."""
    devices = [one.model_copy(update={"interval_s": 300}) for one in DEVICES]
    campus = Campus(site=SITE, devices=devices, hours=CAMPUS.hours)
    for seed in range(4, 9):
        one = Engine(campus, RuleSettings(EVERYTHING), rules={name: catalogue()[name]})
        readings = history(name, seed=seed, minutes=5, steps=1000)
        end_ms = _until_it_fires(one, readings)
        if end_ms:
            break
    else:
        assert name in NOT_IN_THESE_HISTORIES
        return
    for reading in _calm_after(name, readings, end_ms):
        one.advance(reading.received_ms, [reading])
    assert one.firing() == {}


@pytest.mark.parametrize("name", [name for name in RULES if not catalogue()[name].accepts_late])
def test_late_readings_are_no_emergency(name):
    """All that comes too late is at most history; a rule that judges lateness itself is another matter."""
    late = [
        Reading(one.series, one.value, one.time_ms, one.time_ms + 6 * HOUR_MS, Quality.LATE)
        for one in history(name, seed=4)
    ]
    one = engine(name)
    by_reading = (
        catalogue()[name].due_ms(catalogue()[name].start(DEVICES[0]), catalogue()[name].Params()) is None
    )
    found = one_by_one(one, late)
    if by_reading:
        assert all(two.historical for two in found)


@pytest.mark.parametrize("name", RULES)
def test_its_memory_is_bounded(name):
    """Two months of bad days leave no more than a few kilobytes a subject, no more than twice those of three weeks."""
    one, sizes = engine(name), []
    readings = history(name, seed=5, steps=1500, minutes=60)
    for number, reading in enumerate(readings):
        one.advance(reading.received_ms, [reading])
        if number in {len(readings) // 3, len(readings) - 1}:
            sizes.append(len(one.snapshot()))
    subjects = len(one.status())
    assert sizes[1] / subjects < 24_000
    assert sizes[1] < 2 * sizes[0] + 3_000 * subjects


def test_an_unknown_level_is_no_alert():
    """Unknown ranks with ok, but is another word."""
    assert Level.UNKNOWN.rank == 0
    assert Level.UNKNOWN is not Level.OK


def test_snapshots_are_plain_json():
    """Whatever the rules remember, JSON holds it without infinities."""
    one = Engine(CAMPUS, RuleSettings())
    for name in RULES:
        for reading in history(name, seed=6, steps=40):
            one.advance(reading.received_ms, [reading])
    body = msgspec.json.decode(one.snapshot())
    assert set(body["rules"]) == set(RULES)
