"""Any calendar: each moment of a day is open or closed exactly once, and *since when* agrees with that."""

import datetime as dt
import itertools
import zoneinfo

from hypothesis import given, settings
from hypothesis import strategies as st

from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.calendar.opening import Opening
from campus.clock import DAY_MS, MINUTE_MS, SHANGHAI, to_ms

FIRST = dt.date(2026, 9, 1)
DAYS = 60
BUILDING = "b"
KINDS = ("school_day", "term_weekend", "holiday", "vacation")
ZONES = [SHANGHAI, zoneinfo.ZoneInfo("Europe/Berlin")]  # the second sets its clocks back on 2026-10-25

TIMES = st.builds(lambda half: f"{half // 2:02}:{half % 2 * 30:02}", st.integers(0, 47))
WINDOWS = st.lists(st.builds("{}-{}".format, TIMES, TIMES), max_size=3)
SPANS = st.builds(
    lambda start, length: {
        "from": str(FIRST + dt.timedelta(start)),
        "to": str(FIRST + dt.timedelta(start + length)),
    },
    st.integers(0, DAYS),
    st.integers(0, 20),
)
OVERRIDES = st.one_of(
    st.builds(lambda span, day: span | {"day": day}, SPANS, st.sampled_from(KINDS)),
    st.builds(lambda span, hours: span | {"hours": hours}, SPANS, WINDOWS),
)
SETTINGS = st.fixed_dictionaries(
    {
        "terms": st.lists(SPANS, min_size=1, max_size=2),
        "holidays": st.lists(SPANS, max_size=2),
        "overrides": st.lists(OVERRIDES, max_size=3),
        "hours": st.fixed_dictionaries(
            {BUILDING: st.fixed_dictionaries({}, optional=dict.fromkeys(KINDS, WINDOWS))}
        ),
    }
)
CALENDARS = st.builds(
    lambda content, zone: (
        SchoolCalendar(CalendarSettings.model_validate(content), {BUILDING: "other"}, zone),
        zone,
    ),
    SETTINGS,
    st.sampled_from(ZONES),
)


def midnight_ms(day, zone):
    return to_ms(dt.datetime.combine(day, dt.time(), zone))


def local_ms(day, text, zone):
    hours, minutes = text.split(":")
    return to_ms(dt.datetime.combine(day, dt.time(int(hours), int(minutes)), zone))


def is_open(calendar, zone, time_ms):
    """By the windows alone: those of the day, and those of the day before that run past midnight."""
    day = dt.datetime.fromtimestamp(time_ms / 1000, zone).date()
    for start_day in (day, day - dt.timedelta(1)):
        for window in calendar.windows(BUILDING, start_day):
            opens, closes = window.split("-")
            last_day = start_day if closes > opens else start_day + dt.timedelta(1)
            if local_ms(start_day, opens, zone) <= time_ms < local_ms(last_day, closes, zone):
                return True
    return False


@settings(max_examples=100, deadline=None)
@given(CALENDARS, st.integers(0, DAYS))
def test_a_days_pieces_cover_each_moment_once(calendar_and_zone, number):
    """From midnight to midnight without hole or overlap; neighbours differ, so each edge is a door that moves."""
    calendar, zone = calendar_and_zone
    day = FIRST + dt.timedelta(number)
    pieces = calendar._pieces(BUILDING, day)
    assert pieces[0].start_ms == midnight_ms(day, zone)
    assert pieces[-1].end_ms == midnight_ms(day + dt.timedelta(1), zone)
    assert all(one.start_ms < one.end_ms for one in pieces)
    for one, following in itertools.pairwise(pieces):
        assert one.end_ms == following.start_ms
        assert one.state is not following.state


@settings(max_examples=100, deadline=None)
@given(CALENDARS, st.lists(st.integers(0, DAYS * DAY_MS), min_size=1, max_size=12))
def test_opening_is_what_the_windows_say(calendar_and_zone, offsets):
    """A building is open within its windows and at no other moment, past midnight and over a changed clock, too."""
    calendar, zone = calendar_and_zone
    for offset in offsets:
        time_ms = midnight_ms(FIRST, zone) + offset
        expected = Opening.OPEN if is_open(calendar, zone, time_ms) else Opening.CLOSED
        assert calendar.opening(BUILDING, time_ms) is expected


@settings(max_examples=60, deadline=None)
@given(CALENDARS, st.integers(0, DAYS * DAY_MS))
def test_since_when_is_the_last_change(calendar_and_zone, offset):
    """Since then nothing opened or closed, and the moment before was otherwise; asked again of that moment, it stays."""
    calendar, zone = calendar_and_zone
    time_ms = midnight_ms(FIRST, zone) + offset
    since_ms, state = calendar.changed_ms(BUILDING, time_ms), calendar.opening(BUILDING, time_ms)
    assert since_ms <= time_ms
    if since_ms == time_ms and calendar.opening(BUILDING, time_ms - 1) is state:
        assert calendar.opening(BUILDING, time_ms - 399 * DAY_MS) is state  # as far back as it looks
        return
    assert calendar.opening(BUILDING, since_ms - 1) is not state
    assert calendar.changed_ms(BUILDING, since_ms) == since_ms
    step_ms = max(30 * MINUTE_MS, (time_ms - since_ms) // 60 // (30 * MINUTE_MS) * 30 * MINUTE_MS)
    assert all(calendar.opening(BUILDING, at) is state for at in range(since_ms, time_ms + 1, step_ms))
