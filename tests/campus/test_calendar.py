"""Is it open? Terms, holidays, make-up days, exam weeks, exceptions, nights."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.calendar.calendar import CalendarSettings, DayType, SchoolCalendar
from campus.calendar.opening import Opening
from campus.clock import DAY_MS, SHANGHAI, from_ms, parse_iso

USES = {
    "t1": "teaching",
    "dorm": "dormitory",
    "canteen": "canteen",
    "boiler": "boiler_house",
    "night": "other",
    "never": "other",
    "lab": "teaching",
}
SETTINGS = {
    "terms": [
        {"from": "2025-09-01", "to": "2026-01-23"},
        {"from": "2026-03-02", "to": "2026-07-07"},
        {"from": "2027-03-01", "to": "2027-07-09"},
    ],
    "holidays": [{"from": "2025-11-03", "to": "2025-11-03"}],
    "school_days": ["2025-12-06", "2026-02-07"],
    "exam_weeks": [{"from": "2026-01-12", "to": "2026-01-18"}],
    "overrides": [
        {"from": "2026-01-24", "to": "2026-01-30", "hours": ["00:00-24:00"], "buildings": ["dorm"]},
        {"from": "2026-07-13", "to": "2026-07-17", "day": "school_day"},
        {"from": "2026-07-15", "to": "2026-07-15", "day": "holiday", "buildings": ["t1"]},
    ],
    "hours": {
        "night": {"school_day": ["22:00-02:00", "01:00-03:00"]},
        "never": {"school_day": []},
        "lab": {
            "school_day": ["08:00-17:00"],
            "fri": ["08:00-12:00"],
            "sat": ["09:00-11:00"],
            "exam": [],
            "vacation": ["10:00-11:00"],
        },
    },
}


def calendar_of(**changes):
    return SchoolCalendar(CalendarSettings.model_validate(SETTINGS | changes), USES, SHANGHAI)


@pytest.fixture
def calendar():
    return calendar_of()


def at(text):
    return parse_iso(text, SHANGHAI)


SHARED = calendar_of()


@pytest.mark.parametrize(
    ("building", "moment", "expected"),
    [
        ("t1", "2025-11-21 10:00", Opening.OPEN),  # a Friday in term
        ("t1", "2025-11-21 06:29", Opening.CLOSED),  # before the doors open
        ("t1", "2025-11-21 06:30", Opening.OPEN),  # the first minute counts
        ("t1", "2025-11-21 22:00", Opening.CLOSED),  # the last does not
        ("t1", "2025-11-22 10:00", Opening.CLOSED),  # Saturday
        ("dorm", "2025-11-22 03:00", Opening.OPEN),  # boarders stay
        ("t1", "2025-10-01 10:00", Opening.CLOSED),  # National Day
        ("boiler", "2026-01-01 10:00", Opening.OPEN),  # New Year's Day; heating goes on
        ("t1", "2025-09-28 10:00", Opening.OPEN),  # a make-up Sunday in term
        ("t1", "2025-11-03 10:00", Opening.CLOSED),  # the school's own holiday
        ("t1", "2025-12-06 10:00", Opening.OPEN),  # the school's own Saturday of lessons
        ("t1", "2026-02-07 10:00", Opening.CLOSED),  # such a day out of term is none
        ("t1", "2026-02-14 10:00", Opening.CLOSED),  # a make-up day within the winter break
        ("t1", "2026-02-28 10:00", Opening.CLOSED),  # another one, two days before term
        ("dorm", "2026-02-14 10:00", Opening.CLOSED),  # vacation
        ("boiler", "2026-02-14 10:00", Opening.OPEN),  # heating goes on
        ("night", "2025-11-21 23:00", Opening.OPEN),  # a window past midnight
        ("night", "2025-11-22 01:59", Opening.OPEN),  # still Friday's
        ("night", "2025-11-22 02:00", Opening.CLOSED),  # Saturday has no window of its own
        ("nowhere", "2025-11-21 10:00", Opening.UNKNOWN),  # not in site.yaml
        ("t1", "2027-03-03 10:00", Opening.OPEN),  # a year without known holidays: weekdays count
        ("t1", "2027-03-06 10:00", Opening.CLOSED),  # and its Saturdays do not
        ("dorm", "2026-01-28 10:00", Opening.OPEN),  # some stay for the first week of the break
        ("dorm", "2026-01-31 10:00", Opening.CLOSED),  # the week is over
        ("canteen", "2026-01-28 10:00", Opening.CLOSED),  # the exception names the dormitory only
        ("t1", "2026-07-14 10:00", Opening.OPEN),  # a summer school, in vacation
        ("t1", "2026-07-15 10:00", Opening.CLOSED),  # this building's own exception goes first
        ("canteen", "2026-07-15 10:00", Opening.OPEN),  # the others follow the one for all
        ("lab", "2025-11-20 13:00", Opening.OPEN),  # a Thursday
        ("lab", "2025-11-21 13:00", Opening.CLOSED),  # Fridays are short
        ("lab", "2025-11-22 10:00", Opening.OPEN),  # a club on Saturdays
        ("lab", "2025-10-11 15:00", Opening.OPEN),  # a make-up Saturday has a school day's hours
        ("lab", "2025-10-04 10:00", Opening.CLOSED),  # a Saturday within National Day's week is a holiday
        ("lab", "2026-01-13 10:00", Opening.CLOSED),  # no experiments in exam week
        ("lab", "2026-01-17 10:00", Opening.OPEN),  # its Saturday is an ordinary one
        ("lab", "2026-02-10 10:30", Opening.OPEN),  # an hour a day in vacation
    ],
)
def test_opening(calendar, building, moment, expected):
    """Exceptions beat terms, terms beat the national calendar, and windows are half open."""
    assert calendar.opening(building, at(moment)) is expected


def test_kinds_of_days_in_sequence(calendar):
    """The days around National Day 2025: make-up Sunday, school days, eight days off, make-up Saturday."""
    days = [calendar.day_type(dt.date(2025, 9, 27) + dt.timedelta(days=n)) for n in range(16)]
    school, weekend = DayType.SCHOOL_DAY, DayType.TERM_WEEKEND
    assert days == [weekend, school, school, school, *[DayType.HOLIDAY] * 8, school, school, school, weekend]


@pytest.mark.parametrize(
    ("building", "open_at_weekend"), [("dorm", False), ("canteen", False), ("boiler", True), ("t1", False)]
)
def test_a_day_school_is_empty_at_weekends(building, open_at_weekend):
    """Without boarders dormitory and canteen close at the weekend in term; heating does not."""
    state = calendar_of(boarding=False).opening(building, at("2025-11-22 10:00"))
    assert (state is Opening.OPEN) is open_at_weekend


def test_a_dormitory_open_in_vacation():
    """Hours for the vacation open a use of building all through it: here since the end of New Year's holidays."""
    hours = {"dormitory": {"vacation": ["00:00-24:00"], "school_day": ["00:00-24:00"]}}
    calendar = calendar_of(hours=hours, overrides=[])
    assert calendar.opening("dorm", at("2026-02-17 03:00")) is Opening.OPEN
    assert calendar.changed_ms("dorm", at("2026-02-17 03:00")) == at("2026-01-04 00:00")


@pytest.mark.parametrize(
    ("building", "moment", "since"),
    [
        ("t1", "2025-11-22 03:00", "2025-11-21 22:00"),  # the doors closed
        ("t1", "2026-02-14 10:00", "2026-01-23 22:00"),  # the term ended
        ("t1", "2025-11-21 10:00", "2025-11-21 06:30"),  # this morning
        ("t1", "2025-11-21 06:30", "2025-11-21 06:30"),  # just now
        ("night", "2025-11-22 01:00", "2025-11-21 22:00"),  # opened before midnight
        ("night", "2025-11-22 05:00", "2025-11-22 02:00"),  # Friday's late window was the last
        ("night", "2025-11-21 05:00", "2025-11-21 03:00"),  # two windows overlap; the later end counts
        ("dorm", "2025-12-30 10:00", "2025-11-04 00:00"),  # open day and night since the school's own holiday
        ("dorm", "2026-02-20 10:00", "2026-01-31 00:00"),  # some stayed a week longer
        ("never", "2025-11-21 10:00", "2025-11-21 10:00"),  # always closed: unknown since when
        ("boiler", "2025-11-21 10:00", "2025-11-21 10:00"),  # always open: unknown, too
        ("nowhere", "2025-11-21 10:00", "2025-11-21 10:00"),  # not in site.yaml
    ],
)
def test_since_when(calendar, building, moment, since):
    """The present state began when the doors last opened or closed, over midnights, weekends and breaks."""
    assert calendar.changed_ms(building, at(moment)) == at(since)


@given(st.sampled_from(sorted(USES)), st.integers(at("2025-10-01 00:00"), at("2026-12-31 00:00")))
def test_since_when_agrees_with_opening(building, time_ms):
    """Between the moment named and now the state is the same; just before that moment it was not."""
    calendar = SHARED
    since_ms = calendar.changed_ms(building, time_ms)
    state = calendar.opening(building, time_ms)
    assert since_ms <= time_ms
    for part in range(5):
        assert calendar.opening(building, since_ms + (time_ms - since_ms) * part // 4) is state
    if building not in {"never", "boiler"}:  # always closed, always open
        assert calendar.opening(building, since_ms - 1) is not state


def test_a_year_is_asked_quickly(calendar, monkeypatch):
    """The calendar of a day is worked out once, however many readings there are."""
    asked = []
    monkeypatch.setattr("campus.calendar.calendar.day_kind", asked.append)
    start_ms = at("2025-11-21 00:00")
    for minute in range(1440):
        calendar.changed_ms("t1", start_ms + minute * 60_000)
    assert 0 < len(asked) <= 6


def test_nothing_is_known_without_terms():
    """A calendar without terms does not guess."""
    calendar = SchoolCalendar(CalendarSettings(), USES, SHANGHAI)
    assert calendar.opening("t1", at("2025-11-21 10:00")) is Opening.UNKNOWN
    assert calendar.notices(lambda _: "there is no term yet") == ["there is no term yet"]


def test_unknown_years_are_said(calendar):
    """A year the library does not know is named, once, and in the language of the reader."""
    assert calendar.unknown_years([2026, 2027]) == [2027]
    (notice,) = calendar.notices()
    assert "2027" in notice
    (translated,) = calendar.notices(lambda _: "the holidays of {year} are not known")
    assert translated == "the holidays of 2027 are not known"


def test_exam_weeks(calendar):
    """An exam week holds its first and its last day."""
    days = [dt.date(2026, 1, 11) + dt.timedelta(days=n) for n in range(9)]
    assert [calendar.is_exam(day) for day in days] == [False, *[True] * 7, False]


def test_other_time_zones_keep_their_own_midnight():
    """The day is the site's own, also where its clocks change."""
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    settings = CalendarSettings.model_validate(
        {"terms": [{"from": "2026-03-01", "to": "2026-04-30"}], "hours": {"b": {"sun": ["01:00-04:00"]}}}
    )
    calendar = SchoolCalendar(settings, {"b": "teaching"}, berlin)
    opened, closed = parse_iso("2026-03-29T01:00+01:00"), parse_iso("2026-03-29T04:00+02:00")
    assert calendar.opening("b", closed - 1) is Opening.OPEN
    assert calendar.changed_ms("b", closed) == closed
    assert calendar.changed_ms("b", closed - 1) == opened
    assert from_ms(opened + DAY_MS, berlin).hour == 2


@pytest.mark.parametrize(
    "window", ["8-22", "08:00", "25:00-26:00", "08:60-09:00", "24:00-02:00", "06:30Z-22:00", ""]
)
def test_a_bad_window_is_refused(window):
    """A window that is none is refused when the calendar is read."""
    with pytest.raises(ValueError, match="window"):
        CalendarSettings.model_validate({"hours": {"t1": {"school_day": [window]}}})
