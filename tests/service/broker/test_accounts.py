"""An account for each device or gateway at the embedded broker: what is its own it may publish, and nothing else."""

from __future__ import annotations

import json

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.client import topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion
from service_fixtures import EXAMPLE
from tests_support import wait_until
from typer.testing import CliRunner

from campus.folder import load_campus
from ingest.decoding.own_topics import own_topics
from service.broker.accounts import BrokerAccounts
from service.cli.main_command import app
from service.errors import AccountRefused
from simulators.campus.world import World

bcrypt = pytest.importorskip("bcrypt", reason="make brings it")


class Device:
    """A device that connects with its account and publishes; it notes whether it was let in, and what it hears."""

    def __init__(self, port, user, password):
        self.heard, self._answers = [], []
        self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._mqtt.username_pw_set(user, password)
        self._mqtt.on_connect = lambda *args: self._answers.append(args[3].is_failure)
        self._mqtt.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self._mqtt.connect("127.0.0.1", port)
        self._mqtt.loop_start()
        wait_until(lambda: self._answers)
        self.refused = self._answers[0]

    def publish(self, topic, payload='{"ENERGY": {"Total": 1.5}}'):
        self._mqtt.publish(topic, payload, qos=1).wait_for_publish(30)

    def subscribe(self, topic):
        done = []
        self._mqtt.on_subscribe = lambda *_: done.append(1)
        self._mqtt.subscribe(topic, 1)
        wait_until(lambda: done)

    def close(self):
        self._mqtt.disconnect()
        self._mqtt.loop_stop()


def account(runtime, name, **what):
    """A new account, as soon as the running broker knows it."""
    password = BrokerAccounts(runtime.settings.data).add(name, **what)

    def let_in():
        device = Device(runtime.brokers.embedded.port, name, password)
        if device.refused:
            device.close()
            return False
        opened.append(device)
        return True

    opened = []
    wait_until(let_in)
    return opened[0]


def test_only_its_own_topics(runtime):
    """Made while the service runs; a foreign topic is refused, its own arrives, a revoked account is not let in."""
    accounts = BrokerAccounts(runtime.settings.data)
    light = account(runtime, "circuit", devices=["circuit"])
    light.subscribe("#")
    light.subscribe("cmnd/light/POWER")
    for topic in ("tele/pipe1/SENSOR", "zigbee2mqtt/Freezer", "$JS/API/INFO", "tele/light/SENSOR"):
        light.publish(topic)
    wait_until(lambda: runtime.journal.counts().received == 1)
    gateway = account(runtime, "gw", prefixes=["zigbee2mqtt/"])
    gateway.publish("tele/light/SENSOR", '{"ENERGY": {"Total": 7}}')
    gateway.publish("zigbee2mqtt/Freezer", '{"temperature": -18}')
    gateway.publish("cmnd/light/POWER", "ON")
    wait_until(lambda: runtime.journal.counts().received == 2)
    assert light.heard == []
    simulated = runtime.brokers.simulated()
    other = Device(simulated.port, simulated.username, simulated.password)
    other.publish("cmnd/light/POWER", "ON")
    wait_until(lambda: light.heard == ["cmnd/light/POWER"])
    assert runtime.brokers.connected  # nobody was thrown out meanwhile
    accounts.revoke("gw")

    def is_refused():
        late = Device(runtime.brokers.embedded.port, "gw", "whatever")
        late.close()
        return late.refused

    wait_until(is_refused)
    for one in (light, gateway, other):
        one.close()


def test_nothing_is_lost_while_accounts_change(runtime):
    """Messages published while accounts are made and taken away all arrive, once."""
    accounts = BrokerAccounts(runtime.settings.data)
    steady = account(runtime, "steady", prefixes=["zigbee2mqtt"])
    for number in range(60):
        steady.publish("zigbee2mqtt/Freezer", json.dumps({"temperature": -18 - number / 100}))
        if number % 20 == 0:
            accounts.add(f"more-{number}", prefixes=["x"])
            steady.publish("zigbee2mqtt/Freezer", json.dumps({"temperature": -10 - number / 100}))
            account(runtime, f"shown-{number}", prefixes=["y"]).close()
    wait_until(lambda: runtime.journal.counts().journaled == 63)
    assert runtime.journal.counts().received == 63
    steady.close()


def test_what_the_simulator_sends_is_its_own():
    """Each device of the example school that can have an account publishes on its own topics only."""
    campus = load_campus(EXAMPLE)
    covered = 0
    for report in World(campus, seed=1).everyone(1_795_233_600_000):
        for publication in report.publications(campus.site):
            own = own_topics(report.simulated.device, campus.site).publish
            covered += bool(own)
            assert not own or any(topic_matches_sub(one, publication.topic) for one in own), publication.topic
    assert covered > 30


def test_from_the_command_line(tmp_path):
    """add prints a password once and what the account may do; list and revoke know it; only hashes are kept."""
    data, campus = ["--data", str(tmp_path)], ["--campus", str(EXAMPLE)]
    run = CliRunner().invoke
    made = run(app, ["broker", "accounts", "add", "elec-t1", "gw-lora", *campus, *data])
    assert made.exit_code == 0, made.output
    assert "shellypro3em-a0b1c2d3e4f0/status/+" in made.output
    assert "application/+/device/24e1240000000051/event/+" in made.output
    password = made.output.split("password:")[1].split()[0]
    kept = (tmp_path / "broker-accounts.json").read_text(encoding="utf-8")
    assert password not in kept
    assert "$7$101$" in kept
    listed = run(app, ["broker", "accounts", "list", *campus, *data])
    assert "elec-t1" in listed.output
    assert password not in listed.output
    assert run(app, ["broker", "accounts", "revoke", "elec-t1", *data]).exit_code == 0
    assert run(app, ["broker", "accounts", "revoke", "elec-t1", *data]).exit_code == 1
    bridged = run(app, ["broker", "accounts", "add", "elec-dorm-1", *campus, *data])
    assert (bridged.exit_code, "--prefix" in bridged.output) == (1, True)
    everyone = run(app, ["broker", "accounts", "add", "--all", *campus, *data])
    assert everyone.exit_code == 0
    assert everyone.output.count("password:") > 20


@pytest.mark.parametrize("prefix", ["", "/", "#", "a/+/b", "a\nuser root"])
def test_prefixes_that_would_open_more(tmp_path, prefix):
    """A prefix that covers everything, or could write another line of the broker's files, is refused."""
    with pytest.raises(AccountRefused, match="prefix"):
        BrokerAccounts(tmp_path).add("gw", prefixes=[prefix])


def test_names_that_are_ours(tmp_path):
    """The service's own name, and what could not stand in the broker's files, are refused."""
    for name in ("shouyuan-service", "a b", "a:b", "", "a\nb"):
        with pytest.raises(AccountRefused):
            BrokerAccounts(tmp_path).add(name, prefixes=["x"])
