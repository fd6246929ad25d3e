"""The API and its door: who may do what, what is refused, what is live."""

from __future__ import annotations

import json
import threading

import httpx2
import pytest
from tests_support import PATIENCE_S, wait_until

from api.accounts import AccountRole
from api.live import LiveFeed
from campus.quantity import Quantity
from campus.reading import Reading, Series


@pytest.fixture
def browser(running):
    """A client as a browser is: cookies, and an Origin with each form."""
    with httpx2.Client(
        base_url=running.url, headers={"origin": running.url}, follow_redirects=False, timeout=PATIENCE_S
    ) as client:
        yield client


@pytest.fixture
def link(running):
    """Signs a client in with a one-time link."""

    def sign_in(client, name="admin"):
        secret = running.runtime.accounts.make_link(name, running.runtime.now_ms())
        return client.post("/sign-in/link", data={"token": secret})

    return sign_in


@pytest.mark.parametrize(
    "path",
    ["/api/devices", "/api/alerts", "/api/live", "/api/quarantine", "/api/unregistered", "/api/health"],
)
def test_nothing_without_signing_in(running, path):
    """The API is closed to strangers; a page sends them to the sign-in."""
    with httpx2.Client(base_url=running.url) as stranger:
        assert stranger.get(path).status_code == 401
        page = stranger.get("/", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/")


def test_roles_reach_as_far_as_they_should(running):
    """A viewer sees and does not act; the token that was never made is none."""
    token = running.runtime.accounts.make_token("viewer", AccountRole.VIEWER, 1)
    with httpx2.Client(base_url=running.url, headers={"authorization": f"Bearer {token}"}) as viewer:
        assert viewer.get("/api/devices").status_code == 200
        answer = viewer.post("/api/alerts/1/acknowledge")
        assert (answer.status_code, answer.json()["error"]) == (
            403,
            "this needs the scope duty; you have read",
        )
        assert viewer.post("/api/quarantine/replay", json={"ids": [1]}).status_code == 403
    with httpx2.Client(base_url=running.url, headers={"authorization": "Bearer made-up"}) as nobody:
        assert nobody.get("/api/devices").status_code == 401


def test_another_sites_page_cannot_act(running, browser, link):
    """A form posted from elsewhere with the person's cookie is refused."""
    link(browser)
    answer = browser.post("/parts/alerts/1/acknowledge", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "evil.example" in answer.json()["error"]
    browser.headers.pop("origin")
    assert browser.post("/sign-out").status_code == 403


@pytest.mark.parametrize(
    ("path", "params", "status", "words"),
    [
        ("/api/devices/ghost", {}, 404, "device 'ghost' does not exist"),
        (
            "/api/devices/freezer/history",
            {"quantity": "warmth"},
            422,
            "quantity is 'warmth'; expected one of water_volume",
        ),
        (
            "/api/devices/freezer/history",
            {"quantity": "temperature", "start": "soon"},
            422,
            "start is 'soon'; expected ISO 8601",
        ),
        (
            "/api/devices/freezer/history",
            {"quantity": "temperature", "start": "2030-01-01", "end": "2029-01-01"},
            422,
            "before end",
        ),
        ("/api/alerts/999", {}, 404, "there is no alert 999"),
        ("/api/quarantine/999", {}, 404, "message 999 does not exist"),
    ],
)
def test_bad_requests_are_explained(running, path, params, status, words):
    """What was found and what was expected stands in the answer."""
    answer = running.http.get(path, params=params)
    assert answer.status_code == status
    assert words in answer.json()["error"]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": "many"}, {"state": "burning"}])
def test_parameters_of_the_wrong_kind_are_refused(running, params):
    """Wrong numbers and words are named by the parameter."""
    answer = running.http.get("/api/alerts", params=params)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][1] == next(iter(params))


def test_the_api_describes_itself(running):
    """OpenAPI lists every route of the API, each with a description."""
    paths = running.http.get("/openapi.json").json()["paths"]
    assert {
        "/api/devices",
        "/api/devices/{device_id}/history",
        "/api/alerts/{alert_id}/acknowledge",
        "/api/live",
        "/metrics",
    } <= set(paths)
    for path, methods in paths.items():
        for method in methods.values():
            assert method.get("description") or method.get("summary"), path


def test_live_events_stream(running):
    """An open stream hears of readings and of an alert."""
    heard = []

    def listen():
        with running.http.stream("GET", "/api/live", timeout=PATIENCE_S) as stream:
            for text in stream.iter_lines():
                if text.startswith("event:"):
                    heard.append(text.removeprefix("event:").strip())
                if "alert" in heard:
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    wait_until(lambda: "hello" in heard)
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -18}')
    wait_until(lambda: "readings" in heard)
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -1}')
    listener.join(PATIENCE_S)
    assert "alert" in heard


def test_a_slow_page_is_told_to_load_anew():
    """A subscriber that does not listen loses events, never memory or the others' time, and is told so."""
    import asyncio

    feed = LiveFeed(pace_s=0.01)

    async def main():
        events = feed.subscribe()
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        for number in range(1000):
            feed.publish_alert(str(number))
        seen = [await first]
        feed.close()
        seen += [event async for event in events]
        return seen

    seen = asyncio.run(main())
    assert len(seen) < 300
    assert "resync" in {event.kind for event in seen} or len(seen) <= 257
    feed.publish_readings([Reading(Series("d", Quantity.VOLTAGE), 1, 1, 1)])
    assert feed.subscribers == 0


def test_pages_in_english(running, browser, link):
    """?lang=en changes the page's language and is remembered."""
    link(browser)
    assert "现在没有告警" in browser.get("/").text
    english = browser.get("/?lang=en").text
    assert "No alerts now" in english
    assert "No alerts now" in browser.get("/").text


def test_every_page_answers(running, browser, link):
    """Each page renders with data and without, and nothing in it comes from outside."""
    link(browser)
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -1}')
    running.publish("zigbee2mqtt/Nobody", b'{"temperature": 1}')
    running.publish("zigbee2mqtt/Freezer", b"<script>alert(1)</script>")
    wait_until(
        lambda: running.runtime.book.open_alerts() and running.runtime.journal.counts().quarantined == 2
    )
    for path in (
        "/",
        "/phone",
        "/held",
        "/calendar",
        "/devices/freezer",
        "/parts/alerts",
        "/parts/devices",
        "/parts/phone",
        "/alerts/1",
        "/password",
        "/sign-in",
    ):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert "http://" not in page.text.replace(running.url, "").replace("http://www.w3.org", ""), path
        assert "<script>alert(1)" not in page.text
    assert "Nobody" in browser.get("/held").text
    assert json.dumps(browser.get("/phone").text).count("bubble") >= 2


def test_alerts_are_paged_by_their_order(running):
    """The cursor of the last alert leads on; what is none is refused by name."""
    for number in range(5):
        running.runtime.book.raise_own(f"service.test{number}", "school", {}, running.runtime.now_ms())
    first = running.http.get("/api/alerts", params={"limit": 3}).json()
    rest = running.http.get("/api/alerts", params={"after": first[-1]["cursor"]}).json()
    whole = running.http.get("/api/alerts").json()
    assert [one["id"] for one in first + rest] == [one["id"] for one in whole]
    refused = running.http.get("/api/alerts", params={"after": "soon"})
    assert (refused.status_code, "after is 'soon'" in refused.json()["error"]) == (422, True)


def test_the_services_own_alerts_are_in_words(running):
    """The API says of a full disk what the page says: a title, numbers and what to do."""
    number = running.runtime.book.raise_own(
        "service.disk_low", "school", {"facts": {"free_gb": 1.5}}, running.runtime.now_ms()
    )
    shown = running.http.get(f"/api/alerts/{number}").json()
    assert shown["title"] == "磁盘快满了"
    assert "剩余 1.5 GB" in shown["lines"]
    assert "清理磁盘" in shown["advice"]


def test_a_note_changes_what_it_names(running):
    """What is left out of a note stays; what is empty is emptied."""
    number = running.runtime.book.raise_own("service.disk_low", "school", {}, running.runtime.now_ms())
    path = f"/api/alerts/{number}/note"
    running.http.post(path, json={"cause": "备份太多", "repair_note": "已删除"})
    assert running.http.post(path, json={}).json()["cause"] == "备份太多"
    kept = running.http.post(path, json={"repair_note": "换了硬盘"}).json()
    assert (kept["cause"], kept["repair_note"]) == ("备份太多", "换了硬盘")
    assert running.http.post(path, json={"cause": ""}).json()["cause"] == ""
    assert len(running.http.get(f"/api/alerts/{number}").json()["events"]) == 4


def test_signing_in_leads_to_what_was_asked_for(running, browser):
    """The address that needed a sign-in is kept with its query, and stays one of our own."""
    asked = "/calendar?day=2026-12-01&lang=en"
    page = browser.get(asked, headers={"accept": "text/html"})
    form = browser.get(page.headers["location"]).text
    assert 'value="/calendar?day=2026-12-01&amp;lang=en"' in form
    running.runtime.accounts.add_user("he", "何", AccountRole.VIEWER, "right-password", 1)
    answer = browser.post("/sign-in", data={"name": "he", "password": "right-password", "next": asked})
    assert (answer.status_code, answer.headers["location"]) == (303, asked)
