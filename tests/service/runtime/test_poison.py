"""What kills the service twice is set aside at the third start: a message, a rule on a device, a message on its channel."""

from __future__ import annotations

import json
import sqlite3

import paho.mqtt.client as mqtt
import pytest
from children import Children
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import PATIENCE_S, wait_until

from alerts.own import service as own
from service.broker.embedded import EmbeddedBroker
from store.journal.journal import Journal
from store.quarantine import POISON


class Scene:
    """A service that dies of three things, its broker, and somebody who publishes."""

    def __init__(self, tmp_path):
        self.data = tmp_path / "data"
        self.broker = EmbeddedBroker(tmp_path / "broker")
        self.broker.start()
        self.children = Children(self.data, self.broker.port, "poison_child.py")
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", self.broker.port)
        self._client.loop_start()

    def publish(self, topic, body):
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)

    def fridge(self, number, celsius):
        address = f"24e1240000{number:06x}"
        body = {"deviceInfo": {"devEui": address}, "object": {"temperature": celsius}}
        self.publish(f"application/1/device/{address}/event/up", body)

    def dies_twice(self, *, after):
        """Does what kills, and sees the service die of it at once and again after the next start."""
        after()
        self.children.wait_gone()
        self.children.start()
        self.children.wait_gone()
        self.children.start()
        self.children.wait_up()

    def alerts(self):
        with sqlite3.connect(f"file:{self.data / 'operations.db'}?mode=ro", uri=True) as database:
            return set(database.execute("SELECT rule, subject FROM alerts WHERE state != 'resolved'"))

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
        self.children.close()
        self.broker.stop()


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_kills_twice_is_set_aside(scene):
    """After two deaths each of a message, a rule on a device and a channel: all else is judged, and all three are told of."""
    scene.children.start()
    scene.children.wait_up()
    scene.dies_twice(
        after=lambda: scene.publish("zigbee2mqtt/Freezer", b'{"temperature": -1, "note": "poison"}')
    )
    _see_the_message_held(scene)
    scene.dies_twice(after=lambda: scene.fridge(1, 33.25))
    _see_the_rule_off(scene)
    scene.dies_twice(after=lambda: scene.fridge(2, 30.0))
    _see_the_next_channel(scene)
    scene.children.end()


def _see_the_message_held(scene):
    """It waits in quarantine, others of its topic are judged, and an alert says so."""
    scene.publish("zigbee2mqtt/Freezer", {"temperature": 5.0})
    wait_until(lambda: ("cold.above_limit", "freezer") in scene.alerts())
    wait_until(lambda: own.POISON_MESSAGE in {rule for rule, _ in scene.alerts()})
    journal = Journal(scene.data / "journal.db", quota_bytes=10**10)
    held = journal.quarantined(code=POISON)
    journal.close()
    assert [(one.topic, b"poison" in one.payload) for one in held] == [("zigbee2mqtt/Freezer", True)]


def _see_the_rule_off(scene):
    """The rule is off for that device only, and an alert names both."""
    scene.fridge(3, 30.0)
    wait_until(lambda: ("cold.above_limit", "fridge-3") in scene.alerts())
    wait_until(lambda: (own.POISON_RULE, "cold.above_limit/fridge-1") in scene.alerts())
    assert ("cold.above_limit", "fridge-1") not in scene.alerts()


def _see_the_next_channel(scene):
    """The message took the fall-back, and an alert names the channel."""
    console = scene.data / "console.txt"
    wait_until(lambda: console.exists() and "F2" in console.read_text(encoding="utf-8"))
    wait_until(lambda: (own.POISON_CHANNEL, "phone") in scene.alerts())
