"""The roster: whole days, shifts past midnight, gaps."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.clock import SHANGHAI, iso, parse_iso
from campus.folder import check_folder, load_campus
from campus.folder.moment import parse_moment

PEOPLE = "id,name\nsun,孙师傅\nzhou,周师傅\n"


@pytest.mark.parametrize(
    ("row", "start", "end"),
    [
        ("sun,2026-11-21 18:00,2026-11-22 08:00", "2026-11-21T18:00", "2026-11-22T08:00"),  # past midnight
        (
            "孙师傅,2026/11/21 8:00,2026/11/21 20:00",
            "2026-11-21T08:00",
            "2026-11-21T20:00",
        ),  # as Excel writes it
        (
            "sun,2026-11-21,2026-11-22",
            "2026-11-21T00:00",
            "2026-11-23T00:00",
        ),  # whole days, the last included
        ("sun,2026-11-21,2026-11-21", "2026-11-21T00:00", "2026-11-22T00:00"),  # one day
        ("sun,2026年11月21日,", "2026-11-21T00:00", "2026-11-22T00:00"),  # one day, without an end
        ("sun,2026-11-21 08:00,2026-11-22", "2026-11-21T08:00", "2026-11-22T00:00"),  # until midnight
        ("sun,2026-11-21 08:00,2026-11-21 24:00", "2026-11-21T08:00", "2026-11-22T00:00"),  # the same
    ],
)
def test_a_shift(write, row, start, end):
    """Times are the site's own; both ends as days mean whole days."""
    campus = load_campus(write(**{"people.csv": PEOPLE, "roster.csv": f"值班人,开始,结束\n{row}\n"}))
    (shift,) = campus.roster
    assert (iso(shift.from_ms, SHANGHAI)[:16], iso(shift.to_ms, SHANGHAI)[:16]) == (start, end)


def test_who_is_on_duty(write):
    """A shift past midnight holds until its end, not included; two shifts may overlap."""
    rows = "person,from,to\nsun,2026-11-21 18:00,2026-11-22 08:00\nzhou,2026-11-22 07:00,2026-11-22 18:00\n"
    campus = load_campus(write(**{"people.csv": PEOPLE, "roster.csv": rows}))
    for moment, expected in {
        "2026-11-21 17:59": [],
        "2026-11-22 02:00": ["sun"],
        "2026-11-22 07:30": ["sun", "zhou"],
        "2026-11-22 08:00": ["zhou"],
    }.items():
        assert [one.id for one in campus.on_duty(parse_iso(moment, SHANGHAI))] == expected


def test_a_gap_is_a_warning(write):
    """Time without anybody on duty is told at the row before it, with its length, and does not hinder loading."""
    rows = "person,from,to\nzhou,2026-11-22 12:00,2026-11-23 00:00\nsun,2026-11-21 08:00,2026-11-22 08:00\n"
    folder = write(**{"people.csv": PEOPLE, "roster.csv": rows})
    (warning,) = check_folder(folder)
    assert (warning.where(), warning.warning) == ("roster.csv:3:to", True)
    assert "2026-11-22 08:00 to 2026-11-22 12:00" in warning.found
    assert len(load_campus(folder).roster) == 2


def test_shifts_that_touch_or_cover_each_other_leave_no_gap(write):
    """A short shift within a long one does not end the long one."""
    rows = (
        "person,from,to\nsun,2026-11-21,2026-11-24\nzhou,2026-11-22,2026-11-22\nzhou,2026-11-25,2026-11-26\n"
    )
    assert check_folder(write(**{"people.csv": PEOPLE, "roster.csv": rows})) == []


@pytest.mark.parametrize(
    ("row", "key", "found"),
    [
        ("sum,2026-11-21,2026-11-22", "person", "sum"),
        ("sun,tomorrow,2026-11-22", "from", "tomorrow"),
        ("sun,2026-11-31,2026-12-02", "from", "2026-11-31"),
        ("sun,2026-11-21 18:00,", "to", "nothing"),
        ("sun,2026-11-21 25:00,2026-11-23", "from", "2026-11-21 25:00"),
        ("sun,2026-11-22,2026-11-21", "to", "2026-11-21"),
        ("sun,2026-11-22 08:00,2026-11-22 08:00", "to", "2026-11-22 08:00"),
    ],
)
def test_a_wrong_shift(write, row, key, found):
    """Each mistake has its row and column, and no gap is told on top of it."""
    rows = f"person,from,to\nsun,2026-01-01,2026-01-02\n{row}\n"
    (mistake,) = check_folder(write(**{"people.csv": PEOPLE, "roster.csv": rows}))
    assert (mistake.where(), mistake.found) == (f"roster.csv:3:{key}", found)


@given(
    st.datetimes(
        min_value=dt.datetime(1000, 1, 1),  # noqa: DTZ001 - local, as written; four-digit years
        allow_imaginary=False,
    ),
    st.sampled_from(["%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y年%m月%d日%H:%M", "%Y-%m-%dT%H:%M"]),
)
def test_moments_go_round(moment, form):
    """A time is read back from every way it is written."""
    minute = moment.replace(second=0, microsecond=0)
    assert parse_moment(minute.strftime(form)) == (minute, False)


@given(st.text(st.sampled_from("0123456789-/:年月日T Z+."), max_size=20))
def test_no_text_breaks_moments(text):
    """Whatever is written, the answer is a moment or a ValueError."""
    try:
        assert parse_moment(text).local.year > 0
    except ValueError as error:
        assert str(error)
