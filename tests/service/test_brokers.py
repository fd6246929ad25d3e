"""Several brokers at once: ours and others, each with its own session and topics."""

from __future__ import annotations

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import PATIENCE_S, wait_until

from api.ports import Condition
from campus.campus import Campus
from campus.site import Site
from service.broker import EmbeddedBroker
from service.runtime import Runtime
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
    publish(own_port, "tele/light/SENSOR", light)  # nobody listens for it there
    publish(other.port, "tele/light/SENSOR", light)
    wait_until(lambda: journaled() == 3)
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
    monkeypatch.setattr("service.broker.find_broker", lambda: broker_program)
    body = site.model_dump(mode="json") | {"broker": {"listen": "127.0.0.1:0"}}
    campus = Campus(site=Site.model_validate(body), devices=devices)
    runtime = Runtime(campus, ServiceSettings(data=tmp_path / "data"), write=lambda _text: None)
    runtime.start()
    wait_until(lambda: runtime.brokers.connected)
    publish(runtime.brokers.embedded.port, topic, '{"what": "is this"}')
    wait_until(lambda: runtime.journal.counts().received == 1)
    runtime.stop()
