"""Several brokers at once: ours and others, each with its own session and topics."""

from __future__ import annotations

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from service_fixtures import Running, example_school
from tests_support import PATIENCE_S, wait_until

from api.ports import Condition
from campus.campus import Campus
from campus.folder import load_campus
from campus.site import Site
from service.broker.embedded import EmbeddedBroker
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings


def publish(port, topic, payload):
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


@pytest.fixture
def other(broker_program, tmp_path):
    broker = EmbeddedBroker(tmp_path / "other", program=broker_program)
    broker.start()
    yield broker
    broker.stop()


def test_two_brokers(other, site, devices, tmp_path):
    """What comes in at either is journaled; one that goes is said by name, and the other works on."""
    body = site.model_dump(mode="json", exclude={"broker"}) | {
        "brokers": {
            "own": {"url": "embedded", "listen": "127.0.0.1:0"},
            "lora": {"url": f"mqtt://127.0.0.1:{other.port}"},
        },
        "sources": [
            {"topic": "zigbee2mqtt/#", "decoder": "zigbee2mqtt"},
            {"topic": "tele/+/+", "decoder": "tasmota", "broker": "lora"},
        ],
    }
    campus = Campus(site=Site.model_validate(body), devices=devices)
    runtime = Runtime(campus, ServiceSettings(data=tmp_path / "data"), write=lambda _text: None)
    runtime.start()
    wait_until(lambda: runtime.brokers.connected)
    own_port = runtime.brokers.embedded.port

    def journaled():
        return runtime.journal.counts().journaled

    for number, port in enumerate((own_port, other.port)):
        publish(port, "zigbee2mqtt/Freezer", f'{{"temperature": -{18 + number}}}')
    wait_until(lambda: journaled() == 2)
    light = '{"ENERGY": {"Total": 1.5}}'
    publish(other.port, "nobody/listens", light)  # another's broker: its sources only
    publish(own_port, "homie/unknown/thing", light)  # our own: everything
    publish(other.port, "tele/light/SENSOR", light)
    wait_until(lambda: journaled() == 3)
    wait_until(lambda: runtime.journal.counts().received == 4)
    other.stop()
    wait_until(lambda: not runtime.brokers.connected)

    def part():
        return next(one for one in runtime.health().parts if one.name == "broker")

    wait_until(lambda: part().condition is Condition.DEGRADED)
    assert "lora" in part().text
    publish(own_port, "zigbee2mqtt/Freezer", '{"temperature": -21}')
    wait_until(lambda: journaled() == 4)
    runtime.stop()


@pytest.mark.parametrize(
    "topic", ["a/b", "$oc/devices/d1/sys/properties/report", "$sys/p/d/thing/property/post"]
)
def test_no_device_goes_unnoticed(broker_program, monkeypatch, site, devices, tmp_path, topic):
    """At our own broker every topic is heard, those that begin with a dollar included."""
    monkeypatch.setattr("service.broker.embedded.find_broker", lambda: broker_program)
    body = site.model_dump(mode="json") | {"broker": {"listen": "127.0.0.1:0"}}
    campus = Campus(site=Site.model_validate(body), devices=devices)
    runtime = Runtime(campus, ServiceSettings(data=tmp_path / "data"), write=lambda _text: None)
    runtime.start()
    wait_until(lambda: runtime.brokers.connected)
    publish(runtime.brokers.embedded.port, topic, '{"what": "is this"}')
    wait_until(lambda: runtime.journal.counts().received == 1)
    runtime.stop()


def test_at_our_own_broker_everybody_is_seen(tmp_path):
    """With the example school's sources, too, a device of a format they do not name, and garbage, appear on the page."""
    service = Running(load_campus(example_school(tmp_path)), tmp_path / "data")
    service.publish("homie/thermo/$homie", b"4.0.0")
    service.publish("weather/sensor/outside_temperature/state", b"-3.5")
    service.publish("who/knows", b"\xff\x00garbage")
    counts = service.runtime.journal.counts
    wait_until(lambda: counts().received == 3)
    assert counts().quarantined >= 1
    page = service.http.get("/held").text
    assert "who/knows" in page
    service.stop()


def test_what_another_broker_lets_us_hear_is_said(other, site, devices, tmp_path):
    """Where only some topics are subscribed to, the page names them in place of saying that everything was read."""
    body = site.model_dump(mode="json", exclude={"broker"}) | {
        "brokers": {
            "own": {"url": "embedded", "listen": "127.0.0.1:0"},
            "lora": {"url": f"mqtt://127.0.0.1:{other.port}"},
        },
        "sources": [{"topic": "tele/+/+", "decoder": "tasmota", "broker": "lora"}],
    }
    service = Running(Campus(site=Site.model_validate(body), devices=devices), tmp_path / "data")
    page = service.http.get("/held").text
    assert "<code>tele/+/+</code>" in page
    assert "lora" in page
    assert "own" not in page.split("<h1>", maxsplit=1)[0].rpartition("<main")[2]
    service.stop()
