"""Is it open? Terms, holidays, make-up days, nights."""

import datetime as dt

import pytest

from campus.calendar import CalendarSettings, SchoolCalendar
from campus.clock import SHANGHAI, parse_iso
from campus.opening import Opening

USES = {
    "t1": "teaching",
    "dorm": "dormitory",
    "canteen": "canteen",
    "boiler": "boiler_house",
    "night": "other",
}
SETTINGS = CalendarSettings.model_validate(
    {
        "terms": [
            {"from": "2025-09-01", "to": "2026-01-23"},
            {"from": "2026-03-02", "to": "2026-07-07"},
            {"from": "2027-03-01", "to": "2027-07-09"},
        ],
        "holidays": [{"from": "2025-11-03", "to": "2025-11-03"}],
        "exam_weeks": [{"from": "2026-01-12", "to": "2026-01-16"}],
        "hours": {"night": {"school_day": ["22:00-02:00"]}},
    }
)


@pytest.fixture
def calendar():
    return SchoolCalendar(SETTINGS, USES, SHANGHAI)


def at(text):
    return parse_iso(text, SHANGHAI)


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
        ("t1", "2025-09-28 10:00", Opening.OPEN),  # a make-up Sunday in term
        ("t1", "2025-11-03 10:00", Opening.CLOSED),  # the school's own holiday
        ("t1", "2026-02-14 10:00", Opening.CLOSED),  # a make-up day within the winter break
        ("dorm", "2026-02-14 10:00", Opening.CLOSED),  # vacation
        ("boiler", "2026-02-14 10:00", Opening.OPEN),  # heating goes on
        ("night", "2025-11-21 23:00", Opening.OPEN),  # a window past midnight
        ("night", "2025-11-22 01:59", Opening.OPEN),  # still Friday's
        ("night", "2025-11-22 02:00", Opening.CLOSED),
        ("nowhere", "2025-11-21 10:00", Opening.UNKNOWN),  # not in site.yaml
        ("t1", "2027-03-03 10:00", Opening.OPEN),  # a year without known holidays: weekdays count
    ],
)
def test_opening(calendar, building, moment, expected):
    """Terms beat the national calendar, and windows are half open."""
    assert calendar.opening(building, at(moment)) is expected


def test_since_when(calendar):
    """The present state began when the doors closed, over weekends and breaks."""
    assert calendar.changed_ms("t1", at("2025-11-22 03:00")) == at("2025-11-21 22:00")
    assert calendar.changed_ms("t1", at("2026-02-14 10:00")) == at("2026-01-23 22:00")
    assert calendar.changed_ms("t1", at("2025-11-21 10:00")) == at("2025-11-21 06:30")


def test_unknown_years_are_said(calendar):
    """A year the library does not know is named."""
    assert calendar.unknown_years([2026, 2027]) == [2027]
    assert calendar.is_exam(dt.date(2026, 1, 13))


@pytest.mark.parametrize("window", ["8-22", "08:00", "25:00-26:00", ""])
def test_a_bad_window_is_refused(window):
    """A window that is none is refused when the calendar is read."""
    with pytest.raises(ValueError, match="window"):
        CalendarSettings.model_validate({"hours": {"t1": {"school_day": [window]}}})
