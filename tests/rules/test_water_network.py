"""Meters among one another and with what stands beside them: balance, backflow, standing meters, budget, pipes, leaks."""

import pytest
from water_support import HOUR_MS, MINUTE_MS, PLACE, START_MS, Bench, meter, school_day

from campus.device import Device
from campus.quantity import Quantity


@pytest.mark.parametrize(("lost_m3h", "expected"), [(0.0, []), (0.02, []), (0.4, ["warning"])])
def test_the_balance_of_parent_and_children(lost_m3h, expected):
    """Three meters read at the same time: what passes the main and no child is told on the second night."""
    bench = Bench(meter("main"), meter("a", parent="main"), meter("b", parent="main"))

    def flow(name, hour):
        child = 0.1 + school_day(hour) / 2
        return child if name != "main" else 2 * child + 0.05 + (lost_m3h if hour >= 9 * 24 else 0)

    bench.run(13 * 24, flow)
    told = [severity for _, state, severity in bench.told("water.balance") if state == "firing"]
    assert told == expected
    if expected:
        assert bench.facts("water.balance")["unaccounted_m3h"] == pytest.approx(0.45, abs=0.03)


@pytest.mark.parametrize(("back_m3", "severity"), [(0.005, None), (0.05, "warning"), (0.8, "critical")])
def test_backflow(back_m3, severity):
    """A counter of what ran backwards: a shock in the pipe is nothing, more is told."""
    bench = Bench(meter("m"))
    for number in range(12):
        value = 1.0 if number < 6 else 1.0 + back_m3
        bench.at(START_MS + number * HOUR_MS, "m", Quantity.WATER_BACKFLOW_VOLUME, value)
    assert [one[2] for one in bench.told("water.backflow")] == ([severity] if severity else [])


def test_backflow_by_flow():
    """A flow below zero for half an hour counts, too."""
    bench = Bench(meter("m"))
    for number in range(12):
        bench.at(START_MS + number * 5 * MINUTE_MS, "m", Quantity.WATER_FLOW, -0.2 if number > 3 else 0.5)
    assert [one[2] for one in bench.told("water.backflow")] == ["warning"]


def test_a_meter_that_stands():
    """Three school days without any use, after two weeks with some each day, are a dead meter; a weekend is not."""
    bench = Bench(meter("m"))
    bench.run(19 * 24, lambda _, hour: school_day(hour))
    assert bench.told("water.stands") == []
    bench.run(6 * 24, lambda *_: 0.0, from_h=21 * 24)
    told = bench.told("water.stands")
    assert [(state, severity) for _, state, severity in told] == [("firing", "notice")]
    assert told[0][0] // 24 == 24
    bench.run(24, lambda _, hour: school_day(hour), from_h=28 * 24)
    assert bench.told("water.stands")[-1][1] == "resolved"


def test_the_daily_budget():
    """Told in the hour it is exceeded, and over with the new day."""
    bench = Bench(meter("m"), rules={"devices": {"m": {"water.over_budget": {"budget_m3_day": 5}}}})
    bench.run(36, lambda _, hour: 0.6 if hour < 20 else 0.0)
    told = bench.told("water.over_budget")
    assert [(state, severity) for _, state, severity in told] == [
        ("firing", "notice"),
        ("resolved", "notice"),
    ]
    assert 8 <= told[0][0] <= 9.5


def pipe(name):
    return Device(id=name, name=name, kind="pipe_probe", role="pipe_wall", place=PLACE)


def frozen(bench, hour, lowest_c=-2.0):
    """Pipe p is at *lowest_c* for two hours from *hour*, and warm an hour later."""
    for number in range(12):
        at_ms = START_MS + hour * HOUR_MS + number * 10 * MINUTE_MS
        bench.at(at_ms, "p", Quantity.TEMPERATURE, lowest_c)
    bench.at(START_MS + (hour + 3) * HOUR_MS, "p", Quantity.TEMPERATURE, 5.0)


@pytest.mark.parametrize(("lowest_c", "expected"), [(3.0, []), (-2.0, ["critical"])])
def test_thaw_watch(lowest_c, expected):
    """After a pipe was frozen, 200 L/h without a pause in a closed building are told within two hours; else only a use."""
    bench = Bench(meter("m"), pipe("p"))
    frozen(bench, 0, lowest_c)
    bench.run(3, lambda *_: 0.2, from_h=3)
    assert [one[2] for one in bench.told("water.thaw")] == expected


@pytest.mark.parametrize(
    ("leak_m3h", "days_before", "expected"),
    [(0.0, 0, []), (0.0, 4, []), (1.5, 0, ["warning"]), (1.5, 4, ["critical"]), (0.6, 4, ["critical"])],
)
def test_people_who_come_to_work_after_a_frost(leak_m3h, days_before, expected):
    """Their usual water is no burst, known or not; more than is usual, and does not pause, is; unknown, with a warning."""
    bench = Bench(meter("m"), pipe("p"))

    def flow(_, hour):
        return (0.3 if 8 <= hour % 24 < 18 else 0.0) + (leak_m3h if hour >= 24 * days_before + 8 else 0.0)

    bench.run(24 * days_before, flow)
    frozen(bench, 24 * days_before)
    bench.run(4, flow, from_h=24 * days_before + 8)
    assert [severity for _, _, severity in bench.told("water.thaw")][:1] == expected


def test_still_water_in_the_cold():
    """Four degrees, frost outside, and a meter that has not moved for six hours: a warning; a trickle ends it."""
    outdoor = Device(id="o", name="o", kind="climate", role="outdoor", place=PLACE)
    bench = Bench(meter("m"), pipe("p"), outdoor, calendar=False)

    def hours(first, last, flow_m3h):
        for number in range(first * 6, last * 6):
            at_ms = START_MS + number * 10 * MINUTE_MS
            bench.at(at_ms, "o", Quantity.TEMPERATURE, -8.0)
            bench.at(at_ms + 1000, "p", Quantity.TEMPERATURE, 3.5 + number % 2 / 10)
            bench.volumes["m"] += flow_m3h / 6
            bench.at(at_ms + 2000, "m", Quantity.WATER_VOLUME, round(bench.volumes["m"], 3))

    hours(0, 5, 0.0)
    assert bench.told("pipe.still_water") == []
    hours(5, 9, 0.0)
    assert [one[2] for one in bench.told("pipe.still_water")] == ["warning"]
    hours(9, 11, 0.03)
    assert bench.told("pipe.still_water")[-1][1] == "resolved"


def test_a_leak_detector_counts_at_once():
    """Wet is critical in the same second, dry for five minutes ends it."""
    detector = Device(id="d", name="d", kind="leak_detector", place=PLACE)
    bench = Bench(detector)
    for minute, wet in ((0, 0), (5, 1), (6, 0), (12, 0)):
        bench.at(START_MS + minute * MINUTE_MS, "d", Quantity.LEAK_DETECTED, wet)
    assert bench.told("water.detected") == [(0.1, "firing", "critical"), (0.2, "resolved", "critical")]
