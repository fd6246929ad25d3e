"""Values that no database or calendar takes are refused with the field's name, and a failure is answered decently."""

from __future__ import annotations

import json

import httpx2
import pytest

from api.accounts import AccountRole

HUGE = 99999999999999999999999


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api/alerts/{}", "alert_id"),
        ("POST", "/api/alerts/{}/acknowledge", "alert_id"),
        ("GET", "/api/alerts?before_id={}", "before_id"),
        ("GET", "/api/alerts?before_id=-{}", "before_id"),
        ("GET", "/api/alerts?limit={}", "limit"),
        ("GET", "/api/quarantine/{}", "entry_id"),
        ("GET", "/api/quarantine?before_id={}", "before_id"),
        ("GET", "/api/drills/{}", "drill_id"),
        ("GET", "/api/drills?before_id={}", "before_id"),
        ("POST", "/api/drills/{}/stop", "drill_id"),
        ("GET", "/api/drills/{}/record.xlsx", "drill_id"),
        ("GET", "/api/calendar?year={}", "year"),
        ("GET", "/api/devices/freezer-1/history?quantity=temperature&step_s={}", "step_s"),
        ("GET", "/alerts/{}", "alert_id"),
        ("POST", "/parts/alerts/{}/acknowledge", "alert_id"),
        ("GET", "/drills/{}", "drill_id"),
        ("GET", "/parts/drills/{}", "drill_id"),
        ("POST", "/drills/{}/stop", "drill_id"),
        ("POST", "/drills/1/alerts/{}", "alert_id"),
    ],
)
def test_numbers_beyond_64_bits_are_refused(school, method, path, name):
    """Wherever a number is asked for, one that no database can hold is named, and is no error of ours."""
    answer = school.http.request(method, path.format(HUGE))
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(f"{name} is ")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/devices/water-main/consumption?to=9999-12-31T23:59:59Z&step=month", "to"),
        ("/api/devices/water-main/consumption?from=0001-01-01T00:00:00%2B14:00", "from"),
        ("/api/devices/freezer-1/history?quantity=temperature&end=9999-12-31T23:59:59-12:00", "end"),
        ("/api/devices/freezer-1/history?quantity=temperature&start=0001-01-01", "start"),
        ("/api/alerts?rule=a%00b", "rule"),
        ("/api/unregistered/a%00b", "address"),
    ],
)
def test_moments_and_texts_out_of_this_world_are_refused(school, path, name):
    """The first and last years of all calendars and NUL characters are named."""
    answer = school.http.get(path)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(f"{name} is ")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (r'{"cause": "\ud800"}', "body.cause is"),
        (r'{"cause": "a\u0000"}', "body.cause is"),
        (r'{"\ud800": 1}', "a key of body is"),
        ('{"cause": ' + "9" * 5000 + "}", "body is"),
        ('{"cause": ' + str(HUGE) + "}", "body.cause is"),
        ('{"cause": NaN}', "body.cause is"),
        ('{"cause": ' + "[" * 100 + "]" * 100 + "}", "at most 50 levels"),
        ('{"cause": ' + "[" * 100_000 + "]" * 100_000 + "}", "expected JSON"),
    ],
)
def test_bodies_of_what_cannot_be_kept_are_refused(school, body, words):
    """Lone surrogates, NUL characters, endless numbers and nesting are named, in notes and anywhere else."""
    school.runtime.book.raise_own("service.disk_low", "school", {}, school.runtime.now_ms())
    for path in ("/api/alerts/1/note", "/api/quarantine/replay", "/api/replay"):
        answer = school.http.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422
        assert words in answer.json()["error"]


def test_a_form_may_not_hold_nul(school):
    """A form's field is looked at as a document's is."""
    school.runtime.accounts.add_user("wu", "吴", AccountRole.ADMIN, "a-good-password", 1)
    with httpx2.Client(base_url=school.url, headers={"origin": school.url}, timeout=30) as browser:
        browser.post("/sign-in", data={"name": "wu", "password": "a-good-password"})
        answer = browser.post("/held/adopt", data={"id": "a\0b", "address": "x"})
    assert answer.status_code == 422
    assert "NUL" in answer.json()["error"]


def test_a_failure_of_ours_is_answered_as_any_other(school, monkeypatch):
    """An error nobody foresaw is answered in our form, with the headers of every answer, and without its own words."""

    def broken():
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(school.runtime.register, "campus", broken)
    monkeypatch.setattr(school.runtime.drill_devices, "campus", broken)
    answer = school.http.get("/api/devices")
    assert answer.status_code == 500
    assert json.loads(answer.text)["error"]
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" in answer.headers
    assert answer.headers["cache-control"] == "no-store"
