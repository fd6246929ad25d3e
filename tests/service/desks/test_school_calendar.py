"""The school calendar by API and page: told with reasons, changed, previewed, and in force for rules at once."""

from __future__ import annotations

import httpx2
import pytest
from service_fixtures import Running, example_school

from api.accounts import AccountRole
from campus.calendar.opening import Opening
from campus.clock import SHANGHAI, parse_iso
from campus.folder import load_campus

SNOW = {"name": "大雪停课", "from": "2026-12-03", "to": "2026-12-03"}


@pytest.fixture
def folder(tmp_path):
    """The example school on a free port, with an office that is cleaned over midnight."""
    school = example_school(tmp_path, phone={"kind": "console"})
    with (school / "calendar.yaml").open("a", encoding="utf-8") as file:
        file.write('  boiler: {school_day: ["22:00-02:00"], vacation: []}\n')
    return school


@pytest.fixture
def service(folder, tmp_path):
    running = Running(load_campus(folder), tmp_path / "data", folder=folder)
    yield running
    running.stop()


def opening(service, building, moment):
    return service.runtime.campus().hours.opening(building, parse_iso(moment, SHANGHAI))


def days(service, first, last):
    answer = service.http.get("/api/calendar", params={"from": first, "to": last})
    assert answer.status_code == 200, answer.text
    return {one["date"]: one for one in answer.json()["days"]}


def told(day):
    return (day["type"], day["reason"], day["name"])


def test_days_are_told_with_their_reasons(service):
    """Every kind of day has its type, its reason and a name, and each building its windows."""
    found = days(service, "2026-09-01", "2027-02-28")
    assert told(found["2026-09-02"]) == ("school_day", "term", "")
    assert told(found["2026-09-05"]) == ("term_weekend", "weekend", "")
    assert told(found["2026-09-20"]) == ("school_day", "make_up", "国庆节")
    assert told(found["2026-10-01"]) == ("holiday", "national_holiday", "国庆节")
    assert told(found["2026-10-26"]) == ("holiday", "own_holiday", "校运会后补休")
    assert told(found["2026-11-09"]) == ("school_day", "exam", "期中考试")
    assert told(found["2027-02-10"]) == ("vacation", "vacation", "")
    assert (found["2026-12-31"]["known"], found["2027-01-04"]["known"]) == (True, False)
    dorm = found["2027-01-24"]["buildings"]["dorm"]
    assert dorm == {
        "type": "vacation",
        "reason": "override",
        "name": "寒假留校学生",
        "windows": ["00:00-24:00"],
    }
    assert found["2026-09-02"]["buildings"]["boiler"]["windows"] == ["22:00-02:00"]


def test_unknown_years_are_said(service):
    """A year that the library does not know is named in the answer and on the page."""
    answer = service.http.get("/api/calendar", params={"year": 2027}).json()
    assert (answer["unknown_years"], len(answer["days"])) == ([2027], 365)
    assert "2027" in answer["notices"][0]
    assert answer["notices"][0] in service.http.get("/calendar?day=2026-11-21").text


def test_a_change_is_previewed_then_in_force(service, folder):
    """A preview changes nothing; a holiday added is in force at once, in the file, and gone when it is removed."""
    before = (folder / "calendar.yaml").read_text(encoding="utf-8")
    assert opening(service, "canteen", "2026-12-03 12:00") is Opening.OPEN
    preview = service.http.post("/api/calendar/preview", json={"add": {"holidays": [SNOW]}}).json()
    assert (preview["changed_days"], preview["days"][0]["date"]) == (1, "2026-12-03")
    assert told(preview["days"][0]["after"]) == ("holiday", "own_holiday", "大雪停课")
    assert preview["days"][0]["after"]["buildings"]["canteen"]["windows"] == []
    assert (folder / "calendar.yaml").read_text(encoding="utf-8") == before
    answer = service.http.put("/api/calendar", json={"add": {"holidays": [SNOW]}})
    assert (answer.status_code, answer.json()) == (200, preview)
    assert opening(service, "canteen", "2026-12-03 12:00") is Opening.CLOSED
    service.http.put("/api/calendar", json={"remove": {"holidays": [{"from": "2026-12-03"}]}})
    assert opening(service, "canteen", "2026-12-03 12:00") is Opening.OPEN
    assert (folder / "calendar.yaml").read_text(encoding="utf-8") == before


def test_a_window_over_midnight(service):
    """A window that ends after midnight holds into the next day, also into a day on which nothing opens."""
    assert opening(service, "boiler", "2027-01-22 23:30") is Opening.OPEN
    assert opening(service, "boiler", "2027-01-23 01:59") is Opening.OPEN  # the first day of the winter break
    assert opening(service, "boiler", "2027-01-23 02:00") is Opening.CLOSED
    assert "22:00–次日 02:00" in service.http.get("/calendar?day=2027-01-22").text


def test_a_day_school(service):
    """Where nobody boards, dormitories stay shut at weekends, and so does a canteen without hours of its own."""
    assert opening(service, "dorm", "2026-11-28 12:00") is Opening.OPEN
    assert opening(service, "canteen", "2026-11-28 12:00") is Opening.OPEN
    settings = service.http.get("/api/calendar").json()["settings"]
    assert settings["boarding"] is True
    del settings["hours"]["canteen"]
    answer = service.http.put("/api/calendar", json={"settings": settings | {"boarding": False}})
    assert answer.status_code == 200
    assert opening(service, "dorm", "2026-11-28 12:00") is Opening.CLOSED
    assert opening(service, "canteen", "2026-11-28 12:00") is Opening.CLOSED
    assert opening(service, "canteen", "2026-11-27 12:00") is Opening.OPEN
    assert "走读学校" in service.http.get("/calendar").text


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"add": {"holidays": [{"from": "2026-12-04", "to": "2026-12-03"}]}}, "lies before"),
        ({"remove": {"school_days": ["2026-12-04"]}}, "2026-12-04"),
        ({"settings": {"term": []}}, "did you mean terms?"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(service, folder, change, word):
    """422 names the file's key, what was found and what was expected."""
    before = (folder / "calendar.yaml").read_bytes()
    for answer in (
        service.http.put("/api/calendar", json=change),
        service.http.post("/api/calendar/preview", json=change),
    ):
        assert (answer.status_code, word in answer.json()["error"]) == (422, True)
        assert answer.json()["problems"][0]["where"].startswith("calendar.yaml")
    assert (folder / "calendar.yaml").read_bytes() == before


@pytest.mark.parametrize(
    "change", [{}, {"settings": {}, "add": {"holidays": [SNOW]}}, {"add": {"feasts": []}}]
)
def test_a_change_of_no_kind_is_refused(service, change):
    """Nothing at all, both kinds at once, and a list that the calendar does not have are no change."""
    assert service.http.put("/api/calendar", json=change).status_code == 422


def test_spans_and_days_are_judged(service):
    """A span backwards or too long, and a page of no day, are refused in words."""
    for params in ({"from": "2026-12-04", "to": "2026-12-03"}, {"from": "2020-01-01", "to": "2026-12-03"}):
        answer = service.http.get("/api/calendar", params=params)
        assert (answer.status_code, "at most 800 days" in answer.json()["error"]) == (422, True)
    for day in ("soon", "0001-01-01"):
        assert service.http.get("/calendar", params={"day": day}).status_code == 422


def form(service, action, **values):
    data = {"kind": "holidays", "name": "", "from": "2026-12-03", "to": "", "action": action, **values}
    return service.http.post("/calendar", data=data, follow_redirects=False)


def test_the_page_previews_adds_and_removes(service):
    """The form shows what would change, saves it, and each entry can be taken out again; a mistake is shown."""
    preview = form(service, "preview", name="大雪停课")
    assert "2026-12-03:上学日 (学期内) → 节假日 (学校放假 大雪停课)" in preview.text
    assert "没有哪一天会变" in form(service, "preview", **{"from": "2027-02-10"}).text
    saved = form(service, "save", name="大雪停课")
    assert (saved.status_code, saved.headers["location"]) == (303, "/calendar?day=2026-12-03")
    assert "大雪停课" in service.http.get("/calendar?day=2026-12-01").text
    assert (
        form(service, "save", kind="school_days", **{"from": "2026-12-05", "to": "2026-12-06"}).status_code
        == 303
    )
    assert opening(service, "canteen", "2026-12-06 04:40") is Opening.OPEN  # a school day's breakfast
    wrong = form(service, "save", to="2026-12-01")
    assert (wrong.status_code, "没有改动" in wrong.text) == (422, True)
    assert form(service, "remove", name="大雪停课").status_code == 303
    assert "大雪停课" not in service.http.get("/calendar?day=2026-12-01").text


def test_only_administrators_change_it(service):
    """A viewer sees the calendar without forms, and may change nothing."""
    token = service.runtime.accounts.make_token("see", AccountRole.VIEWER, service.runtime.now_ms())
    with httpx2.Client(base_url=service.url, headers={"authorization": f"Bearer {token}"}) as viewer:
        page = viewer.get("/calendar")
        assert (page.status_code, '<form method="post" action="/calendar"' in page.text) == (200, False)
        assert viewer.put("/api/calendar", json={"add": {"holidays": [SNOW]}}).status_code == 403
        assert viewer.post("/api/calendar/preview", json={"settings": {}}).status_code == 403
        assert (
            viewer.post(
                "/calendar", data={"kind": "holidays", "from": "2026-12-03", "action": "save"}
            ).status_code
            == 403
        )


def test_a_campus_without_a_folder(running):
    """The calendar of a campus without terms says so, and without a folder nothing can be changed."""
    answer = running.http.get("/api/calendar", params={"year": 2026}).json()
    assert (answer["days"], len(answer["notices"])) == ([], 1)
    assert answer["notices"][0] in running.http.get("/calendar").text
    for refused in (
        running.http.put("/api/calendar", json={"add": {"holidays": [SNOW]}}),
        running.http.post("/api/calendar/preview", json={"add": {"holidays": [SNOW]}}),
    ):
        assert (refused.status_code, "no folder" in refused.json()["error"]) == (422, True)
