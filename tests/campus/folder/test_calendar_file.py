"""calendar.yaml is changed entry by entry: what changes is there, remarks and all else stay, a mistake changes nothing."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from campus.calendar.change import CalendarChange, plain
from campus.calendar.timetable import CalendarSettings
from campus.errors import FolderProblems
from campus.folder import load_campus
from campus.folder.editing.block import with_setting
from campus.folder.editing.calendar_file import preview_calendar, put_calendar
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check

EXAMPLE = Path(__file__).parents[3] / "examples" / "school"
SNOW = {"name": "大雪停课", "from": "2026-12-03", "to": "2026-12-04"}


@pytest.fixture
def school(tmp_path):
    return Path(shutil.copytree(EXAMPLE, tmp_path / "school"))


def put(folder, **change):
    return put_calendar(
        folder, CalendarChange.model_validate(change), decoders=decoder_names(), check_rules=check
    )


def text_of(folder):
    return (folder / "calendar.yaml").read_text(encoding="utf-8")


def test_a_holiday_comes_and_goes(school):
    """An added holiday is one new line behind the others; removed again, the file is as it was, to the byte."""
    before = text_of(school)
    put(school, add={"holidays": [SNOW]})
    after = text_of(school)
    new = "  - {name: 大雪停课, from: 2026-12-03, to: 2026-12-04}\n"
    assert after.replace(new, "") == before
    assert load_campus(school).hours.day_type(dt.date(2026, 12, 3)) == "holiday"
    put(school, remove={"holidays": [{"from": "2026-12-03"}]})
    assert text_of(school) == before


def test_school_days_and_exam_weeks(school):
    """A make-up Saturday is written into an empty list, an exam week into one with entries; every remark stays."""
    remarks = [line for line in text_of(school).splitlines() if "#" in line]
    put(
        school,
        add={
            "school_days": ["2026-11-28"],
            "exam_weeks": [{"name": "月考", "from": "2026-12-07", "to": "2026-12-08"}],
        },
    )
    hours = load_campus(school).hours
    assert hours.day_type(dt.date(2026, 11, 28)) == "school_day"
    assert hours.is_exam(dt.date(2026, 12, 8))
    assert set(remarks) <= set(text_of(school).splitlines())


def test_the_whole_settings(school):
    """All settings at once change only the lines that differ: boarding in its place, one building's hours, nothing else."""
    before = text_of(school).splitlines()
    body = plain(CalendarSettings.model_validate(yaml.safe_load(text_of(school))))
    body["boarding"] = False
    body["hours"]["canteen"] = {"school_day": ["22:00-02:00"]}
    body["hours"]["office"] = {"school_day": ["08:00-17:00"]}
    put(school, settings=body)
    after = text_of(school).splitlines()
    assert [line for line in after if line not in before] == [
        "boarding: false            # 寄宿制:学期内的周末宿舍和食堂照常开放;走读学校写 false",
        "  canteen: {school_day: ['22:00-02:00']}",
        "  office: {school_day: ['08:00-17:00']}",
    ]
    assert len(after) == len(before) + 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"add": {"holidays": [{"from": "2026-12-04", "to": "2026-12-03"}]}}, "lies before from"),
        ({"add": {"school_days": ["2026-02-30"]}}, "2026-02-30"),
        ({"add": {"overrides": [{"from": "2026-12-04", "to": "2026-12-04", "hours": [], "buildings": ["x"]}]}}, "x"),
        ({"remove": {"holidays": [{"from": "2020-01-01"}]}}, "an entry that is there"),
        ({"settings": {"terms": [], "colour": "blue"}}, "colour"),
        ({"settings": {"hours": {"teaching": {"school_day": ["25:00-26:00"]}}}}, "25:00"),
    ],
)  # fmt: skip
def test_a_mistake_changes_nothing(school, change, word):
    """What would be a mistake is told, for a preview as for a change, and the file stays as it was."""
    before = text_of(school)
    with pytest.raises(FolderProblems) as caught:
        put(school, **change)
    assert any(word in str(one) for one in caught.value.problems)
    with pytest.raises(FolderProblems):
        preview_calendar(
            school, CalendarChange.model_validate(change), decoders=decoder_names(), check_rules=check
        )
    assert text_of(school) == before
    assert sorted(one.name for one in school.iterdir()) == sorted(one.name for one in EXAMPLE.iterdir())


def test_a_preview_writes_nothing(school):
    """A preview tells the settings as they would be."""
    before = text_of(school)
    change = CalendarChange.model_validate({"add": {"holidays": [SNOW]}})
    found = preview_calendar(school, change, decoders=decoder_names(), check_rules=check)
    assert found.holidays[-1].name == "大雪停课"
    assert text_of(school) == before


def test_a_first_calendar(school):
    """Where there is no calendar yet, one is begun."""
    (school / "calendar.yaml").unlink()
    put(school, add={"terms": [{"name": "第一学期", "from": "2026-09-01", "to": "2027-01-22"}]})
    assert text_of(school) == "terms:\n  - {name: 第一学期, from: 2026-09-01, to: 2027-01-22}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("holidays: []   # none\n", "holidays:   # none\n  - {from: 2026-12-03, to: 2026-12-03}\n"),
        ("boarding: true", "boarding: true\nholidays:\n  - {from: 2026-12-03, to: 2026-12-03}\n"),
        ("boarding: true\r\n", "boarding: true\r\nholidays:\r\n  - {from: 2026-12-03, to: 2026-12-03}\r\n"),
        (
            "holidays: [{from: 2026-12-01, to: 2026-12-01}]",
            "holidays: [{from: 2026-12-01, to: 2026-12-01}, {from: 2026-12-03, to: 2026-12-03}]",
        ),
        (
            "holidays:\n- from: 2026-12-01  # a\n  to: 2026-12-01  # b\n# c\nboarding: true\n",
            "holidays:\n- from: 2026-12-01  # a\n  to: 2026-12-01  # b\n- {from: 2026-12-03, to: 2026-12-03}\n# c\nboarding: true\n",
        ),
    ],
)
def test_every_style_of_list(tmp_path, text, expected):
    """Lists on one line, in lines, empty, or missing take a new entry; remarks behind them stay behind them."""
    (tmp_path / "site.yaml").write_text(
        "id: s\nname: 学校\nchannels: {c: {kind: console}}\n", encoding="utf-8"
    )
    (tmp_path / "calendar.yaml").write_bytes(text.encode())
    put(tmp_path, add={"holidays": [{"from": "2026-12-03", "to": "2026-12-03"}]})
    assert (tmp_path / "calendar.yaml").read_bytes().decode() == expected


def test_what_is_shared_is_not_edited(tmp_path):
    """An anchor used twice cannot be edited in one place only: it is refused, and nothing is written."""
    (tmp_path / "site.yaml").write_text(
        "id: s\nname: 学校\nchannels: {c: {kind: console}}\n", encoding="utf-8"
    )
    text = "terms: &all\n  - {from: 2026-09-01, to: 2027-01-01}\nholidays: *all\n"
    (tmp_path / "calendar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(FolderProblems) as caught:
        put(tmp_path, add={"holidays": [SNOW]})
    assert "by hand" in caught.value.problems[0].expected
    assert text_of(tmp_path) == text


DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
SPANS = st.builds(
    lambda name, start, days: {"name": name, "from": start.isoformat(), "to": (start + dt.timedelta(days)).isoformat()},
    st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=6), DAYS, st.integers(0, 9),
)  # fmt: skip
LISTS = st.fixed_dictionaries(
    {
        "boarding": st.booleans(),
        "holidays": st.lists(SPANS, max_size=4),
        "school_days": st.lists(DAYS.map(dt.date.isoformat), max_size=4),
        "hours": st.dictionaries(
            st.sampled_from(["office", "sports", "dorm"]),
            st.sampled_from(["sat", "fri"]).map(lambda day: {day: ["22:00-02:00"]}),
        ),
    }
)


@settings(max_examples=60, deadline=None)
@given(
    old=LISTS, new=LISTS, flow_style=st.sampled_from([None, False]), ending=st.sampled_from(["\n", "\r\n"])
)
def test_any_change_reads_back(old, new, flow_style, ending):
    """From any calendar to any other, in whatever style it was written: the edited text says exactly the new one."""
    text = yaml.safe_dump(old, default_flow_style=flow_style, allow_unicode=True).replace("\n", ending)
    for key in old:
        if old[key] != new[key]:
            text = with_setting(text, key, old[key], new[key])
    assert CalendarSettings.model_validate(yaml.safe_load(text)) == CalendarSettings.model_validate(new)
