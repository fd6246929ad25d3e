"""Nobody reads what the service reads at the embedded broker, nor takes its session; what is its own, a device may publish."""

from __future__ import annotations

import json
import stat

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import wait_until

from campus.campus import Campus
from campus.site import Site
from service.broker.access import nats_subjects
from service.broker.embedded import EmbeddedBroker
from service.broker.identity import SERVICE, SIMULATOR
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings


class Client:
    """A client of the broker, connected; it notes what it hears and whether it was refused."""

    def __init__(self, port, client_id="", account=("", ""), *, clean=True):
        self.heard, self.answers = [], []
        self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        if account[0]:
            self._mqtt.username_pw_set(*account)
        self._mqtt.on_message = lambda _client, _data, message: self.heard.append(message.payload)
        self._mqtt.on_connect = lambda *args: self.answers.append(args[3].is_failure)
        self._mqtt.on_subscribe = lambda *args: self.answers.append(args[3][0].is_failure)
        self._mqtt.connect("127.0.0.1", port)
        self._mqtt.loop_start()
        wait_until(lambda: self.answers)
        self.refused = self.answers[0]

    def subscribe(self, topic):
        before = len(self.answers)
        self._mqtt.subscribe(topic, 1)
        wait_until(lambda: len(self.answers) > before)

    def publish(self, topic, payload):
        self._mqtt.publish(topic, payload, qos=1).wait_for_publish(30)

    def close(self):
        self._mqtt.disconnect()
        self._mqtt.loop_stop()


@pytest.fixture
def campus(broker_program, monkeypatch, site, devices):
    monkeypatch.setattr("service.broker.embedded.find_broker", lambda: broker_program)
    return campus_of(site, devices)


def campus_of(site, devices, **broker):
    body = site.model_dump(mode="json") | {"broker": {"listen": "127.0.0.1:0"} | broker}
    return Campus(site=Site.model_validate(body), devices=devices)


@pytest.fixture
def start(campus, tmp_path):
    started = []

    def begin(chosen=campus):
        runtime = Runtime(chosen, ServiceSettings(data=tmp_path / "data"), write=lambda _text: None)
        runtime.start()
        started.append(runtime)
        wait_until(lambda: runtime.brokers.connected)
        return runtime

    yield begin
    for runtime in started:
        runtime.stop()


@pytest.fixture
def client():
    opened = []

    def connect(port, *args, **options):
        opened.append(Client(port, *args, **options))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def test_another_client_hears_nothing(start, client):
    """A device may publish without a name, but hears nothing of what others publish; commands it does hear."""
    runtime = start()
    port = runtime.brokers.embedded.port
    spy, device = client(port), client(port)
    for topic in ("#", "+/+", "zigbee2mqtt/Freezer", "$MQTT/sub/#", "cmnd/pump/POWER"):
        spy.subscribe(topic)
    device.publish("zigbee2mqtt/Freezer", '{"temperature": -18}')
    wait_until(lambda: runtime.journal.counts().journaled == 1)
    device.publish("cmnd/pump/POWER", "ON")
    wait_until(lambda: spy.heard)
    assert set(spy.heard) == {b"ON"}


def test_the_guessable_session_is_not_ours(start, client):
    """A client that comes with the service's old client id, or its user name, takes nothing: the service hears all."""
    runtime = start()
    port = runtime.brokers.embedded.port
    (connection,) = runtime.brokers.connections.values()
    thief = client(port, "shouyuan-school", clean=False)
    thief.subscribe("#")
    guesser = client(port, account=(SERVICE, "guess"))
    assert guesser.refused
    device = client(port)
    for number in range(20):
        device.publish("zigbee2mqtt/Freezer", json.dumps({"temperature": -18 - number}))
    wait_until(lambda: runtime.journal.counts().journaled == 20)
    assert connection.connected
    assert thief.heard == []


def test_the_session_outlives_the_service(start, client):
    """The secret client id is kept, so that messages taken while the service is away are delivered."""
    runtime = start()
    known = runtime.brokers.address()
    file = runtime.settings.data / "broker-identity.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert known.client_id not in {"shouyuan-school", ""}
    port = runtime.brokers.embedded.port
    runtime.brokers.stop_receiving()
    client(port).publish("zigbee2mqtt/Freezer", '{"temperature": -18}')
    runtime.stop()
    again = start()
    wait_until(lambda: again.journal.counts().journaled == 1)
    assert again.brokers.address().client_id == known.client_id


def test_simulated_devices_publish_and_hear_nothing(start, client):
    """The account of simulators and drills may publish what devices publish, and nothing more."""
    runtime = start()
    address = runtime.brokers.simulated()
    assert address.username == SIMULATOR
    simulator = client(address.port, account=(address.username, address.password))
    simulator.subscribe("#")
    simulator.publish("zigbee2mqtt/Freezer", '{"temperature": -18}')
    wait_until(lambda: runtime.journal.counts().journaled == 1)
    assert simulator.heard == []


def test_the_shared_account_may_hear_what_site_yaml_says(start, client, site, devices):
    """With a password for all devices nobody comes without it, and they hear what listen_subscribe names."""
    chosen = campus_of(site, devices, username="school", password="secret", listen_subscribe=["gw/#"])
    runtime = start(chosen)
    port = runtime.brokers.embedded.port
    assert client(port).refused
    network_server = client(port, account=("school", "secret"))
    network_server.subscribe("gw/#")
    gateway = client(port, account=("school", "secret"))
    gateway.publish("gw/1/event/up", "telegram")
    gateway.publish("zigbee2mqtt/Freezer", '{"temperature": -18}')
    wait_until(lambda: runtime.journal.counts().received == 2)
    wait_until(lambda: network_server.heard == [b"telegram"])


def test_the_session_of_an_older_version_is_emptied(broker_program, start, client, tmp_path):
    """What waits under the old client id is journaled once, and the old session is gone: it cannot fill up for ever."""
    old = EmbeddedBroker(tmp_path / "data" / "broker", program=broker_program)
    old.start()
    before = client(old.port, "shouyuan-school", clean=False)
    before.subscribe("#")
    before.close()
    device = client(old.port)
    for number in range(50):
        device.publish("zigbee2mqtt/Freezer", json.dumps({"temperature": -18 - number}))
    device.close()
    old.stop()
    runtime = start()
    wait_until(lambda: runtime.journal.counts().journaled == 50)
    assert runtime.journal.counts().received == 50
    assert runtime.brokers.address().client_id != "shouyuan-school"
    returning = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="shouyuan-school", clean_session=False)
    present = []
    returning.on_connect = lambda *args: present.append(args[2].session_present)
    returning.connect("127.0.0.1", runtime.brokers.embedded.port)
    returning.loop_start()
    wait_until(lambda: present)
    returning.disconnect()
    returning.loop_stop()
    assert present == [False]


@pytest.mark.parametrize(
    ("topic", "subjects"),
    [
        ("a/b", ("a.b",)),
        ("#", (">",)),
        ("a/+/c", ("a.*.c",)),
        ("a/#", ("a", "a.>")),
        ("/a/b", ("/.a.b",)),
        ("a/", ("a./",)),
        ("a//b", ("a./.b",)),
        ("v1.2/x", ("v1//2.x",)),
        ("a b/c", ()),
    ],
)
def test_topics_as_subjects(topic, subjects):
    """Topic filters are said as nats-server says them (its documentation on MQTT)."""
    assert nats_subjects(topic) == subjects
