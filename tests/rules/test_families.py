"""Each rule on sequences of values: what fires, when, and what it says."""

import pytest

from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.campus import Campus
from campus.clock import SHANGHAI
from campus.quantity import Quantity
from campus.reading import Quality

COLD = "cold.above_limit"


@pytest.mark.parametrize(
    ("device", "values", "expected"),
    [
        # (minute, °C) …; a freezer: warning above -15 for 60 min, critical above -12 for 45
        ("freezer", [(0, -20), (10, -18), (200, -20)], []),  # always fine
        ("freezer", [(m, -15.0) for m in range(0, 120, 10)], []),  # exactly at the limit is not above it
        ("freezer", [(m, -14.0) for m in range(0, 71, 10)], [(60, "firing", "warning")]),  # above for an hour
        ("freezer", [(0, -9), (20, -9), (40, -9), (41, -19), (90, -20)], []),  # a defrost of 40 minutes
        (
            "freezer",
            [(m, -9.0) for m in range(0, 61, 5)],
            [(45, "firing", "critical")],
        ),  # above the critical limit
        # within the dead-band it stays, below it resolves after ten minutes
        (
            "freezer",
            [(m, -14.0) for m in range(0, 61, 10)] + [(70, -15.5), (90, -15.5)],
            [(60, "firing", "warning")],
        ),
        (
            "freezer",
            [(m, -14.0) for m in range(0, 61, 10)] + [(70, -17), (75, -17), (80, -17)],
            [(60, "firing", "warning"), (80, "resolved", "warning")],
        ),
        # a warning that grows worse is told again
        (
            "freezer",
            [(m, -14.0) for m in range(0, 61, 10)] + [(m, -5.0) for m in range(70, 121, 10)],
            [(60, "firing", "warning"), (115, "firing", "critical")],
        ),
        ("fridge", [(m, 9.0) for m in range(0, 41, 10)], [(30, "firing", "warning")]),
        ("fridge", [(m, 14.0) for m in range(0, 31, 5)], [(10, "firing", "critical")]),
    ],
)
def test_cold_storage(feed, device, values, expected):
    """Two limits with their delays and a dead-band; a defrost passes."""
    for minute, value in values:
        feed.at(minute, device, value=value)
    assert feed.told(COLD) == expected


def test_unknown_never_resolves(feed):
    """A probe that fails while its cabinet is too warm leaves the alert where it is."""
    for minute in range(0, 51, 5):
        feed.at(minute, "freezer", value=-5)
    assert feed.told(COLD) == [(45, "firing", "critical")]
    for minute in range(55, 300, 5):
        feed.at(minute, "freezer", value=85.0, quality=Quality.SUSPECT)
    assert feed.told(COLD) == [(45, "firing", "critical")]
    for minute in range(300, 331, 5):
        feed.at(minute, "freezer", value=-20)
    assert feed.told(COLD)[-1][1] == "resolved"


def test_a_gap_starts_the_delay_again(make_feed, site, devices):
    """What was not seen does not count: after hours of silence the delay runs anew."""
    devices[0] = devices[0].model_copy(update={"interval_s": 300})
    feed = make_feed(on=Campus(site=site, devices=devices))
    feed.at(0, "freezer", value=-5)
    for minute in range(400, 451, 5):
        feed.at(minute, "freezer", value=-5)
    assert feed.told(COLD) == [(445, "firing", "critical")]


def test_late_readings_are_no_emergency(feed):
    """Readings marked late are told as history, those older than what came before not at all."""
    for minute in range(0, 200, 5):
        feed.at(minute, "freezer", value=-5, quality=Quality.LATE)
    assert feed.told(COLD) == [(45, "firing", "critical")]
    assert all(one.historical for one in feed.transitions if one.rule == COLD)
    feed.transitions.clear()
    feed.at(300, "freezer", value=-20)
    feed.at(200, "freezer", value=-5)
    assert feed.told(COLD) == []


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        # (minute, m3) of a register that wraps at 1000; a burst is more than 6 m3/h for five minutes
        ([(m, 10 + 0.05 * m) for m in range(30)], []),  # 3 m3/h
        ([(m, 10 + 0.2 * m) for m in range(10)], [(6, "firing", "critical")]),  # 12 m3/h
        (
            [(0, 10), (1, 10.2), (2, 10.4), (3, 10.41)] + [(m, 10.42) for m in range(4, 30)],
            [],
        ),  # three minutes only
        ([(0, 999.9), (1, 0.02), (2, 0.05), (3, 0.06), (10, 0.07)], []),  # rolls over
        ([(0, 500)] + [(m, 0.01 * m) for m in range(1, 20)], []),  # the meter was replaced
        ([(0, 10), (1, 9.997), (2, 10.0), (9, 10.01)], []),  # jitters back
        ([(0, 10), (1, 900), (2, 900.01), (3, 900.02), (9, 900.03)], []),  # an impossible jump, then real
    ],
)
def test_water_burst(feed, volumes, expected):
    """High flow for minutes fires; registers that wrap, reset, jitter or jump do not."""
    for minute, volume in volumes:
        feed.at(minute, "meter", Quantity.WATER_VOLUME, volume)
    assert feed.told("water.burst") == expected


def test_a_burst_says_what_it_costs(feed):
    """The evidence holds flow, limit, loss a day and money."""
    for minute in range(10):
        feed.at(minute, "meter", Quantity.WATER_FLOW, 12)
    facts = next(
        one for one in feed.transitions if one.rule == "water.burst" and one.to_state.value == "firing"
    ).evidence.facts
    assert facts == {"flow_m3h": 12.0, "limit_m3h": 6.0, "loss_m3_day": 288.0, "cost_yuan_day": 1152.0}


def test_water_that_never_rests(feed):
    """A drip of 10 L/h under people's use is found after a day, by the smallest hour, and one dry hour ends it."""
    volume = 0.0
    for minute in range(0, 26 * 60, 10):
        volume += 0.010 / 6 + (0.05 if minute % 240 < 60 else 0)
        feed.at(minute, "meter", Quantity.WATER_VOLUME, round(volume, 3))
    assert [(state, severity) for _, state, severity in feed.told("water.never_zero")] == [
        ("firing", "warning")
    ]
    assert 24 * 60 <= feed.told("water.never_zero")[0][0] <= 25.5 * 60
    for minute in range(26 * 60, 28 * 60, 10):
        feed.at(minute, "meter", Quantity.WATER_VOLUME, round(volume, 3))
    assert feed.told("water.never_zero")[-1][1] == "resolved"


def test_water_that_rests_is_silent(feed):
    """A building that uses nothing for an hour a night is not told of, whatever its days."""
    volume = 0.0
    for minute in range(0, 5 * 24 * 60, 10):
        volume += 0 if 120 <= minute % 1440 < 240 else 0.02
        feed.at(minute, "meter", Quantity.WATER_VOLUME, round(volume, 3))
    assert feed.told("water.never_zero") == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([(m, 12) for m in range(0, 60, 5)], []),
        ([(m, 4.0) for m in range(0, 31, 5)], [(15, "firing", "warning")]),  # at the limit is cold enough
        ([(m, 1.5) for m in range(0, 31, 5)], [(10, "firing", "critical")]),
        ([(m, 4.9) for m in range(0, 31, 5)], []),
        # held by hysteresis at 4.9, over at 5.1
        (
            [(m, 3.9) for m in range(0, 16, 5)] + [(m, 4.9) for m in range(20, 60, 5)],
            [(15, "firing", "warning")],
        ),
        (
            [(m, 3.9) for m in range(0, 16, 5)] + [(m, 10.5) for m in range(20, 60, 5)],
            [(15, "firing", "warning"), (35, "resolved", "warning")],
        ),
    ],
)
def test_pipe_levels(feed, values, expected):
    """The levels of DOMAIN 2.4 with their delays, and a kelvin of hysteresis."""
    for minute, value in values:
        feed.at(minute, "pipe", value=value)
    assert [one for one in feed.told("pipe.cold") if one[2] != "notice"] == expected


def test_recalescence_is_not_recovery(feed):
    """A rise from -4 °C to 0 °C means ice is forming: the alert stays, and its advice is that of a frozen pipe."""
    for minute, value in [
        (0, 3),
        (5, 1),
        (10, -1),
        (15, -3),
        (20, -4),
        (25, -0.3),
        (30, 0),
        (60, 0.1),
        (120, 0.2),
    ]:
        feed.at(minute, "pipe", value=value)
    states = feed.told("pipe.cold")
    assert ("resolved" in {state for _, state, _ in states}) is False
    assert [one for one in feed.transitions if one.rule == "pipe.cold"][-1].severity.value == "critical"


def test_time_to_freeze_is_foretold(feed):
    """A pipe falling from 7 °C towards -10 °C outside is critical hours before it is cold, with the minutes left."""
    import math

    tau_h = 4.0
    for minute in range(0, 121, 5):
        feed.at(minute, "outdoor", value=-10)
        feed.at(minute + 1, "pipe", value=round(-10 + 17 * math.exp(-(minute + 1) / 60 / tau_h), 2))
    fired = [one for one in feed.transitions if one.rule == "pipe.cold" and one.to_state.value == "firing"]
    assert fired[0].severity.value in {"warning", "critical"}
    assert fired[0].evidence.facts["temperature_c"] > 4
    foretold = fired[0].evidence.facts["minutes_to_0c"]
    really = tau_h * 60 * math.log((fired[0].evidence.facts["temperature_c"] + 10) / 10)
    assert foretold == pytest.approx(really, rel=0.1)


@pytest.fixture
def term_campus(site, devices):
    settings = CalendarSettings.model_validate({"terms": [{"from": "2026-09-01", "to": "2027-01-22"}]})
    hours = SchoolCalendar(settings, {"canteen": "canteen", "t1": "teaching"}, SHANGHAI)
    return Campus(site=site, devices=devices, hours=hours)


LIMIT = {"devices": {"circuit": {"electricity.left_on": {"closed_limit_kw": 1.0}}}}


def test_left_on_after_hours(make_feed, term_campus):
    """Above the closed limit for half an hour on a Saturday fires, and switching off resolves."""
    feed = make_feed(LIMIT, term_campus)  # the feed starts on a Saturday at noon
    for minute in range(0, 61, 5):
        feed.at(minute, "circuit", Quantity.ACTIVE_POWER, 3.0)
    for minute in range(65, 91, 5):
        feed.at(minute, "circuit", Quantity.ACTIVE_POWER, 0.2)
    assert feed.told("electricity.left_on") == [(30, "firing", "warning"), (75, "resolved", "warning")]
    assert feed.transitions[-1].evidence.facts["limit_kw"] == 1.0


@pytest.mark.parametrize(
    ("sunday_kw", "told"),
    [(3.0, ["firing", "resolved"]), (4.5, ["firing", "resolved", "firing", "resolved"])],
)
def test_what_comes_each_night_of_a_weekend_is_told_once(make_feed, term_campus, sunday_kw, told):
    """The same load again on the next closed night says nothing new; a greater one does."""
    feed = make_feed(LIMIT, term_campus)
    for minute in range(0, 44 * 60, 10):  # until Monday at eight
        night, hour = divmod(minute // 60, 24)
        power_kw = (3.0, sunday_kw)[night] if 8 <= hour < 14 else 0.2  # from 20 to 2 o'clock
        feed.at(minute, "circuit", Quantity.ACTIVE_POWER, power_kw)
    assert [state for _, state, _ in feed.told("electricity.left_on")] == told


def test_the_next_weekend_is_told_again(make_feed, term_campus):
    """Once the building was used in between, the same load is waste anew."""
    feed = make_feed(LIMIT, term_campus)
    for minute in range(0, 9 * 24 * 60, 10):
        day, hour = divmod(12 + minute // 60, 24)
        lessons = 8 <= hour < 18 and day % 7 not in {0, 1}
        power_kw = 3.0 if day % 7 == 0 and hour >= 20 else 0.2
        feed.at(minute, "circuit", Quantity.ACTIVE_POWER, 8.0 if lessons else power_kw)
    assert [
        minute // 60 // 24 for minute, state, _ in feed.told("electricity.left_on") if state == "firing"
    ] == [0, 7]


def test_nothing_is_left_on_during_lessons(make_feed, term_campus):
    """On a school day the same power is what it should be."""
    feed = make_feed(LIMIT, term_campus)
    for minute in range(46 * 60, 52 * 60, 10):  # Monday from 10 to 16 o'clock
        feed.at(minute, "circuit", Quantity.ACTIVE_POWER, 9.0)
    assert feed.told("electricity.left_on") == []


def test_without_a_calendar_nothing_is_said(make_feed):
    """Where nobody knows when it is closed, the rule says unknown, not ok and not alarm."""
    feed = make_feed(LIMIT)
    for minute in range(0, 300, 5):
        feed.at(minute, "circuit", Quantity.ACTIVE_POWER, 9.0)
    assert feed.told("electricity.left_on") == []
    assert ("electricity.left_on", "circuit") in {
        (one.rule, one.subject) for one in feed.engine.status() if one.unknown
    }


def test_a_closed_baseline_is_learned(make_feed, term_campus):
    """After a week of nights at 0.4 kW, 3 kW on a weekend is waste; before, the rule is still learning."""
    feed = make_feed(None, term_campus)
    for minute in range(0, 9 * 24 * 60, 10):
        hours = 12 + minute // 60  # since Saturday's midnight
        lessons = 8 <= hours % 24 < 21 and hours // 24 % 7 not in {0, 1}
        feed.at(minute, "circuit", Quantity.ACTIVE_POWER, 8.0 if lessons else 0.4)
    assert feed.told("electricity.left_on") == []
    later = 9 * 24 * 60
    for minute in range(later + 11 * 60, later + 14 * 60, 10):
        feed.at(minute, "circuit", Quantity.ACTIVE_POWER, 3.0)
    assert [state for _, state, _ in feed.told("electricity.left_on")] == ["firing"]


def test_silence_is_told_and_ends_with_a_word(feed):
    """A sensor heard every ten minutes is silent after an hour; one word resolves it."""
    for minute in range(0, 61, 10):
        feed.at(minute, "outdoor", value=5)
    feed.at(119)
    assert [one for one in feed.transitions if one.rule == "sensor.silent" and one.subject == "outdoor"] == []
    feed.at(125)
    silent = [
        one
        for one in feed.transitions
        if one.rule == "sensor.silent" and one.subject == "outdoor" and one.to_state.value == "firing"
    ]
    assert [(one.time_ms - feed.transitions[0].time_ms) >= 0 for one in silent] == [True]
    assert silent[0].evidence.facts["silent_minutes"] == 60
    feed.at(130, "outdoor", value=5)
    assert feed.transitions[-1].to_state.value == "resolved"


def test_a_device_never_heard_is_told(feed):
    """A registered device that never speaks is told of, too."""
    feed.at(0)
    feed.at(61)
    never = [
        one for one in feed.transitions if one.rule == "sensor.silent" and one.to_state.value == "firing"
    ]
    assert {one.subject for one in never} == {"freezer", "fridge", "meter", "circuit", "pipe", "outdoor"}
    assert all(one.evidence.facts["never_heard"] == 1 for one in never)
