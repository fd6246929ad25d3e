"""Exercises over the API and on their pages: who may what, refusals with reasons, the record as page and workbook."""

from __future__ import annotations

import io

import httpx2
import pytest
from openpyxl import load_workbook
from tests_support import PATIENCE_S, wait_until

from api.accounts import AccountRole
from campus.campus import Campus
from campus.clock import HOUR_MS, iso
from campus.person import Person

BODY = {"scenario": "freezer_door_open", "people": ["wang"], "speed": 600}


@pytest.fixture
def live_campus(live_campus):
    return Campus(
        site=live_campus.site,
        devices=live_campus.devices.values(),
        people=[Person(id="wang", name="王秀兰", wecom_id="wang")],
        rules=live_campus.rules,
    )


@pytest.fixture
def as_role(running):
    clients = []

    def client(role):
        token = running.runtime.accounts.make_token(f"t-{role}", role, running.runtime.now_ms())
        one = httpx2.Client(
            base_url=running.url, timeout=PATIENCE_S, headers={"authorization": f"Bearer {token}"}
        )
        clients.append(one)
        return one

    yield client
    for one in clients:
        one.close()


def test_admins_run_and_duty_stops(running, as_role):
    """Ordering needs an admin, stopping the duty person; a viewer looks on."""
    duty, viewer = as_role(AccountRole.DUTY), as_role(AccountRole.VIEWER)
    assert duty.post("/api/drills", json=BODY).status_code == 403
    begun = running.http.post("/api/drills", json=BODY)
    assert (begun.status_code, begun.json()["state"]) == (201, "running")
    number = begun.json()["id"]
    assert viewer.post(f"/api/drills/{number}/stop").status_code == 403
    assert viewer.get("/api/drills").json()[0]["id"] == number
    assert "正在进行" in viewer.get("/").text
    stopped = duty.post(f"/api/drills/{number}/stop").json()
    assert (stopped["state"], stopped["ended_by"]) == ("stopped", "t-duty (API)")
    assert "正在进行" not in viewer.get("/").text
    assert viewer.get("/api/drills/99").status_code == 404


def test_a_surprise_stays_one(running, as_role):
    """Planned and not announced, it shows to admins only until it begins."""
    start = iso(running.runtime.now_ms() + HOUR_MS)
    secret = running.http.post("/api/drills", json=BODY | {"announced": False, "start": start}).json()["id"]
    viewer = as_role(AccountRole.VIEWER)
    assert viewer.get("/api/drills").json() == []
    assert viewer.get(f"/api/drills/{secret}").status_code == 404
    assert viewer.get(f"/drills/{secret}").status_code == 404
    assert "冷冻柜门没关严" not in viewer.get("/drills").text
    assert running.http.get(f"/api/drills/{secret}").json()["drill"]["state"] == "planned"


def test_refused_in_the_readers_language(running):
    """409 and the reason, in Chinese, or in English where that was chosen; nothing is kept."""
    asked = BODY | {"people": []}
    chinese = running.http.post("/api/drills", json=asked)
    assert (chinese.status_code, chinese.json()["error"]) == (409, "没有选通知谁。至少选一个人。")
    english = running.http.post("/api/drills", params={"lang": "en"}, json=asked).json()["error"]
    assert english.startswith("Nobody was chosen")
    assert running.http.post("/api/drills", json=BODY | {"start": "soon"}).status_code == 422
    assert running.http.get("/api/drills").json() == []


def test_the_record(running):
    """Page, workbook and JSON tell the same story, also of what somebody wrote that looks like a formula."""
    number = running.http.post("/api/drills", json=BODY).json()["id"]
    wait_until(lambda: running.http.get("/api/alerts", params={"state": "firing"}).json() != [])
    (alert,) = running.http.get("/api/alerts", params={"state": "firing"}).json()

    def story():
        return [one["kind"] for one in running.http.get(f"/api/drills/{number}").json()["story"]]

    wait_until(lambda: "sent" in story())
    running.http.get(f"/alerts/{alert['id']}")
    other = f"/drills/9999/alerts/{alert['id']}"
    assert running.http.post(other, data={"cause": "x"}).status_code == 404
    assert running.http.get(f"/api/alerts/{alert['id']}").json()["acknowledged_by"] is None
    done = running.http.post(
        f"/drills/{number}/alerts/{alert['id']}", data={"cause": "=1+1", "repair_note": "<b>关门</b>"}
    )
    assert done.status_code == 303
    running.http.post(f"/api/drills/{number}/stop")
    record = running.http.get(f"/api/drills/{number}").json()
    kinds = story()
    for kind in ("ordered", "began", "fault", "opened", "sent", "read", "acknowledged", "noted"):
        assert kind in kinds, kind
    # where its last alert was written up before somebody stopped it, it was done by itself
    assert {"stopped", "done"} & set(kinds)
    assert record["score"]["due"] == 7
    page = running.http.get(f"/drills/{number}").text
    for words in ("【演练】", "处置过程", "test (API) 接手处理", "&lt;b&gt;关门", "签字", "负责人"):
        assert words in page, words
    answer = running.http.get(f"/api/drills/{number}/record.xlsx")
    assert "spreadsheetml" in answer.headers["content-type"]
    cells = [
        cell
        for row in load_workbook(io.BytesIO(answer.content)).active.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    assert not any(cell.data_type == "f" for cell in cells)
    texts = " ".join(str(cell.value) for cell in cells)
    for words in ("测试学校 应急演练记录", "冷冻柜门没关严", "=1+1", "组织人", "王秀兰"):
        assert words in texts, words


def test_only_its_own_alerts(running):
    """The page of an exercise writes nothing down of a real alert."""
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    wait_until(lambda: running.http.get("/api/alerts").json() != [])
    (alert,) = running.http.get("/api/alerts").json()
    assert running.http.post(f"/drills/1/alerts/{alert['id']}", data={"cause": "x"}).status_code == 404
    assert running.http.get(f"/api/alerts/{alert['id']}").json()["cause"] == ""


def test_in_the_description(running):
    """The API's own description names the exercises' paths and the refusal."""
    paths = running.http.get("/openapi.json").json()["paths"]
    assert {
        "/api/drills",
        "/api/drills/scenarios",
        "/api/drills/{drill_id}",
        "/api/drills/{drill_id}/stop",
    } <= set(paths)
    assert "409" in paths["/api/drills"]["post"]["responses"]
    names = [one["name"] for one in running.http.get("/api/drills/scenarios").json()]
    assert "freezer_door_open" in names
    assert "sports_day" not in names
