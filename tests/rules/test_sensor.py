"""Sensors: silence, gateways, nonsense, leaps, clocks, batteries; and the engine's time, lateness and blindness."""

import pytest

from campus.campus import Campus
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from campus.site import Site
from rules.engine.engine import Engine
from rules.engine.listing import rules_of
from rules.engine.settings import RuleSettings, check
from rules.sensor.silence import Silent

START_MS = 1_794_758_400_000
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
PLACE = Place(site="s", building="b")


def sensor(name="t", kind="climate", **more):
    return Device(id=name, name=name, kind=kind, place=PLACE, **more)


class Air:
    """Sensors that are heard by hand."""

    def __init__(self, *devices, rules=None, blind_after_ms=0):
        campus = Campus(site=Site(id="s", name="S"), devices=devices)
        self.engine = Engine(campus, RuleSettings(rules), blind_after_ms=blind_after_ms)
        self.transitions = []

    def at(self, minute, device=None, value=None, quantity=Quantity.TEMPERATURE, **more):
        time_ms = START_MS + round(minute * MINUTE_MS)
        readings = []
        if device is not None:
            quality, off_ms = more.get("quality", Quality.GOOD), more.get("off_ms", 0)
            readings = [Reading(Series(device, quantity), float(value), time_ms - off_ms, time_ms, quality)]
        self.transitions += self.engine.advance(time_ms, readings)

    def told(self, rule, subject=None):
        return [
            (round((one.time_ms - START_MS) / MINUTE_MS), one.to_state.value, one.severity.value)
            for one in self.transitions
            if one.rule == rule
            and subject in {None, one.subject}
            and one.to_state.value in {"firing", "resolved"}
        ]


def test_silence_is_counted_from_the_last_word_though_it_was_not_looked_at():
    """A sensor heard each minute for a day is silent an hour after its last word, not after the last look at it."""
    air = Air(sensor())
    for minute in range(1440):
        air.at(minute, "t", 20 + minute % 7 / 10)
    air.at(1440 + 120)
    assert air.told("sensor.silent") == [(1439 + 60, "firing", "warning")]


def test_a_sensor_with_bad_radio_is_given_time():
    """Silences of two hours that end by themselves are told twice, and then no more."""
    air = Air(sensor(interval_s=600))
    for day in range(8):
        for minute in range(0, 1440, 10):
            if not 300 <= minute < 420:
                air.at(day * 1440 + minute, "t", 20 + minute % 30 / 10)
    assert len([one for one in air.told("sensor.silent") if one[1] == "firing"]) == 2


def test_nobody_is_silent_while_nobody_listens():
    """Batches stop for five hours, as when the service was off: its sensors get their time again when it is back."""
    air = Air(sensor(interval_s=600), blind_after_ms=10 * MINUTE_MS)
    for minute in range(0, 120, 5):
        air.at(minute, "t", 20 + minute % 3)
    air.at(420)
    assert air.told("sensor.silent") == []
    for minute in range(425, 500, 5):
        air.at(minute)
    assert air.told("sensor.silent") == [(480, "firing", "warning")]


def test_a_rule_that_fails_on_blindness_stops_no_other(monkeypatch):
    """After a gap, a rule whose own code breaks begins anew for its subject; every other rule judges on."""

    def broken(*_):
        raise KeyError("gap")

    monkeypatch.setattr(Silent, "on_blind", broken)
    air = Air(sensor(interval_s=600), blind_after_ms=10 * MINUTE_MS)
    air.at(0, "t", 20)
    air.at(420)
    assert [str(one) for one in air.engine.faults] == ["sensor.silent/t: KeyError: 'gap'"]
    for minute in range(425, 500, 5):
        air.at(minute, "t", -127, quality=Quality.SUSPECT)
    assert {one.rule for one in air.transitions} == {"sensor.implausible"}


def test_a_gateway_that_is_down_is_one_alert():
    """Three sensors behind it fall silent together: the gateway is told, none of them; it resolves with the first word."""
    behind = [sensor(name, gateway="g", interval_s=300) for name in ("a", "b", "c")]
    air = Air(sensor("g", "gateway"), *behind)
    for minute in range(0, 300, 5):
        for name in ("a", "b", "c"):
            air.at(minute, name, 20 + minute % 15 / 10)
    for minute in range(300, 700, 5):
        air.at(minute)
    told = air.told("sensor.gateway_down")
    assert [(state, severity) for _, state, severity in told] == [("firing", "warning")]
    assert told[0][0] <= 330
    assert air.told("sensor.silent") == []
    for minute in range(700, 730, 5):
        for name in ("a", "b"):
            air.at(minute, name, 20 + minute % 15 / 10)
    assert air.told("sensor.gateway_down")[-1][1] == "resolved"
    for minute in range(730, 800, 5):
        air.at(minute, "a", 20 + minute % 15 / 10)
    assert [one[1] for one in air.told("sensor.silent", "c")] == ["firing"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([(20, Quality.GOOD)] * 10, []),
        ([(20, Quality.GOOD), (85, Quality.SUSPECT), (20, Quality.GOOD)], ["notice"]),
        ([(20, Quality.GOOD)] + [(-127, Quality.SUSPECT)] * 5, ["notice", "warning"]),
        ([(20, Quality.GOOD), (100, Quality.GOOD)], ["notice"]),  # no room has a hundred degrees
        ([(20, Quality.GOOD), (0, Quality.SUSPECT)], []),  # may be ice
    ],
)
def test_values_that_cannot_be(values, expected):
    """One sentinel names the probe; several in a row are a warning."""
    air = Air(sensor(role="room"))
    for number, (value, quality) in enumerate(values):
        air.at(5 * number, "t", value, quality=quality)
    assert [one[2] for one in air.told("sensor.implausible")] == expected


@pytest.mark.parametrize(("step_k", "minutes", "expected"), [(10, 5, []), (40, 5, ["notice"]), (40, 60, [])])
def test_leaps(step_k, minutes, expected):
    """Forty kelvin within minutes are the probe's; within an hour they may be real."""
    air = Air(sensor("t", "cold_storage"))
    for minute, value in ((0, -20), (5, -20), (5 + minutes, -20 + step_k)):
        air.at(minute, "t", value)
    assert [one[2] for one in air.told("sensor.jump")] == expected


def test_a_value_that_does_not_change():
    """After days of flicker, the very same value for a day is a notice, and the first change ends it."""
    air = Air(sensor())
    for minute in range(0, 4 * 1440, 30):
        air.at(minute, "t", 20 + minute // 30 % 5 / 10)
    for minute in range(4 * 1440, 6 * 1440, 30):
        air.at(minute, "t", 20.3)
    assert [one[2] for one in air.told("sensor.stuck")] == ["notice"]
    air.at(6 * 1440, "t", 20.4)
    assert air.told("sensor.stuck")[-1][1] == "resolved"


def test_a_sensor_gets_stuck_a_second_time():
    """That it was stuck for two days once is not how it is: the next time is told as soon."""
    air = Air(sensor())
    for minute in range(0, 14 * 1440, 30):
        still = minute // 1440 in {4, 5, 10, 11}
        air.at(minute, "t", 20.3 if still else 20 + minute // 30 % 5 / 10)
    fired = [minute // 1440 for minute, state, _ in air.told("sensor.stuck") if state == "firing"]
    assert fired == [5, 11]


@pytest.mark.parametrize(
    ("offsets_min", "expected"),
    [
        ([0] * 12, []),
        ([480] * 12, ["notice"]),  # a time zone behind
        ([480 - 30 * number for number in range(12)], []),  # a buffer that empties
        ([12] * 12, ["notice"]),
    ],
)
def test_clocks(offsets_min, expected):
    """An offset that stays the same is a wrong clock; one that shrinks is a buffer."""
    air = Air(sensor())
    for number, offset in enumerate(offsets_min):
        quality = Quality.LATE if offset > 60 else Quality.GOOD
        air.at(1000 + 5 * number, "t", 20, off_ms=offset * MINUTE_MS, quality=quality)
    assert [one[2] for one in air.told("sensor.clock")] == expected


@pytest.mark.parametrize("offset_min", [480, 12, -120])
def test_a_wrong_clock_does_not_date_its_own_alert(offset_min):
    """What is said of a clock, slow or fast, bears the time of the receipt, as does that it is right again."""
    air = Air(sensor())
    for number in range(60):
        off_min = offset_min if number < 12 else 0
        quality = Quality.LATE if off_min > 60 else Quality.GOOD
        air.at(1000 + 5 * number, "t", 20, off_ms=off_min * MINUTE_MS, quality=quality)
    told = air.told("sensor.clock")
    assert [one[1:] for one in told] == [("firing", "notice"), ("resolved", "notice")]
    assert told[0][0] == 1000 + 5 * 5
    assert told[1][0] >= 1000 + 5 * 12


def test_a_low_battery_waits_for_a_second_word():
    """One low value may be the cold of a night; hours of it are told once."""
    air = Air(sensor())
    for hour in range(30):
        air.at(60 * hour, "t", 15 if hour > 3 else 60, Quantity.BATTERY_LEVEL)
    assert [one[2] for one in air.told("sensor.battery_low")] == ["notice"]


def test_a_battery_told_once_a_day():
    """A device that reports by the minute and its battery by the day has two words in two days; the next full one ends it."""
    air = Air(sensor(interval_s=600))
    for day, percent in enumerate((60, 15, 14, 13, 95, 95)):
        air.at(24 * 60 * day, "t", percent, Quantity.BATTERY_LEVEL)
    assert [(one[0] // 1440, one[1]) for one in air.told("sensor.battery_low")] == [
        (2, "firing"),
        (5, "resolved"),
    ]


def test_a_leak_detector_that_speaks_twice_a_day():
    """Dry once may be a drop that fell off; dry again at its next word, half a day later, is dry."""
    air = Air(sensor(kind="leak_detector", interval_s=43_200))
    for minute, wet in ((0, 0), (100, 1), (130, 0), (850, 0), (1570, 0)):
        air.at(minute, "t", wet, Quantity.LEAK_DETECTED)
    assert [one[:2] for one in air.told("water.detected")] == [(100, "firing"), (850, "resolved")]


def test_a_weak_signal():
    """Half a day below what receivers hear; Wi-Fi devices sooner than LoRa."""
    air = Air(sensor(), sensor("w", decoder="tasmota"))
    for hour in range(20):
        for name in ("t", "w"):
            air.at(60 * hour, name, -95, Quantity.SIGNAL_STRENGTH)
    assert air.told("sensor.signal_weak", "t") == []
    assert [one[2] for one in air.told("sensor.signal_weak", "w")] == ["notice"]


def test_the_listing_names_the_layer_of_each_number():
    """For any device: its rules, what they read, and where each number comes from."""
    freezer = sensor("f", "cold_storage", profile="freezer")
    rules = {
        "defaults": {"cold.above_limit": {"dead_band_k": 2.0}},
        "devices": {"f": {"cold.above_limit": {"warning_above_c": -16.0}, "cold.drift": {"enabled": False}}},
    }
    campus = Campus(site=Site(id="s", name="S"), devices=[freezer], rules=rules)
    assert check(rules, campus) == []
    listed = {one.rule: one for one in rules_of(freezer, campus, RuleSettings(rules))}
    numbers = {one.name: (one.value, one.origin) for one in listed["cold.above_limit"].numbers}
    assert numbers["warning_above_c"] == (-16.0, "devices.f")
    assert numbers["dead_band_k"] == (2.0, "defaults")
    assert numbers["critical_above_c"] == (-12.0, "profile freezer")
    assert numbers["recovery_s"] == (1800, "rule")
    assert not listed["cold.drift"].enabled
    assert listed["cold.above_limit"].reads == ("f/temperature",)
    assert "water.burst" not in listed


def test_what_fires_and_nobody_was_told_of_can_begin_anew():
    """After a rebuilt state the service forgets such alerts, and they fire once more."""
    air = Air(sensor("f", "cold_storage", profile="freezer"))
    for minute in range(0, 90, 5):
        air.at(minute, "f", -5)
    assert ("cold.above_limit", "f") in air.engine.firing()
    air.engine.forget("cold.above_limit", "f")
    for minute in range(90, 180, 5):
        air.at(minute, "f", -5)
    told = [one for one in air.told("cold.above_limit") if one[1] == "firing"]
    assert len(told) >= 2


def test_a_lower_limit_counts_from_its_first_reading():
    """What was healthy by the old limits is looked at anew once the settings have changed."""
    rules = {"devices": {"f": {"cold.above_limit": {"warning_above_c": -19.0, "for_s": 600}}}}
    old, new = Air(sensor("f", "cold_storage", profile="freezer")), None
    for minute in range(0, 60, 5):
        old.at(minute, "f", -18)
    new = Air(sensor("f", "cold_storage", profile="freezer"), rules=rules)
    new.engine.restore(old.engine.snapshot())
    for minute in range(60, 75, 2):
        new.at(minute, "f", -18)
    assert [one[2] for one in new.told("cold.above_limit")] == ["warning"]
    assert new.told("cold.above_limit")[0][0] <= 71
