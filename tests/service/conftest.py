"""A whole service: real broker, journal, rules, outbox, page; its provider is a local stand-in."""

from __future__ import annotations

import pytest
from service_fixtures import Running

from campus.campus import Campus
from campus.site import Site
from simulators import providers

QUICK = {"defaults": {"cold.above_limit": {"for_s": 0, "critical_for_s": 0, "keep_firing_for_s": 0}}}


@pytest.fixture
def bot():
    provider = providers.wecom_bot("KEY")
    yield provider
    provider.close()


@pytest.fixture
def live_campus(site, devices, bot):
    body = site.model_dump(mode="json") | {
        "broker": {"url": "embedded", "listen": "127.0.0.1:0"},
        "channels": {
            "group": {"kind": "wecom_bot", "key": "KEY", "base_url": bot.url},
            "phone": {"kind": "phone_page"},
        },
        "routes": [{"severity": "warning", "channels": ["group", "phone"]}],
    }
    return Campus(site=Site.model_validate(body), devices=devices, rules=QUICK)


@pytest.fixture
def running(live_campus, tmp_path):
    service = Running(live_campus, tmp_path / "data")
    yield service
    service.stop()
