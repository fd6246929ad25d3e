"""Water that runs when it should not: each rule on sequences of volumes; what fires, when, and with which numbers."""

import pytest
from water_support import DAY_MS, MINUTE_MS, START_MS, Bench, meter, school_day

from campus.quantity import Quantity


@pytest.mark.parametrize(
    ("leak_m3h", "closed", "expected"),
    [
        (0.0, True, []),
        (0.03, True, []),  # half a litre a minute is below the limit of one
        (0.2, True, ["firing"]),
        (0.2, False, []),  # without a calendar nobody knows whether it is closed
    ],
)
def test_water_that_runs_while_closed(leak_m3h, closed, expected):
    """A tap left open at a weekend is told within about an hour, and ends when it is shut and the building closed."""
    bench = Bench(meter("m"), calendar=closed)
    bench.run(5 * 24, lambda _, hour: school_day(hour))
    bench.run(24, lambda _, hour: leak_m3h if hour >= 122 else 0.0, from_h=120)
    told = bench.told("water.running_closed")
    assert [state for _, state, _ in told] == expected
    if expected:
        assert told[0][2] == "critical"
        assert 122.5 <= told[0][0] <= 123.6
        facts = bench.facts("water.running_closed")
        assert facts["loss_m3_day"] == pytest.approx(4.8, rel=0.1)
        assert facts["cost_yuan_day"] == pytest.approx(19.2, rel=0.1)
        bench.run(24, lambda *_: 0.0, from_h=144)
        assert [state for _, state, _ in bench.told("water.running_closed")] == ["firing", "resolved"]


@pytest.mark.parametrize(("use", "expected"), [("teaching", ["firing"]), ("canteen", [])])
def test_a_kitchen_may_draw_more(use, expected):
    """Basins filled side by side for a quarter of an hour at 6.5 m3/h are a kitchen's noon, and a burst elsewhere."""
    bench = Bench(meter("m", interval_s=300), use=use)
    bench.run(2, lambda _, hour: 6.5 if 1 <= hour < 1.3 else 2.0, minutes=5)
    assert [state for _, state, _ in bench.told("water.burst")][:1] == expected
    bench.run(1, lambda *_: 12.0, from_h=2, minutes=5)
    assert bench.told("water.burst")[-1][1:] == ("firing", "critical")


def test_a_busy_evening_is_no_burst():
    """Showers bring 6.5 m3/h for a minute and 4 between: no five minutes stay above the limit, and none is told."""
    bench = Bench(meter("m", interval_s=60), use="dormitory")
    bench.run(1, lambda _, hour: 6.5 if round(hour * 60) % 4 == 0 else 4.0, minutes=1)
    assert bench.told("water.burst") == []
    bench.run(0.5, lambda _, hour: 9.0 + round(hour * 60) % 3, from_h=1, minutes=1)
    ((hour, state, severity),) = bench.told("water.burst")
    assert (state, severity) == ("firing", "critical")
    assert hour <= 1.2
    facts = bench.facts("water.burst")
    assert facts["flow_m3h"] > facts["limit_m3h"]


def sprinklers(_, hour):
    """A school day's use, and irrigation by a timer from 5:00 to 5:40 each day."""
    return 2.0 if 5 <= hour % 24 < 5 + 40 / 60 else school_day(hour)


@pytest.mark.parametrize("minutes", [10, 15])
def test_a_timer_is_learned_where_nobody_is(minutes):
    """Irrigation at the same time each day is told three times, and then no more, also not after a winter's rest."""
    bench = Bench(meter("m", interval_s=60 * minutes))
    bench.run(10 * 24, sprinklers, minutes=minutes)
    fired = [hour for hour, state, _ in bench.told("water.running_closed") if state == "firing"]
    assert [hour // 24 for hour in fired] == [0, 1, 2]
    bench.run(30 * 24, lambda _, hour: school_day(hour), from_h=10 * 24, minutes=60)
    bench.run(24, sprinklers, from_h=40 * 24, minutes=minutes)
    assert len(bench.told("water.running_closed")) == 6


def test_lost_readings_make_no_timer_another():
    """A span that is longer for a lost message, or lies elsewhere about the run, shows another flow but the same water."""
    bench = Bench(meter("m", interval_s=900))
    volume_m3 = 100.0
    for number in range(14 * 96):
        lost = number % 7 == 3 or number % 96 == number // 96 + 14
        volume_m3 += sprinklers("m", number / 4) / 4
        if not lost:
            bench.at(START_MS + number * 15 * MINUTE_MS, "m", Quantity.WATER_VOLUME, round(volume_m3, 3))
    fired = [hour for hour, state, _ in bench.told("water.running_closed") if state == "firing"]
    assert [hour // 24 for hour in fired] == [0, 1, 2]


@pytest.mark.parametrize(
    "leak",
    [
        lambda hour: 2.0 if hour % 24 >= 5 else 0.0,  # the timer's valve does not close
        lambda hour: 8.0 if 5 <= hour % 24 < 6.1 else 0.0,  # a sprinkler's head has broken off
        lambda hour: 2.0 if 2 <= hour % 24 < 3.1 else 0.0,  # another time of the day
    ],
)
def test_a_leak_at_the_hour_of_a_timer_is_told(leak):
    """What runs stronger or at another time than the timer did is told as ever, what runs on two hours after its end."""
    bench = Bench(meter("m"))
    bench.run(5 * 24, sprinklers)
    before = len(bench.told("water.running_closed"))
    bench.run(24, lambda _, hour: leak(hour), from_h=120)
    first = bench.told("water.running_closed")[before]
    assert first[1] == "firing"
    begins = next(hour for hour in range(120, 144) if leak(hour + 0.1))
    assert begins <= first[0] <= begins + 2.6


@pytest.mark.parametrize("interval_s", [0, 60, 900, 3600])
def test_a_meter_that_rests_again_is_well(interval_s):
    """However often it is read, the first hour without use ends what a day without one had begun, and a new leak is new."""
    bench = Bench(meter("m", interval_s=interval_s))
    minutes = round((interval_s or 600) / 60)
    bench.run(
        9 * 24, lambda _, hour: 0.1 if hour // 24 in {2, 3, 6, 7} else school_day(hour), minutes=minutes
    )
    told = [(state, int(hour // 24)) for hour, state, _ in bench.told("water.never_zero")]
    assert told == [("firing", 2), ("resolved", 4), ("firing", 6), ("resolved", 8)]


@pytest.mark.parametrize(("least_m3h", "expected"), [(0.004, []), (0.03, ["firing"])])
def test_somebody_is_always_up_in_a_full_house(least_m3h, expected):
    """Where a cubic metre an hour is usual by day, a few litres in the quietest hour are hands washed, thirty a leak."""
    bench = Bench(meter("m"))
    bench.run(9 * 24, lambda _, hour: 1.0 if 6 <= hour % 24 < 23 else 0.0 if hour < 120 else least_m3h)
    assert [state for _, state, _ in bench.told("water.never_zero")] == expected


def test_a_bucket_in_a_closed_building_is_no_leak():
    """Forty litres drawn once by the guard are not water that runs."""
    bench = Bench(meter("m"))
    bench.run(48, lambda _, hour: 0.24 if 24 + 23 <= hour < 24 + 23.17 else 0.0, from_h=120)
    assert bench.told("water.running_closed") == []


@pytest.mark.parametrize(
    ("excess_m3h", "severity", "nights"),
    [(0.01, None, 0), (0.06, "warning", 2), (0.5, "critical", 1)],
)
def test_more_water_at_night_than_usual(excess_m3h, severity, nights):
    """A night's flow of 30 L/h is learned; more than the limit is told after two nights, very much after one."""
    bench = Bench(meter("m"))

    def flow(_, hour):
        return 0.03 + school_day(hour) + (excess_m3h if hour >= 10 * 24 else 0.0)

    bench.run(14 * 24, flow)
    told = bench.told("water.night_excess")
    if severity is None:
        assert told == []
    else:
        assert told[0][2] == severity
        day, hour = divmod(told[0][0], 24)
        assert (day, 5 <= hour <= 8) == (10 + nights - 1, True)
        assert bench.facts("water.night_excess")["excess_m3h"] == pytest.approx(excess_m3h, rel=0.1)


def test_the_least_hour_of_a_night_lies_anywhere():
    """Half an hour's use in each clock hour leaves no hour at rest by the clock; between them there is one, and no leak."""
    bench = Bench(meter("m", interval_s=1800))

    def flow(_, hour):
        used = hour >= 240 and hour % 2 >= 1
        return school_day(hour) + (0.1 if used and hour % 24 < 6 else 0.0)

    bench.run(14 * 24, flow, minutes=30)
    assert bench.told("water.night_excess") == []


def _night_m3h(day):
    """A full dormitory's nights: most take nearly nothing, one in five forty litres in its quietest hour."""
    return 0.04 if day % 5 == 0 else 0.004


@pytest.mark.parametrize(
    ("night_m3h", "first_day"),
    [
        (lambda day: _night_m3h(day) if day != 36 else 0.045, None),  # two such nights in a row
        (lambda day: _night_m3h(day) + (0.1 if day >= 36 else 0.0), 37),
        (lambda day: 0.1 if day in {20, 38, 39} else 0.004, 39),  # one night of before hides no leak of now
    ],
)
def test_nights_that_differ_are_known_by_their_tail(night_m3h, first_day):
    """A lone night above the limit is learned, so that the like of it does not cry wolf; what is beyond is told as ever."""
    bench = Bench(meter("m"))
    bench.run(41 * 24, lambda _, hour: night_m3h(int(hour // 24)) + school_day(hour))
    told = [(int(hour // 24), state) for hour, state, _ in bench.told("water.night_excess")]
    assert told[:1] == ([] if first_day is None else [(first_day, "firing")])


def test_two_clean_nights_end_a_small_excess():
    """A single quiet night is not the end; two are."""
    bench = Bench(meter("m"))
    bench.run(16 * 24, lambda _, hour: 0.03 + (0.06 if 10 * 24 <= hour < 13 * 24 else 0.0))
    told = bench.told("water.night_excess")
    assert [state for _, state, _ in told] == ["firing", "resolved"]
    assert told[1][0] // 24 == 14


def test_a_leak_that_runs_is_never_the_usual():
    """A leak that was told and then runs a little less is told for weeks, until it is mended."""
    bench = Bench(meter("m"))

    def flow(_, hour):
        leak_m3h = 0.05 if 240 <= hour < 288 else 0.016 if 288 <= hour < 960 else 0.0
        return 0.004 + leak_m3h + school_day(hour)

    bench.run(40 * 24, flow)
    assert [state for _, state, _ in bench.told("water.night_excess")] == ["firing"]
    bench.run(4 * 24, flow, from_h=40 * 24)
    assert [state for _, state, _ in bench.told("water.night_excess")] == ["firing", "resolved"]


def test_a_coarse_meter_says_what_it_cannot_show():
    """With 100 L a pulse a night of 20 L/h cannot be told from none, and the evidence names the resolution."""
    bench = Bench(meter("m", pulse_weight=0.1))
    bench.run(12 * 24, lambda _, hour: 0.02 if hour >= 9 * 24 else 0.0, step=0.1)
    assert bench.told("water.night_excess") == []
    bench.run(4 * 24, lambda *_: 0.5, from_h=12 * 24, step=0.1)
    assert bench.facts("water.night_excess")["resolution_m3h"] >= 0.035


def test_a_small_rise_is_told_with_the_day_it_began():
    """Four litres an hour more, day after day, under a use that rests at 2 L/h: found within a week, with its first day."""
    bench = Bench(meter("m"), calendar=False)
    bench.run(
        26 * 24,
        lambda _, hour: 0.002 + (0.3 if 7 <= hour % 24 < 20 else 0) + (0.006 if hour >= 17 * 24 else 0),
    )
    fired = [one for one in bench.transitions if one.rule == "water.rise" and one.to_state.value == "firing"]
    assert fired
    assert fired[0].time_ms <= START_MS + 23 * DAY_MS
    assert abs(fired[0].evidence.since_ms - (START_MS + 17 * DAY_MS)) <= DAY_MS
    assert fired[0].evidence.facts["rise_m3h"] == pytest.approx(0.006, abs=0.002)


def _days(*parts):
    """The smallest hour of each day, in m3/h: (days, values that take turns) one part after another."""
    return [values[day % len(values)] for days, values in parts for day in range(days)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # a leak of 8 L/h for ten days, repaired: over with the second clean day, and another a week later is told again
        (_days((17, [0.002]), (10, [0.010]), (7, [0.002]), (10, [0.010])), [("firing", 27), ("firing", 44)]),
        # a full dormitory: one day in four takes five times the least, and that is how it always was
        (_days((60, [0.002, 0.003, 0.002, 0.012, 0.001, 0.004])), []),
        # days that came near the limit by chance are learned, once the sum has come back to nothing
        (_days((16, [0.002, 0.003]), *[(3, [0.005]), (6, [0.001, 0.002])] * 4), []),
    ],
)
def test_a_rise_ends_with_the_leak(days, expected):
    """Found within six days, resolved two days after its end, and never of what comes and goes by chance."""
    bench = Bench(meter("m"), calendar=False)
    bench.run(24 * len(days), lambda _, hour: days[int(hour // 24)] + (0.3 if 7 <= hour % 24 < 20 else 0))
    told = [(int(hour // 24), state) for hour, state, _ in bench.told("water.rise")]
    fired = [day for day, state in told if state == "firing"]
    ends = [end for _, end in expected]
    assert len(fired) == len(ends)
    assert all(end - 10 < day <= end - 4 for day, end in zip(fired, ends, strict=True))
    assert [day for day, state in told if state == "resolved"] == [
        one + 2 for one in ends if one + 2 < len(days)
    ]
