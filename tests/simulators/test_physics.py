"""The physics of the simulators against the numbers of their sources."""

from __future__ import annotations

import itertools
import math
import random
import statistics
import zoneinfo

import pytest

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from simulators.errors import BadWeather
from simulators.physics.cabinet import Cabinet
from simulators.physics.course import Course, Courses
from simulators.physics.demand import FIXTURES, Cistern, Draws, RoofTank, Sprinklers, poisson
from simulators.physics.pipe import STEEL, Bore, Pipe, time_constant_h
from simulators.physics.power import Circuit, ElectricLoad
from simulators.physics.water import ParentMeter, Register, WaterMeter
from simulators.physics.weather import SyntheticWeather, read_weather

START_MS = 1_795_233_600_000
ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")
TEMPERATURE = (Quantity.TEMPERATURE, "")


class Around:
    """Surroundings that stay as they are told."""

    def __init__(self, outdoor_c=-10.0, activity=0.0, indoor_c=20.0):
        self.outdoor, self.busy, self.indoor = outdoor_c, activity, indoor_c

    def outdoor_c(self, time_ms):
        return self.outdoor

    def activity(self, building, time_ms):
        return self.busy

    def indoor_c(self, building, time_ms):
        return self.indoor


def minutes(model, around, count, start_ms=START_MS, every=1):
    """The model's temperatures minute by minute."""
    return [
        model.step(start_ms + n * every * MINUTE_MS, around)[TEMPERATURE] for n in range(count // every + 1)
    ]


@pytest.mark.parametrize(
    ("size", "insulation_mm", "hours"),
    [
        (15, 0, 0.3), (15, 20, 1.1), (15, 40, 1.6), (25, 0, 0.6), (25, 20, 2.5), (25, 40, 3.6),
        (50, 0, 1.4), (50, 20, 6.3), (50, 40, 9.7), (100, 0, 2.9), (100, 20, 15), (100, 40, 24.5),
    ],
)  # fmt: skip
def test_time_constants_of_pipes(size, insulation_mm, hours):
    """The table of DOMAIN.md 2.3, within the rounding and the wall thickness it does not give."""
    assert time_constant_h(Bore(*STEEL[size], insulation_mm)) == pytest.approx(hours, rel=0.15, abs=0.06)


def pipe(ambient_c, tau_h=1.0, seed=1):
    return Pipe(random.Random(seed), "t1", lambda _time, _around: ambient_c(), tau_h=tau_h, feeds=Courses())


def test_a_pipe_freezes_in_four_stages():
    """Supercooling below -2 °C, a jump back to 0 °C within minutes, a plateau, then ice that follows the cold."""
    air = [8.0]
    one = pipe(lambda: air[0])
    minutes(one, Around(), 10)
    air[0] = -10.0
    curve = minutes(one, Around(), 15 * 60, START_MS + HOUR_MS)
    lowest = min(range(180), key=lambda n: curve[n])
    assert -7 < curve[lowest] < -2
    assert curve[lowest + 12] > -0.5
    plateau = [n for n in range(lowest + 15, len(curve)) if curve[n] < -0.5]
    # 80 K of latent heat over 10 K of cold: eight time constants, less what the supercooling paid
    assert (plateau[0] - lowest) / 60 == pytest.approx(8, abs=0.8)
    assert curve[-1] < -9


def test_a_weak_pipe_leaks_on_thaw():
    """A burst shows when the ice melts, on the meter that feeds the pipe, and ends with its repair."""
    air = [-10.0]
    one = pipe(lambda: air[0])
    one.weak = Course(START_MS, START_MS + 3 * DAY_MS, 1.5)
    minutes(one, Around(), 8 * 60)
    assert one.ice > 0.5
    assert one._feeds == []
    air[0] = 8.0
    minutes(one, Around(), 24 * 60, START_MS + 9 * HOUR_MS)
    assert one.ice == 0
    assert one._feeds.at(START_MS + 2 * DAY_MS) == 1.5
    assert one._feeds.at(START_MS + 3 * DAY_MS) == 0
    assert {found.kind for found in one.finished()} == {"pipe_burst", "pipe_cold", "pipe_frozen"}


def test_cold_water_drawn_through_stays_in_the_recorded_range():
    """About 1 % of winter hours fall by about 5 K, as in four recorded winters."""
    one = pipe(lambda: 14.0, tau_h=2.5)
    curve = minutes(one, Around(activity=0.5), 60 * 24 * 60, every=60)
    falls = sorted(after - before for before, after in itertools.pairwise(curve))
    assert -6.5 < falls[len(falls) // 100] < -2.5
    assert min(curve) > 5


def freezer(seed=3, profile="freezer"):
    return Cabinet(random.Random(seed), "canteen", profile=profile, mains_lost=Courses(), room_c=19.0)


def test_an_empty_kitchen_leaves_only_the_ripple():
    """Between -20.6 and -18.4 °C, up and down in 25 to 45 minutes (recorded: 29)."""
    curve = [value for value in minutes(freezer(), Around(), 5 * 24 * 60) if value < -18.0][600:]
    assert min(curve) > -21.2
    mean = statistics.mean(curve)
    assert mean == pytest.approx(-19.5, abs=0.4)
    crossings = sum((a < mean) != (b < mean) for a, b in itertools.pairwise(curve))
    assert 25 < len(curve) / (crossings / 2) < 50


def test_a_loaded_freezer_warms_with_two_time_constants():
    """Without power: about -14 °C after 3.5 h and -11.5 °C after 7.5 h (DOMAIN.md 3.3), ripple gone."""
    one = freezer()
    minutes(one, Around(), 24 * 60)
    one.air_c = one.goods_c = -20.0
    one.unpowered.append(Course(START_MS + DAY_MS, START_MS + 9 * DAY_MS, 1.0))
    curve = minutes(one, Around(), 30 * 60, START_MS + DAY_MS)
    assert curve[210] == pytest.approx(-14, abs=1.5)
    assert curve[450] == pytest.approx(-11.5, abs=1.5)
    early, late = curve[30] - curve[0], curve[330] - curve[300]
    assert early > 4 * late > 0
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(curve))


def test_a_strong_defrost_looks_like_the_recorded_one():
    """27 to 45 minutes above -10 °C once in 36 to 42 hours, for the cabinets that defrost so."""
    strong = next(
        one for one in (freezer(seed) for seed in range(50)) if one._defrost.every_ms > 30 * HOUR_MS
    )
    curve = minutes(strong, Around(), 6 * 24 * 60)
    above = [n for n, value in enumerate(curve) if value > -10]
    starts = [n for n in above if n - 1 not in above]
    assert 3 <= len(starts) <= 5
    assert 20 <= len(above) / len(starts) <= 45
    assert all(36 * 60 <= b - a <= 43 * 60 for a, b in itertools.pairwise(starts))


@pytest.mark.parametrize("use", sorted(FIXTURES))
def test_draws_spread_as_recorded_households_do(use):
    """Hourly volumes of a few draws have a spread-to-mean like that of recorded meters, and the expected mean."""
    draws = Draws(random.Random(1), FIXTURES[use], per_hour=6)
    hours = [draws.volume_m3(START_MS + n * HOUR_MS, START_MS + (n + 1) * HOUR_MS, 1.0) for n in range(4000)]
    litres = [1000 * one for one in hours]
    assert statistics.mean(litres) == pytest.approx(6 * draws._mean_l, rel=0.1)
    assert 2 < statistics.pvariance(litres) / statistics.mean(litres) < 150
    assert any(one == 0 for one in litres)


def test_long_steps_count_like_short_ones():
    """Fifteen-minute steps give the mean of ten-second ones."""
    totals = []
    for step_ms in (10_000, 15 * MINUTE_MS):
        draws = Draws(random.Random(7), FIXTURES["dormitory"], per_hour=300)
        spans = range(START_MS, START_MS + 5 * DAY_MS, step_ms)
        totals.append(sum(draws.volume_m3(begin, begin + step_ms, 0.7) for begin in spans))
    assert totals[0] == pytest.approx(totals[1], rel=0.03)


def test_a_roof_tank_fills_in_one_go():
    """The meter sees nothing for a while, then the valve's flow, and over a day what was drawn."""
    inside = Draws(random.Random(2), FIXTURES["dormitory"], per_hour=100)
    tank = RoofTank(inside, band_m3=1.5, fill_m3h=4)
    flows = [
        tank.volume_m3(START_MS + n * MINUTE_MS, START_MS + (n + 1) * MINUTE_MS, 0.5) * 60
        for n in range(1440)
    ]
    assert max(flows) == pytest.approx(4)
    assert sum(flow == 0 for flow in flows) > 700
    assert sum(flows) / 60 == pytest.approx(100 * 0.5 * 24 * inside._mean_l / 1000, rel=0.2)


def test_timers_do_not_ask_anybody():
    """Sprinklers run their minutes in summer and not in winter; a cistern rests while nobody is there."""
    sprinklers = Sprinklers(flow_m3h=2, start_ms=21 * HOUR_MS, minutes=30)
    july, january = START_MS - 140 * DAY_MS, START_MS + 60 * DAY_MS
    assert sprinklers.volume_m3(july, july + DAY_MS, 0) == pytest.approx(1.0)
    assert sprinklers.volume_m3(january, january + DAY_MS, 0) == 0
    cistern = Cistern(litres=12, every_min=10)
    assert cistern.volume_m3(0, HOUR_MS, 0.5) == pytest.approx(0.072)
    assert cistern.volume_m3(0, HOUR_MS, 0.0) == 0


def test_a_register_counts_steps_wraps_stands_and_is_swapped():
    """Whole pulses, back to 0 at the modulus, still while blocked, anew after a swap."""
    register = Register(step_m3=0.01, modulus_m3=100, start_m3=99.994)
    register.add(0.012, 0, 1)
    assert register.shown_m3 == 0.0
    register.add(0.005, 1, 2)
    assert register.shown_m3 == 0.01
    register.blocked.append(Course(2, 3, 1.0))
    register.add(5.0, 2, 3)
    assert register.shown_m3 == 0.01
    register.swap(4, 0.5)
    register.add(1.0, 3, 5)
    assert register.shown_m3 == 0.5


def test_a_parent_is_its_children_and_its_own_leak():
    """Whoever is asked first, the parent shows what passed below it, and what is lost between."""
    around = Around(activity=1.0)
    children = [
        WaterMeter("t1", [Draws(random.Random(n), FIXTURES["office"], per_hour=60)], Register(step_m3=0.001))
        for n in range(3)
    ]
    parent = ParentMeter("b", children, Register(step_m3=0.001), with_flow=True)
    parent.leaks.append(Course(START_MS, START_MS + DAY_MS, 0.5))
    for n in range(13):
        shown = parent.step(START_MS + n * 10 * MINUTE_MS, around)
        children[0].step(START_MS + n * 10 * MINUTE_MS + 30_000, around)
    below = sum(one.total_m3 for one in children)
    assert shown[Quantity.WATER_VOLUME, ""] == pytest.approx(below + 1.0, abs=0.03)
    assert shown[Quantity.WATER_FLOW, ""] > 0.5


@pytest.mark.parametrize(
    ("course", "from_ms", "to_ms", "mean"),
    [
        (Course(10, 20, 4.0), 0, 20, 2.0),  # half of the span
        (Course(0, 100, 1.0, rise_ms=50), 0, 50, 0.5),  # while it grows
        (Course(0, 100, 1.0, rise_ms=50), 0, 100, 0.75),  # grown in the middle
        (Course(0, 1000, 6.0, on_ms=10, every_ms=40), 0, 400, 1.5),  # on and off
        (Course(0, 1000, 6.0, on_ms=10, every_ms=40), 5, 15, 3.0),  # across an edge
        (Course(0, 10, 1.0), 10, 20, 0.0),  # over
    ],
)
def test_courses_have_exact_means(course, from_ms, to_ms, mean):
    """However long a step is, what flowed in it is exact."""
    assert course.mean(from_ms, to_ms) == pytest.approx(mean)


def circuit(phases=("a", "b", "c")):
    return Circuit(random.Random(4), "t1", ElectricLoad(2.0, 10.0), phases=phases, earth_ma=30.0)


def test_electricity_adds_up():
    """Phases sum to the total, P = U I pf, and the register is the integral of the power."""
    one, around, energy, power = circuit(), Around(activity=0.8), [], []
    for n in range(1000):
        values = one.step(START_MS + n * 10_000, around)
        energy.append(values[Quantity.ENERGY, "total"])
        power.append(values[Quantity.ACTIVE_POWER, "total"])
        by_phase = [values[Quantity.ACTIVE_POWER, phase] for phase in "abc"]
        assert sum(by_phase) == pytest.approx(power[-1], abs=0.001)
        for phase in "abc":
            apparent = values[Quantity.VOLTAGE, phase] * values[Quantity.CURRENT, phase] / 1000
            assert apparent * values[Quantity.POWER_FACTOR, phase] == pytest.approx(
                values[Quantity.ACTIVE_POWER, phase], rel=0.01
            )
            assert 198 < values[Quantity.VOLTAGE, phase] < 235.4
    assert energy[-1] - energy[0] == pytest.approx(sum(power[1:]) / 360, rel=0.001)


def test_electrical_faults_show():
    """A tripped breaker takes the load, a loose neutral parts the voltages, a lost phase is gone, leakage adds up."""
    one, around = circuit(), Around(activity=0.8)
    one.step(START_MS, around)
    ever = Course(START_MS, START_MS + DAY_MS, 1.0)
    one.leakage_ma.append(ever._replace(size=350))
    assert one.step(START_MS + 1000, around)[Quantity.RESIDUAL_CURRENT, ""] > 350
    one.neutral_lost.append(ever._replace(size=0.5))
    volts = [one.step(START_MS + 2000, around)[Quantity.VOLTAGE, phase] for phase in "abc"]
    assert max(volts) - min(volts) > 25
    one.lose_phase(1, ever)
    lost = one.step(START_MS + 3000, around)
    assert lost[Quantity.VOLTAGE, "b"] < 20
    assert lost[Quantity.CURRENT, "b"] == 0
    one.tripped.append(ever)
    assert one.step(START_MS + 4000, around)[Quantity.ACTIVE_POWER, "total"] == 0


def test_the_synthetic_weather_is_a_northern_year():
    """January near -11.9 °C, July near 25 °C, colder at six than at fourteen o'clock, and the spread of real days."""
    weather = SyntheticWeather(ZONE, seed=1)
    first = START_MS - START_MS % DAY_MS - 8 * HOUR_MS
    days = [
        statistics.mean(weather.outdoor_c(first + day * DAY_MS + h * HOUR_MS) for h in range(24))
        for day in range(3652)
    ]
    january = [days[n] for n in range(3652) if 42 <= n % 365.25 < 73]
    july = [days[n] for n in range(3652) if 223 <= n % 365.25 < 254]
    assert statistics.mean(january) == pytest.approx(-9.6, abs=2.0)
    assert statistics.mean(july) == pytest.approx(25.5, abs=2.0)
    assert 3.5 < statistics.pstdev(january) < 6.5
    assert statistics.pstdev(july) < 3
    morning, noon = weather.outdoor_c(first + 6 * HOUR_MS), weather.outdoor_c(first + 14 * HOUR_MS)
    assert noon - morning > 4
    assert weather.outdoor_c(START_MS) == SyntheticWeather(ZONE, seed=1).outdoor_c(START_MS)
    assert weather.outdoor_c(START_MS) != SyntheticWeather(ZONE, seed=2).outdoor_c(START_MS)


def weather_file(folder, rows):
    path = folder / "weather.csv"
    path.write_text("timestamp_local,temp_c\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_recorded_weather_is_drawn_through(tmp_path):
    """Hours are joined, gaps drawn through, and other years repeat the recorded one by date."""
    rows = [f"2014-{m:02}-{d:02} {h:02}:00:00,{h if d != 5 or h != 7 else ''}"
            for m in range(1, 13) for d in range(1, 32) for h in range(24) if _exists(m, d)]  # fmt: skip
    weather = read_weather(weather_file(tmp_path, rows), ZONE)
    assert weather.year == 2014
    noon_ms = 1_388_534_400_000 - 8 * HOUR_MS + 12 * HOUR_MS
    assert weather.outdoor_c(noon_ms) == pytest.approx(12)
    assert weather.outdoor_c(noon_ms + HOUR_MS // 2) == pytest.approx(12.5)
    assert weather.outdoor_c(noon_ms + 4 * DAY_MS - 5 * HOUR_MS) == pytest.approx(7)
    assert weather.outdoor_c(noon_ms + 4383 * DAY_MS) == pytest.approx(12)


def _exists(month, day):
    return day <= [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["2014-01-01 00:00:00,cold"], "weather.csv:2"),
        (["2014-01-01 00:00:00,1", "yesterday,1"], "weather.csv:3"),
        (["2014-01-01 00:00:00,-1000"], "-1000"),
        (["2014-01-01 00:00:00,-3"], "90 %"),
    ],
)
def test_a_bad_weather_file_is_told_by_row(tmp_path, rows, words):
    """File and row, what was found, what was expected."""
    with pytest.raises(BadWeather, match=words):
        read_weather(weather_file(tmp_path, rows), ZONE)
    with pytest.raises(BadWeather, match="No such file"):
        read_weather(tmp_path / "none.csv", ZONE)


def test_poisson_has_its_mean():
    """For small and for large expectations."""
    generator = random.Random(1)
    for expected in (0.0, 0.3, 8.0, 400.0):
        drawn = [poisson(generator, expected) for _ in range(3000)]
        assert statistics.mean(drawn) == pytest.approx(expected, abs=4 * math.sqrt(expected / 3000 + 1e-12))
