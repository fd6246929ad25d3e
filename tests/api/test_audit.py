"""What people and programs do is written down: each route that changes something, with who, from where, and on what."""

from __future__ import annotations

import httpx2
import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute
from tests_support import wait_until

from api.accounts import AccountRole, Act
from api.accounts.words import ACTS
from api.device_name import device_name
from service.errors import AuditWaiting

#: every route that changes something, and what the audit says of it; None: it changes nothing
ROUTES = {
    ("POST", "/sign-in"): Act.SIGNED_IN,
    ("POST", "/sign-in/link"): Act.SIGNED_IN_BY_LINK,
    ("POST", "/password"): Act.PASSWORD_CHANGED,
    ("PUT", "/api/password"): Act.PASSWORD_CHANGED,
    ("POST", "/sign-out"): Act.SIGNED_OUT,
    ("DELETE", "/api/sessions/{session_id}"): Act.SESSION_ENDED,
    ("POST", "/account/sessions/{session_id}/end"): Act.SESSION_ENDED,
    ("DELETE", "/api/sessions"): Act.SIGNED_OUT_EVERYWHERE,
    ("POST", "/account/sign-out-everywhere"): Act.SIGNED_OUT_EVERYWHERE,
    ("POST", "/api/users"): Act.USER_ADDED,
    ("PATCH", "/api/users/{name}"): Act.USER_CHANGED,
    ("DELETE", "/api/users/{name}"): Act.USER_DELETED,
    ("POST", "/api/users/{name}/sign-out"): Act.SIGNED_OUT_EVERYWHERE,
    ("POST", "/api/users/{name}/link"): Act.LINK_MADE,
    ("POST", "/users"): Act.USER_ADDED,
    ("POST", "/api/tokens"): Act.TOKEN_ADDED,
    ("PATCH", "/api/tokens/{name}"): Act.TOKEN_DISABLED,
    ("DELETE", "/api/tokens/{name}"): Act.TOKEN_DELETED,
    ("POST", "/tokens"): Act.TOKEN_ADDED,
    ("POST", "/api/alerts/{alert_id}/acknowledge"): Act.ALERT_ACKNOWLEDGED,
    ("POST", "/parts/alerts/{alert_id}/acknowledge"): Act.ALERT_ACKNOWLEDGED,
    ("POST", "/api/alerts/{alert_id}/note"): Act.ALERT_NOTED,
    ("POST", "/drills/{drill_id}/alerts/{alert_id}"): Act.ALERT_NOTED,
    ("PUT", "/api/register/{device_id}"): Act.DEVICE_CHANGED,
    ("POST", "/held/adopt"): Act.DEVICE_CHANGED,
    ("POST", "/api/register/reload"): Act.REGISTER_RELOADED,
    ("PUT", "/api/calendar"): Act.CALENDAR_CHANGED,
    ("POST", "/calendar"): Act.CALENDAR_CHANGED,
    ("POST", "/api/calendar/preview"): None,
    ("POST", "/api/replay"): Act.HISTORY_REPLAYED,
    ("POST", "/api/quarantine/replay"): Act.HELD_REPLAYED,
    ("DELETE", "/api/quarantine"): Act.HELD_PURGED,
    ("DELETE", "/api/quarantine/{entry_id}"): Act.HELD_PURGED,
    ("POST", "/held/purge"): Act.HELD_PURGED,
    ("POST", "/api/set-aside/{aside_id}/try-again"): Act.SET_ASIDE_TRIED,
    ("POST", "/held/set-aside/{aside_id}"): Act.SET_ASIDE_TRIED,
    ("POST", "/api/drills"): Act.DRILL_ORDERED,
    ("POST", "/drills"): Act.DRILL_ORDERED,
    ("POST", "/api/drills/{drill_id}/stop"): Act.DRILL_STOPPED,
    ("POST", "/drills/{drill_id}/stop"): Act.DRILL_STOPPED,
}


@pytest.fixture
def boss(running):
    """An administrator in a browser."""
    headers = {"origin": running.url, "user-agent": "Test browser"}
    with httpx2.Client(base_url=running.url, headers=headers, timeout=30) as client:
        secret = running.runtime.accounts.make_link("admin", running.runtime.now_ms())
        client.post("/sign-in/link", data={"token": secret})
        yield client


def acts(running, **asked):
    return [
        (one["act"], one["who"], one["subject"])
        for one in running.http.get("/api/audit", params=asked).json()
    ]


def test_every_route_that_changes_something_is_thought_of(running):
    """A new one must say what the audit tells of it; each act has its Chinese."""
    routes = running.server.config.app.routes
    unsafe = {
        (method, route.path)
        for router in routes
        for route in getattr(getattr(router, "original_router", None), "routes", [router])
        if isinstance(route, APIRoute)
        for method in route.methods - {"GET", "HEAD"}
    }
    assert unsafe == set(ROUTES)
    assert set(ACTS) == set(Act)


def test_acts_on_alerts_messages_and_history(running, boss):
    """A person by name, a program as a token; the device and the numbers stand beside."""
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3}')
    running.publish("zigbee2mqtt/Freezer", b"junk")
    wait_until(lambda: running.runtime.book.open_alerts() and running.runtime.journal.counts().quarantined)
    number = running.runtime.book.open_alerts()[0].id
    boss.post(f"/api/alerts/{number}/acknowledge")
    running.http.post(f"/api/alerts/{number}/note", json={"cause": "door"})
    held = running.http.get("/api/quarantine").json()[0]["id"]
    running.http.post("/api/quarantine/replay", json={"ids": [held]})
    boss.post("/held/purge", data={"what": "unread"})
    running.http.post("/api/replay", json={"from": "2026-11-01"})
    assert acts(running)[:5] == [
        ("history_replayed", "token test", "history"),
        ("held_purged", "admin", "held messages"),
        ("held_replayed", "token test", "held messages"),
        ("alert_noted", "token test", f"alert {number}"),
        ("alert_acknowledged", "admin", f"alert {number}"),
    ]
    newest = running.http.get("/api/audit", params={"act": "alert_acknowledged"}).json()[0]
    assert (newest["address"], newest["detail"]) == ("127.0.0.1", {"device": "freezer"})
    assert newest["time_ms"] <= running.runtime.now_ms()


def test_users_and_tokens_by_api(running, boss):
    """Listed, added, changed, signed out and removed; a link for a person's session only; conflicts say why."""
    api = running.http
    assert boss.put("/api/password", json={"new": "the-password-of-admin"}).status_code == 204
    made = api.post("/api/users", json={"name": "li", "display_name": "李老师", "role": "admin"})
    assert (made.status_code, made.json()["has_password"]) == (201, False)
    assert api.post("/api/users", json={"name": "li"}).status_code == 409
    assert api.post("/api/users", json={"name": "l i"}).status_code == 422
    assert api.post("/api/users/li/link").status_code == 403
    link = boss.post("/api/users/li/link").json()
    with httpx2.Client(base_url=running.url, headers={"origin": running.url}, timeout=30) as li:
        li.post("/sign-in/link", data={"token": link["path"].partition("=")[2]})
        assert li.put("/api/password", json={"new": "a-good-password"}).status_code == 204
        assert li.put("/api/password", json={"old": "x", "new": "a-good-password"}).status_code == 403
        assert api.patch("/api/users/li", json={"role": "duty"}).json()["role"] == "duty"
        assert li.get("/api/users").status_code == 403
        assert api.get("/api/users").json()[1]["sessions"] == 1
        assert api.post("/api/users/li/sign-out").json() == {"ended": 1}
        assert li.get("/api/alerts").status_code == 401
    assert api.patch("/api/users/li", json={"disabled": True}).json()["disabled"] is True
    assert api.delete("/api/users/li").status_code == 204
    last = api.delete("/api/users/admin")
    assert (last.status_code, "last administrator" in last.json()["error"]) == (409, True)
    token = api.post("/api/tokens", json={"name": "grafana", "scopes": ["read"], "days": 30}).json()
    with httpx2.Client(
        base_url=running.url, headers={"authorization": f"Bearer {token['token']}"}, timeout=30
    ) as grafana:
        assert grafana.get("/api/devices").status_code == 200
        assert grafana.get("/api/tokens").status_code == 403
        assert grafana.get("/api/sessions").status_code == 403
        assert "token" not in api.get("/api/tokens").json()[0]
        assert api.patch("/api/tokens/grafana", json={"disabled": True}).status_code == 200
        assert grafana.get("/api/devices").status_code == 401
    assert api.delete("/api/tokens/grafana").status_code == 204
    assert api.delete("/api/tokens/grafana").status_code == 404


def test_ones_own_sessions(running, boss):
    """Listed with address and browser; one can be ended, or all."""
    accounts, now_ms = running.runtime.accounts, running.runtime.now_ms()
    with httpx2.Client(base_url=running.url, headers={"origin": running.url}, timeout=30) as phone:
        phone.post("/sign-in/link", data={"token": accounts.make_link("admin", now_ms)})
        found = boss.get("/api/sessions").json()
        assert {(one["address"], one["device"] == "Test browser") for one in found} == {
            ("127.0.0.1", True),
            ("127.0.0.1", False),
        }
        other = next(one["id"] for one in found if not one["current"])
        assert boss.delete(f"/api/sessions/{other}").status_code == 204
        assert boss.delete(f"/api/sessions/{other}").status_code == 404
        assert phone.get("/api/alerts").status_code == 401
    assert boss.delete("/api/sessions").json() == {"ended": 1}
    assert boss.get("/api/sessions").status_code == 401


def test_users_tokens_account_and_audit_by_page(running, boss):
    """Each form does what it says; a link and a token are shown once; what is refused is said in Chinese."""
    added = boss.post(
        "/users", data={"action": "add", "name": "sun", "display_name": "孙师傅", "role": "duty"}
    )
    assert "/sign-in/link?token=" in added.text
    assert "这个名字已经有了" in boss.post("/users", data={"action": "add", "name": "sun"}).text
    assert "不能有空格" in boss.post("/users", data={"action": "add", "name": "s n"}).text
    assert "最后一位" in boss.post("/users", data={"action": "delete", "name": "admin"}).text
    assert boss.post("/users", data={"action": "disable", "name": "sun"}).status_code == 303
    assert "已停用" in boss.get("/users").text
    made = boss.post("/tokens", data={"action": "add", "name": "grafana", "scopes": ["read"], "days": "30"})
    assert "只显示这一次" in made.text
    assert "grafana" in boss.get("/users").text
    boss.post("/tokens", data={"action": "delete", "name": "grafana"})
    boss.post("/users", data={"action": "delete", "name": "sun"})
    assert "Test browser" in boss.get("/account").text
    page = boss.get("/audit").text
    for words in ("添加用户", "停用用户", "删除令牌", "用一次性链接登录", "守园自身"):
        assert words in page
    assert "有效期到" in page
    assert "读取数据" in page
    assert "添加令牌" in boss.get("/audit", params={"act": "token_added", "who": "admin"}).text
    token = running.runtime.accounts.make_token("duty", AccountRole.DUTY, 1)
    with httpx2.Client(base_url=running.url, headers={"authorization": f"Bearer {token}"}) as duty:
        assert [duty.get(path).status_code for path in ("/users", "/audit", "/account")] == [403] * 3


def test_an_audit_that_cannot_be_written_is_told(running):
    """The act is done and kept in memory; health names what does not work, and it is written as soon as it can be."""
    keeper, audit = running.runtime.accounts_keeper, running.runtime.accounts.audit
    true_database, audit._database = audit._database, sa.create_engine("sqlite:////nowhere/at/all.db")
    assert running.http.delete("/api/quarantine", params={"everything": True}).status_code == 200
    with pytest.raises(AuditWaiting, match="1 entries"):
        keeper.keep()
    audit._database = true_database
    keeper.keep()
    assert acts(running)[0] == ("held_purged", "token test", "held messages")


def test_failed_sign_ins_show_in_the_audit(running, boss):
    """Who was tried, from where and how often; what nobody is called is left out."""
    with httpx2.Client(base_url=running.url, headers={"origin": running.url}, timeout=30) as thief:
        for name in ("admin", "hunter2"):
            thief.post("/sign-in", data={"name": name, "password": "guess"})
    found = running.http.get("/api/audit", params={"act": "sign_in_failed"}).json()
    assert {(one["who"], one["address"], one["subject"], one["detail"]["times"]) for one in found} == {
        ("", "127.0.0.1", "admin", 1),
        ("", "127.0.0.1", "", 1),
    }


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120 Safari/537.36 Edg/120",
            "Edge · Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0", "WeChat · iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile Safari/537.36", "Chrome · Android"),
        ("curl/8.0", "curl/8.0"),
        ("", ""),
    ],
)
def test_devices_have_names(user_agent, name):
    """A browser is named by program and machine, what is not known by itself."""
    assert device_name(user_agent) == name
