"""Signing in and out on the running service: passwords, links, sessions that end, and what guessing may not stop."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from structlog.testing import capture_logs

from api.accounts import AccountRole, Actor, Scope

BOSS = Actor("boss")


@pytest.fixture
def client(running):
    """Makes clients as browsers are: cookies, and an Origin with each form."""
    made = []

    def new(**headers):
        one = httpx2.Client(base_url=running.url, headers={"origin": running.url} | headers, timeout=30)
        made.append(one)
        return one

    yield new
    for one in made:
        one.close()


@pytest.fixture
def sun(running):
    """A duty person who has a password."""
    running.runtime.accounts.add_user("sun", "孙师傅", AccountRole.DUTY, "sun-password", 1)
    return {"name": "sun", "password": "sun-password"}


def by_link(running, client, name="admin"):
    secret = running.runtime.accounts.make_link(name, running.runtime.now_ms())
    return client.post("/sign-in/link", data={"token": secret})


def test_a_token_never_sets_a_password(running, client):
    """A token called like the administrator, whatever its scopes, is refused, gets no cookie, and changes nothing."""
    accounts = running.runtime.accounts
    accounts.set_password("admin", "the-true-password", running.runtime.now_ms())
    for role, name in ((AccountRole.VIEWER, "admin"), (AccountRole.ADMIN, "sun")):
        thief = client(authorization=f"Bearer {accounts.make_token(name, role, 1)}")
        answer = thief.post("/password", data={"password": "stolen-it", "again": "stolen-it", "old": ""})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert thief.get("/password").status_code == 403
    signed_in = client().post("/sign-in", data={"name": "admin", "password": "the-true-password"})
    assert signed_in.status_code == 303


def test_a_password_changes_with_the_old_one(running, client, sun):
    """Without the old password, or with a wrong one, nothing changes; with it, all other sessions end and this one goes on."""
    here, elsewhere = client(), client()
    for one in (here, elsewhere):
        assert one.post("/sign-in", data=sun).status_code == 303
    new = {"password": "a-new-password", "again": "a-new-password"}
    assert "原密码" in here.get("/password").text
    for old in ({}, {"old": "guessed"}):
        answer = here.post("/password", data=new | old)
        assert (answer.status_code, "原密码不对" in answer.text) == (403, True)
    assert elsewhere.get("/api/alerts").status_code == 200
    assert here.post("/password", data=new | {"old": "sun-password"}).status_code == 303
    assert here.get("/api/alerts").status_code == 200
    assert elsewhere.get("/api/alerts").status_code == 401
    assert client().post("/sign-in", data=sun).status_code == 401


def test_guessing_the_old_password_is_slowed_down(running, client, sun):
    """Whoever sits down at an open page cannot try one password after the other."""
    here = client()
    here.post("/sign-in", data=sun)
    form = {"password": "a-new-password", "again": "a-new-password", "old": "guess"}
    found = [here.post("/password", data=form) for _ in range(6)]
    assert [one.status_code for one in found] == [403] * 5 + [429]
    assert int(found[-1].headers["retry-after"]) > 0


def test_a_preview_uses_no_link_up(running, client):
    """Opening the link, however often, signs nobody in; the button does, once; its session may set a first password."""
    secret = running.runtime.accounts.make_link("admin", running.runtime.now_ms())
    preview = client()
    for _ in range(3):
        seen = preview.get("/sign-in/link", params={"token": secret})
        assert (seen.status_code, "管理员" in seen.text, "set-cookie" in seen.headers) == (200, True, False)
    person = client()
    assert person.post("/sign-in/link", data={"token": secret}).headers["location"] == "/password"
    assert "原密码" not in person.get("/password").text
    spent = client().post("/sign-in/link", data={"token": secret})
    assert (spent.status_code, "已经用过" in spent.text) == (401, True)
    assert "已经用过" in client().get("/sign-in/link", params={"token": secret}).text
    foreign = client(origin="https://evil.example").post("/sign-in/link", data={"token": "any"})
    assert foreign.status_code == 403


def test_a_cookie_is_void_after_signing_out(running, client):
    """Whoever copied the cookie has nothing any more."""
    person = client()
    by_link(running, person)
    copied = client(cookie=f"shouyuan_session={person.cookies['shouyuan_session']}")
    assert copied.get("/api/alerts").status_code == 200
    person.post("/sign-out")
    assert copied.get("/api/alerts").status_code == 401
    assert client(cookie="shouyuan_session=made-up").get("/api/alerts").status_code == 401


@pytest.mark.parametrize("end", ["sign out", "disabled", "token"])
def test_an_open_stream_ends_with_its_account(running, client, sun, end):
    """Live events stop when the session or token that opened them is over."""
    accounts, now_ms = running.runtime.accounts, running.runtime.now_ms()
    person = client()
    person.post("/sign-in", data=sun)
    if end == "token":
        secret = accounts.tokens.add("robot", [Scope.READ], actor=BOSS, now_ms=now_ms)
        listening = client(authorization=f"Bearer {secret}")
    else:
        listening = client(cookie=f"shouyuan_session={person.cookies['shouyuan_session']}")
    heard, over = threading.Event(), threading.Event()

    def listen():
        with listening.stream("GET", "/api/live") as stream:
            for _ in stream.iter_lines():
                heard.set()
        over.set()

    threading.Thread(target=listen, daemon=True).start()
    assert heard.wait(30)
    {
        "sign out": lambda: person.post("/sign-out"),
        "disabled": lambda: accounts.users.change("sun", disabled=True, actor=BOSS, now_ms=now_ms),
        "token": lambda: accounts.tokens.delete("robot", actor=BOSS, now_ms=now_ms),
    }[end]()
    assert over.wait(30)


def test_sixty_wrong_passwords_at_once_stop_no_alarm(running, client, sun, bot):
    """Guessing by a crowd is refused with 401, 429 or 503, never 500; meanwhile an alarm opens and reaches people."""
    begin, guessers = threading.Barrier(61), [client() for _ in range(60)]

    def guess(number):
        begin.wait(30)
        data = {"name": ("sun", "admin", "nobody")[number % 3], "password": f"guess-{number}"}
        return guessers[number].post("/sign-in", data=data)

    with capture_logs() as logs, ThreadPoolExecutor(60) as pool:
        answers = [pool.submit(guess, number) for number in range(60)]
        begin.wait(30)
        running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3}')
        assert bot.wait_for(1, 30)
        found = [one.result(30) for one in answers]
    assert {one.status_code for one in found} <= {401, 429, 503}
    assert all("retry-after" in one.headers for one in found if one.status_code != 401)
    assert [one["event"] for one in logs if one["log_level"] in {"error", "critical"}] == []
    assert client().get("/health/live").status_code == 200
