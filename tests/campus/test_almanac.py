"""The calendar day by day, with reasons, and the days a change makes others."""

import datetime as dt

import pytest

from campus.calendar.almanac import almanac_day, almanac_days, differences
from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.calendar.school_day import Why
from campus.clock import SHANGHAI

TERM = {"from": "2026-09-01", "to": "2027-01-22"}
BODY = {
    "terms": [TERM],
    "school_days": ["2026-11-28"],
    "exam_weeks": [{"name": "期末考试", "from": "2026-12-31", "to": "2027-01-04"}],
    "overrides": [
        {"name": "开放日", "from": "2026-11-29", "to": "2026-11-29", "hours": ["09:00-12:00"], "buildings": ["t1"]},
        {"name": "运动会", "from": "2026-11-30", "to": "2026-11-30", "day": "holiday"},
    ],
}  # fmt: skip


def calendar_of(**changes):
    return SchoolCalendar(
        CalendarSettings.model_validate(BODY | changes), {"t1": "teaching", "dorm": "dormitory"}, SHANGHAI
    )


@pytest.mark.parametrize(
    ("day", "why", "name", "known"),
    [
        ("2026-11-27", Why.TERM, "", True),
        ("2026-11-28", Why.OWN_SCHOOL_DAY, "", True),
        ("2026-11-29", Why.WEEKEND, "", True),  # open for one building only
        ("2026-11-30", Why.OVERRIDE, "运动会", True),
        ("2026-12-31", Why.EXAM, "期末考试", True),
        ("2027-01-02", Why.WEEKEND, "", False),  # an exam week changes school days only
        ("2027-01-04", Why.EXAM, "期末考试", False),
        ("2026-10-01", Why.NATIONAL_HOLIDAY, "国庆节", True),
        ("2026-10-10", Why.MAKE_UP, "国庆节", True),
        ("2027-02-01", Why.VACATION, "", False),
    ],
)
def test_why_a_day_is_what_it_is(day, why, name, known):
    """The strongest reason is told, and whether the year's public holidays are known."""
    found = almanac_day(calendar_of(), dt.date.fromisoformat(day))
    assert (found.day.why, found.day.name, found.known) == (why, name, known)


def test_a_building_has_its_own_reason():
    """An exception for one building is its reason; the others keep theirs."""
    t1, dorm = almanac_day(calendar_of(), dt.date(2026, 11, 29)).buildings
    assert (t1.windows, t1.day.why, t1.day.name) == (("09:00-12:00",), Why.OVERRIDE, "开放日")
    assert (dorm.windows, dorm.day.why) == (("00:00-24:00",), Why.WEEKEND)


def test_differences_name_the_buildings():
    """A day school differs from a boarding school on its weekends, and only where people board."""
    found = list(differences(calendar_of(), calendar_of(boarding=False)))
    assert {one.buildings for one in found} == {("dorm",)}
    assert {one.date.weekday() for one in found} == {5, 6}


def test_a_first_term_changes_everything():
    """Between a calendar without terms and one with, every day of the term differs; two without do not differ."""
    nothing = calendar_of(terms=[])
    assert len(list(differences(nothing, calendar_of(school_days=[], exam_weeks=[], overrides=[])))) == 144
    assert list(differences(nothing, calendar_of(terms=[], school_days=[]))) == []
    assert list(almanac_days(nothing, dt.date(2026, 9, 1), dt.date(2026, 9, 2))) == []
