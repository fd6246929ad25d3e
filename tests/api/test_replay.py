"""Trying other rules on the past over the API: the comparison, who may ask, and what is refused."""

from __future__ import annotations

import httpx2
import pytest

from api import backtests
from api.accounts import AccountRole
from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, iso
from campus.quantity import Quantity
from campus.reading import Reading, Series

MILD = {"defaults": {"cold.above_limit": {"for_s": 0, "critical_for_s": 0, "critical_above_c": 10}}}


@pytest.fixture
def past(running):
    """A freezer that was at -5 °C for an hour, three hours ago."""
    start_ms = running.runtime.now_ms() - 6 * HOUR_MS
    times = [(start_ms + n * MINUTE_MS, -5.0 if 120 <= n < 180 else -20.0) for n in range(300)]
    freezer = Series("freezer", Quantity.TEMPERATURE)
    running.runtime.store.write([Reading(freezer, value, time_ms, time_ms) for time_ms, value in times])
    return start_ms


def ask(running, past, **body):
    return running.http.post("/api/replay", json={"from": iso(past), "devices": ["freezer"], **body})


def test_other_rules_on_the_past(running, past, bot):
    """The rules in force, then what others change; nothing is sent, nothing is kept."""
    answer = ask(running, past, rules={"mild": MILD})
    assert answer.status_code == 200
    body = answer.json()
    assert body["from"] == iso(past)
    assert [one["name"] for one in body["outcomes"]] == ["rules.yaml", "mild"]
    (alert,) = [one for one in body["outcomes"][0]["alerts"] if one["rule"] == "cold.above_limit"]
    assert (alert["severity"], alert["opened"]) == ("critical", iso(past + 120 * MINUTE_MS))
    told = {one["channel"]: one["messages"] for one in body["outcomes"][0]["told"]}
    assert told["group"] == told["phone"] > 0
    (change,) = [one for one in body["changes"][0]["alerts"] if one["rule"] == "cold.above_limit"]
    assert change["kinds"] == ["severity"]
    assert change["other"]["severity"] == "warning"
    assert bot.asked == []
    assert running.http.get("/api/alerts").json() == []


def test_the_rules_in_force_alone(running, past):
    """Without other rules there is one outcome and nothing to compare; the end is never in the future."""
    body = ask(running, past, to="2099-01-01T00:00:00Z").json()
    assert (len(body["outcomes"]), body["changes"]) == (1, [])
    assert body["to"] <= iso(running.runtime.now_ms())


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"from": "yesterday"}, 422, "from is 'yesterday'"),
        ({"from": "2099-01-01T00:00:00Z"}, 422, "a moment before to"),
        ({"from": "2020-01-01", "to": "2020-01-02"}, 422, "the store has none"),
        ({"devices": ["nobody"]}, 404, "'nobody' does not exist"),
        ({"from": "1990-01-01"}, 422, "days before to"),
        ({"rules": {"rules.yaml": {}}}, 422, "another name"),
        ({"rules": {"b": {"default": {}}}}, 422, "did you mean defaults?"),
        (
            {"rules": {"b": {"defaults": {"cold.above_limit": {"limit_c": 1}}}}},
            422,
            "cold.above_limit.limit_c",
        ),
        ({"rules": {str(n): {} for n in range(5)}}, 422, "rules"),
        ({"until": "2020-01-02"}, 422, "until"),
    ],
)
def test_what_cannot_be_replayed_is_said(running, past, body, status, said):
    """With the field that is wrong, what was found and what was expected."""
    answer = ask(running, past, **body)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def test_it_is_bounded_by_devices_and_by_readings(running, past, monkeypatch):
    """A campus allows fewer days than a device does; too many readings end it."""
    days = backtests.MOST_DEVICE_DAYS / 2
    body = {"from": iso(running.runtime.now_ms() - int(days * DAY_MS)), "devices": []}
    assert "readings of 6 devices" in ask(running, past, **body).json()["error"]
    monkeypatch.setattr(backtests, "MOST_READINGS", 299)
    assert "at most 299 readings" in ask(running, past).json()["error"]


def test_one_at_a_time_and_only_by_admins(running, past):
    """While one is under way the next is told to wait; who may not change rules may not try them."""
    token = running.runtime.accounts.make_token("duty", AccountRole.DUTY, 1)
    with httpx2.Client(base_url=running.url, headers={"authorization": f"Bearer {token}"}) as duty:
        assert duty.post("/api/replay", json={"from": iso(past)}).status_code == 403
    lock = running.server.config.app.state.replaying
    with lock:
        assert ask(running, past).status_code == 409
    assert ask(running, past).status_code == 200
