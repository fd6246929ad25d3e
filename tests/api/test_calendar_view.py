"""Windows and months as the page of the calendar shows them."""

import datetime as dt

import pytest

from api.calendar_view import weeks, windows_text
from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.clock import SHANGHAI
from campus.text import marked, translator


@pytest.mark.parametrize(
    ("windows", "text"),
    [
        ((), "不开放"),
        (("00:00-24:00",), "全天开放"),
        (("06:30-24:00",), "06:30–24:00"),
        (("06:30-12:00", "14:00-22:00"), "06:30–12:00、14:00–22:00"),
        (("22:00-02:00",), "22:00–次日 02:00"),
        (("07:00-07:00",), "07:00–次日 07:00"),
    ],
)
def test_windows_in_words(windows, text):
    """A whole day, none, and an end on the next day are said."""
    assert windows_text(windows, marked) == text


@pytest.mark.parametrize(("language", "label"), [("zh_CN", "国庆节"), ("en", "National Day")])
def test_a_month_begins_on_monday(language, label):
    """Weeks are whole, holidays are named in the reader's language, and ordinary days have no label."""
    settings = CalendarSettings.model_validate({"terms": [{"from": "2026-09-01", "to": "2027-01-22"}]})
    shown = weeks(SchoolCalendar(settings, {}, SHANGHAI), dt.date(2026, 10, 20), translator(language))
    assert [week[0].date.weekday() for week in shown] == [0] * 5
    cells = {one.date.isoformat(): one for week in shown for one in week}
    assert (cells["2026-10-01"].label, cells["2026-10-01"].type) == (label, "holiday")
    assert (cells["2026-10-20"].label, cells["2026-10-20"].in_month) == ("", True)
    assert cells["2026-09-28"].in_month is False
