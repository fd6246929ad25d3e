"""The duty page in a real browser: live, acknowledged, on a phone."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import shutil

import pytest
from fastapi import APIRouter
from playwright.sync_api import sync_playwright
from tests_support import wait_until

from api import routes
from api.accounts import Actor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]

PAGES = (
    "/",
    "/phone",
    "/drills",
    "/calendar",
    "/held",
    "/held/adopt?address=Nobody",
    "/devices/freezer",
    "/alerts/1",
    "/password",
    "/account",
    "/users",
    "/audit",
    "/sign-in",
    "/sign-in/link?token=none",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian package chromium)"),
]


@pytest.fixture(scope="module")
def chromium():
    """One browser for all; each test has a profile of its own in it."""
    flags = [*FLAGS, "--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def page(running, chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.problems, page.asked = [], []
    page.on(
        "console", lambda message: page.problems.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    token = running.runtime.accounts.make_link("admin", running.runtime.now_ms())
    page.goto(f"{running.url}/sign-in/link?token={token}")
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/password")
    page.goto(running.url)
    page.get_by_text("实时", exact=True).wait_for()
    yield page
    context.close()


def test_an_alert_appears_and_is_taken_on(running, page):
    """Without a reload: the value, the alert, and the name of who takes it on; nothing from outside."""
    assert page.get_by_text("现在没有告警").is_visible()
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -18.5}')
    page.get_by_text("-18.5 °C").wait_for()
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    card = page.locator(".card.critical")
    card.wait_for()
    assert "温度过高" in card.inner_text()
    page.get_by_role("button", name="我来处理").click()
    page.get_by_text("管理员 正在处理").wait_for()
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -20.0}')
    page.get_by_text("现在没有告警").wait_for()
    assert page.problems == []
    assert all(url.startswith(running.url) for url in page.asked)


def test_the_phone_has_room_for_everything(running, page):
    """At a phone's width nothing runs over the edge, and the button is big enough for a thumb."""
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    page.locator(".card").wait_for()
    for width in (360, 390):
        page.set_viewport_size({"width": width, "height": 780})
        for path in ("/", "/phone", "/held", "/drills", "/calendar", "/devices/freezer"):
            page.goto(running.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    page.goto(running.url)
    assert page.get_by_role("button", name="我来处理").bounding_box()["height"] >= 44


def test_a_chart_is_drawn(running, page):
    """A device's page draws its last day."""
    for number in range(3):
        running.publish("zigbee2mqtt/Freezer", f'{{"temperature": {-18 - number}}}'.encode())
    page.get_by_text("-20.0 °C").wait_for()
    page.goto(f"{running.url}/devices/freezer")
    page.locator(".chart canvas").first.wait_for()
    assert page.problems == []


def test_a_lost_connection_is_said(running, page):
    """When the service goes, the page says that what it shows may be old."""
    running.runtime.feed.close()
    running.server.should_exit = True
    page.get_by_text("与服务器的连接断开了").wait_for()


def test_an_ended_sign_in_leads_to_the_way_in(running, page):
    """A session that is ended elsewhere is not shown as a lost connection: the page goes where one signs in again."""
    running.runtime.accounts.users.sign_out("admin", actor=Actor("test"), now_ms=running.runtime.now_ms())
    page.wait_for_url(re.compile("/sign-in"), timeout=60_000)


def test_an_exercise_from_the_page(running, page):
    """Ordered with the form, refused with the reason first; every page says so while it runs; stopped with a button."""
    page.goto(f"{running.url}/drills")
    page.locator("[name=scenario]").select_option("freezer_door_open")
    page.locator("[name=speed]").select_option("60")
    page.get_by_role("button", name="开始演练").click()
    page.get_by_text("没有选通知谁").wait_for()
    assert page.locator("[name=scenario]").input_value() == "freezer_door_open"
    page.locator("[name=people][value=group]").check()
    page.get_by_role("button", name="开始演练").click()
    page.get_by_role("button", name="停止演练").wait_for()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 780})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(running.url)
    assert "带“演练”的告警不是真的" in page.locator(".drilling").inner_text()
    page.locator(".drilling a").click()
    page.get_by_role("button", name="停止演练").click()
    page.get_by_role("link", name="下载 Excel").wait_for()
    assert page.get_by_role("button", name="停止演练").count() == 0
    assert all("409" in problem for problem in page.problems)
    assert all(url.startswith(running.url) for url in page.asked)


@pytest.fixture
def busy(running):
    """A service with something to show on every page."""
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    running.publish("zigbee2mqtt/Nobody", b'{"temperature": 1}')
    running.publish("zigbee2mqtt/Freezer", b"<style>*{color:red}</style><script>alert(1)</script>")
    wait_until(
        lambda: running.runtime.book.open_alerts() and running.runtime.journal.counts().quarantined == 2, 30
    )
    return running


def test_every_page_is_walked():
    """A page that is new is walked by the tests below, too."""
    modules = [
        importlib.import_module(f"api.routes.{one.name}") for one in pkgutil.iter_modules(routes.__path__)
    ]
    found = {
        route.path.format(device_id="freezer", alert_id=1)
        for module in modules
        for route in getattr(module, "router", APIRouter()).routes
        if not route.include_in_schema and "GET" in route.methods and "drill_id" not in route.path
    }
    assert {path for path in found if not path.startswith("/parts/")} == {
        path.partition("?")[0] for path in PAGES
    }


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_keeps_the_policy(busy, page, width):
    """No page, and nothing a person does on it, asks for what the strict policy forbids or leaves an error in the console."""
    page.set_viewport_size({"width": width, "height": 900})
    for path in PAGES:
        answer = page.goto(busy.url + path)
        assert answer.status in {200, 401 if "token=" in path else 200}, path
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        for said in ("base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "object-src 'none'"):
            assert said in policy
        assert answer.headers["cache-control"] == "no-store", path
        assert (
            page.evaluate(
                "document.querySelectorAll('[style], style').length - document.querySelectorAll('.chart [style], .chart[style]').length"
            )
            == 0
        ), path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if os.environ.get("SHOUYUAN_SCREENSHOTS"):
            page.screenshot(
                path=f"{os.environ['SHOUYUAN_SCREENSHOTS']}/{width}{path.replace('/', '_')}.png",
                full_page=True,
            )
    page.goto(f"{busy.url}/account")  # shows nothing live, and speaks of no connection
    page.locator("#link").wait_for(state="hidden", timeout=30_000)
    page.goto(f"{busy.url}/devices/freezer")
    chart = page.locator(".chart canvas").first
    chart.wait_for(timeout=30_000)
    chart.hover()
    page.get_by_role("button", name="7 天").click()
    page.goto(busy.url)
    page.get_by_role("button", name="我来处理").click()
    page.get_by_text("管理员 正在处理").wait_for(timeout=30_000)
    page.goto(f"{busy.url}/phone")
    page.get_by_text("管理员 正在处理").or_(page.locator(".bubble").first).first.wait_for(timeout=30_000)
    assert [
        one for one in page.problems if "401" not in one
    ] == []  # a spent link's page says so with its status, too


def test_a_part_that_was_refused_is_asked_for_again(running, page):
    """Where too many ask at once, the page that was told to try again does so by itself, and the alert shows."""
    refused = []

    def refuse_once(route):
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=503, json={"error": "too many requests at once"})

    page.route("**/parts/alerts", refuse_once)
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    page.locator(".card.critical").wait_for(timeout=30_000)
    assert refused
    assert all("503" in problem for problem in page.problems)
