"""A started service for tests: with its page, and a client of each kind."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import httpx2
import paho.mqtt.client as mqtt
import pytest
import uvicorn
import yaml
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import PATIENCE_S, wait_until

from api.accounts import AccountRole
from api.app import create_app
from api.transport.server import server_config
from campus.campus import Campus
from campus.site import Site
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings
from simulators.output import providers

EXAMPLE = Path(__file__).parents[1] / "examples" / "school"


def example_school(tmp_path, **channels):
    """A copy of the example school on a free port, with *channels* added to its own or in their place."""
    school = Path(shutil.copytree(EXAMPLE, tmp_path / "school"))
    body = yaml.safe_load((school / "site.yaml").read_text(encoding="utf-8"))
    body["broker"] = {"url": "embedded", "listen": "127.0.0.1:0"}
    body["channels"] |= channels
    (school / "site.yaml").write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    return school


class Running:
    """A started service with its page, and a client of each kind."""

    def __init__(self, campus, data, *, folder=None, **settings):
        settings = ServiceSettings(data=data, **settings)
        self.runtime = Runtime(campus, settings, write=lambda _text: None, folder=folder)
        self.runtime.start()
        config = server_config(create_app(self.runtime.services()), port=0, timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        wait_until(lambda: self.server.started)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx2.Client(base_url=self.url, timeout=PATIENCE_S)
        token = self.runtime.accounts.make_token("test", AccountRole.ADMIN, self.runtime.now_ms())
        self.http.headers["authorization"] = f"Bearer {token}"
        wait_until(lambda: self.runtime.brokers.connected)
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.mqtt.connect("127.0.0.1", self.runtime.brokers.embedded.port)
        self.mqtt.loop_start()

    def publish(self, topic, payload):
        self.mqtt.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)

    def stop(self):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()
        self.http.close()
        self.runtime.feed.close()
        self.server.should_exit = True
        self.thread.join(PATIENCE_S)
        self.runtime.stop()


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


@pytest.fixture
def runtime(broker_program, monkeypatch, site, devices, tmp_path):
    """A started service without a page, at the embedded broker of each program in turn."""
    monkeypatch.setattr("service.broker.embedded.find_broker", lambda: broker_program)
    body = site.model_dump(mode="json") | {"broker": {"listen": "127.0.0.1:0"}}
    campus = Campus(site=Site.model_validate(body), devices=devices)
    made = Runtime(campus, ServiceSettings(data=tmp_path / "data"), write=lambda _text: None)
    made.start()
    wait_until(lambda: made.brokers.connected)
    yield made
    made.stop()
