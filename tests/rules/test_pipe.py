"""Pipes in the cold: what is foretold, from which data, and the signs of ice."""

import math

import pytest

from campus.campus import Campus
from campus.device import Device, Place
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from rules.pipe.cold import ColdParams

START_MS = 1_794_758_400_000
MINUTE_MS = 60_000
PLACE = Place(site="s", building="b")
OUTDOOR = Device(id="o", name="o", kind="climate", role="outdoor", place=PLACE)


class Winter:
    """A pipe and the air outside."""

    def __init__(self, rules=None, **pipe):
        one = {"id": "p", "name": "p", "kind": "pipe_probe", "role": "pipe_wall", "place": PLACE} | pipe
        campus = Campus(site=Site(id="s", name="S"), devices=[Device.model_validate(one), OUTDOOR])
        self.engine = Engine(campus, RuleSettings({"devices": {"p": {"pipe.cold": rules or {}}}}))
        self.transitions = []

    def at(self, minute, device, value, channel=""):
        time_ms = START_MS + round(minute * MINUTE_MS)
        series = Series(device, Quantity.TEMPERATURE, channel)
        self.transitions += self.engine.advance(time_ms, [Reading(series, value, time_ms, time_ms)])

    def told(self):
        return [
            one for one in self.transitions
            if one.rule == "pipe.cold" and one.to_state.value in {"firing", "resolved"}
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("bore_mm", "insulation_mm", "tau_h"),
    [(27.3, 0, 0.6), (27.3, 20, 2.5), (53, 20, 6.3), (53, 40, 9.7), (105, 40, 24.5)],
)
def test_the_time_constant_of_a_described_pipe(bore_mm, insulation_mm, tau_h):
    """DN25, DN50 and DN100 as the table of DOMAIN 2.3 has them."""
    params = ColdParams(bore_mm=bore_mm, insulation_mm=insulation_mm)
    assert params.tau_h() == pytest.approx(tau_h, rel=0.25)
    assert ColdParams().tau_h() == 0


@pytest.mark.parametrize("tau_h", [1.5, 4.0, 10.0])
def test_the_minutes_foretold_are_those_it_takes(tau_h):
    """Falling from 9 °C towards -12 °C: each alert's minutes are right within a fifth."""
    winter = Winter()
    for minute in range(0, int(tau_h * 60), 5):
        winter.at(minute, "o", -12.0)
        winter.at(minute + 1, "p", round(-12 + 21 * math.exp(-(minute + 1) / 60 / tau_h), 2))
    foretold = [one.evidence.facts for one in winter.told() if "minutes_to_0c" in one.evidence.facts]
    assert foretold
    for facts in foretold:
        if facts["temperature_c"] > 0.5:
            really = tau_h * 60 * math.log((facts["temperature_c"] + 12) / 12)
            assert facts["minutes_to_0c"] == pytest.approx(really, rel=0.2, abs=3)


def test_a_forecast_gives_lead_time():
    """It is mild yet, but -15 °C are foretold for the night: the falling pipe is worse off than by the air of now."""
    levels = {}
    for forecast in (False, True):
        winter = Winter()
        for minute in range(0, 150, 5):
            winter.at(minute, "o", 1.0)
            if forecast and minute % 60 == 0:
                winter.at(minute, "o", -15.0, "forecast")
            winter.at(minute + 1, "p", round(7.5 - minute / 60 * 0.9, 2))
        levels[forecast] = max((one.severity.rank for one in winter.told()), default=0)
    assert levels[True] > levels[False]


def test_cold_water_drawn_through_a_warm_pipe_is_no_frost():
    """It falls five kelvin within minutes, and stays: nothing is foretold of that."""
    winter = Winter()
    for minute in range(0, 24 * 60, 10):
        winter.at(minute, "o", -8.0)
        winter.at(minute + 1, "p", 14.0 if minute % 240 > 60 else 9.0)
    assert winter.told() == []


def _drawn_c(minute):
    """14 °C; at each full hour mains water takes it to 7 °C, and it warms up again by half every quarter."""
    return 14 - 7 * 0.5 ** (minute % 60 / 15)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (_drawn_c, []),
        (lambda minute: 12 - minute / 60, [True]),  # a kelvin an hour
        (lambda minute: max(6.5, 12 - minute / 10), []),  # mains water runs for hours: it falls no more
        (lambda minute: max(4.5, 12 - minute / 60 * 0.8), [True]),
    ],
)
@pytest.mark.parametrize("every_min", [3, 15])
def test_a_notice_is_for_a_pipe_that_cold_air_draws_down(curve, expected, every_min):
    """Below 8 °C for an hour and falling still is told once, and a pipe that cold water is drawn through is not."""
    winter = Winter({"warning_minutes_to_0c": 0, "critical_minutes_to_0c": 0})
    for minute in range(0, 7 * 60, every_min):
        winter.at(minute, "o", -2.0)
        winter.at(minute + 1, "p", round(curve(minute), 1))
    told = [one for one in winter.told() if one.severity.value == "notice"]
    assert [one.to_state.value == "firing" for one in told] == expected


def test_an_exposed_pipe_in_hard_frost():
    """Profile exposed_pipe: at -7 °C outside, 4 °C on the pipe is critical, not only a warning."""
    for profile, severities in (("exposed_pipe", ["critical"]), ("", ["warning"])):
        winter = Winter(profile=profile)
        for minute in range(0, 60, 5):
            winter.at(minute, "o", -7.0)
            winter.at(minute + 1, "p", 4.0)
        assert [one.severity.value for one in winter.told()] == severities


def _frozen_at(winter, curve, minutes, every_min=5):
    """The temperature at which ice was first told of; None where it never was."""
    for minute in range(0, minutes, every_min):
        winter.at(minute, "o", -10.0)
        winter.at(minute + 1, "p", round(curve(minute), 2))
        last = winter.told()[-1:]
        if last and last[0].evidence.advice == "pipe.frozen":
            assert last[0].evidence.facts["frozen_suspected"] == 1
            assert "minutes_to_0c" not in last[0].evidence.facts
            return curve(minute)
    return None


@pytest.mark.parametrize("fall_k_h", [0.3, 0.5, 1.0, 3.0])
def test_a_pipe_that_falls_is_not_frozen_before_0_c(fall_k_h):
    """However slowly it passes the last half kelvin, "let it drip" stands until 0 °C: that hour is when it helps most."""
    hours = 4.0 / fall_k_h
    assert _frozen_at(Winter(), lambda minute: 4.0 - minute / 60 * fall_k_h, round(hours * 60)) is None


@pytest.mark.parametrize("held_c", [0.1, 0.2, 0.4])
def test_a_pipe_that_is_held_above_0_c_is_not_frozen(held_c):
    """Heat tape or a dripping tap hold it there for hours, in air of -10 °C: it is critical, and not ice."""
    winter = Winter()
    assert _frozen_at(winter, lambda minute: max(held_c, 4.0 - minute / 10), 360) is None
    assert winter.told()[-1].severity.value == "critical"


@pytest.mark.parametrize(
    ("curve", "warmest_c"),
    [
        (lambda minute: max(-0.1, 4.0 - minute / 10), 0.0),  # it stands at 0 °C by itself
        (lambda minute: 4.0 - minute / 10, 0.0),  # it falls on below 0 °C
        (
            lambda minute: 4.0 - minute / 10 if minute < 70 else 0.3,
            0.3,
        ),  # supercooled to -2.5 °C, then lifted at once
        (
            lambda minute: 4.0 - minute / 10 if minute < 50 else 0.3,
            0.3,
        ),  # supercooled by little, and then it stands
    ],
)
def test_ice_is_told_by_its_signs(curve, warmest_c):
    """Ten minutes at or below 0 °C, a rise to it out of the cold, a stand there after it was below: the advice changes."""
    frozen_c = _frozen_at(Winter(), curve, 180)
    assert frozen_c is not None
    assert frozen_c <= warmest_c


def test_the_air_about_a_pipe_says_nothing_of_ice():
    """A crawlspace at -1 °C for an hour is critical; whether the pipe in it has frozen, it cannot tell."""
    winter = Winter(role="pipe_space")
    assert _frozen_at(winter, lambda minute: max(-1.0, 4.0 - minute / 10), 180) is None
    assert winter.told()[-1].severity.value == "critical"


def test_the_air_about_a_pipe_may_be_colder():
    """A crawlspace at 4 °C is a notice, the pipe's wall at 4 °C a warning."""
    for role, severity in (("pipe_space", "notice"), ("pipe_wall", "warning")):
        winter = Winter(role=role)
        for minute in range(0, 16 * 60, 10):
            winter.at(minute, "o", -3.0)
            winter.at(minute + 1, "p", max(4.0, 8.0 - minute / 150))
        assert max(winter.told(), key=lambda one: one.severity.rank).severity.value == severity
