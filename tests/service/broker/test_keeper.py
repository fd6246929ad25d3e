"""The embedded broker is looked after: what ends it, freezes it or damages its files is mended and told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import wait_until

from alerts.own import service as own
from service.broker.embedded import EmbeddedBroker
from service.broker.keeper import BrokerKeeper
from service.broker.probe import answers
from service.errors import BrokerUnavailable
from service.health.looks import brokers

KEPT = {"mosquitto": "mosquitto.db", "nats-server": "jetstream"}


class Session:
    """A client whose session the broker keeps."""

    def __init__(self, port, got):
        self._subscribed = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="kept", clean_session=False)
        self._client.on_message = lambda _client, _data, message: got.append(message.payload)
        self._client.on_subscribe = lambda *_: self._subscribed.append(1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def subscribe(self):
        self._client.subscribe("a/#", 1)
        wait_until(lambda: self._subscribed)

    def leave(self):
        self._client.disconnect()
        self._client.loop_stop()


class Steady:
    """A steady clock that moves only when told."""

    def __init__(self):
        self.now_ms = 1_000_000

    def __call__(self):
        return self.now_ms


def publish(port, payload, topic="zigbee2mqtt/Freezer"):
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def told(runtime):
    return {one.rule for look in brokers.looks(runtime.brokers) for one in look(runtime.now_ms())}


def journaled(runtime, count):
    wait_until(lambda: runtime.journal.counts().journaled == count)


def test_a_killed_broker_is_started_again(runtime):
    """A broker that was killed runs again at once with our session in it; readings go on, and it is told."""
    broker = runtime.brokers.embedded
    publish(broker.port, '{"temperature": -18}')
    journaled(runtime, 1)
    if broker.name == "mosquitto":
        wait_until((broker._folder / "mosquitto.db").exists)
    killed = broker.pid
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: broker.pid not in {0, killed} and runtime.brokers.keeper.last is not None)
    publish(broker.port, '{"temperature": -19}')
    wait_until(lambda: runtime.brokers.connected)
    journaled(runtime, 2)
    assert own.BROKER_RESTARTED in told(runtime)
    (connection,) = runtime.brokers.connections.values()
    assert not connection.session.forgotten_ms


def test_a_frozen_broker_is_started_again(broker_program, tmp_path):
    """A broker that lives and does not answer is ended, and started again with all that it had taken."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    clock = Steady()
    keeper = BrokerKeeper(broker, steady_ms=clock, probe_ms=1)
    got = []
    before = Session(broker.port, got)
    before.subscribe()
    before.leave()
    publish(broker.port, b"waiting", "a/b")
    frozen = broker.pid
    os.kill(frozen, signal.SIGSTOP)
    broker.answers = lambda **_: answers("127.0.0.1", broker.port, timeout_s=0.5)
    clock.now_ms += 30_000
    keeper.look()
    assert broker.pid == frozen
    clock.now_ms += 40_000
    keeper.look()
    assert broker.pid != frozen
    assert (keeper.last.number, keeper.last.reason, keeper.failure) == (1, "it did not answer", "")
    after = Session(broker.port, got)
    wait_until(lambda: got == [b"waiting"])
    after.leave()
    broker.stop()


def test_a_taken_port_is_said_and_tried_again(broker_program, tmp_path):
    """Where its port was taken meanwhile, the reason is kept, tries grow rarer, and one works when the port is free."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    clock = Steady()
    keeper = BrokerKeeper(broker, steady_ms=clock)
    broker.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", broker.port))
        other.listen()
        waits = []
        for _ in range(10):
            before_ms = clock.now_ms
            keeper.look()
            assert f"127.0.0.1:{broker.port}" in keeper.failure
            clock.now_ms = max(keeper._next_ms, before_ms)
            waits.append(clock.now_ms - before_ms)
        assert waits == sorted(waits)
        assert waits[-1] == 60_000
    keeper.look()
    assert (broker.running, keeper.failure, keeper.last.number) == (True, "", 1)
    broker.stop()


@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_damaged_store_is_set_aside(broker_program, tmp_path, damage):
    """What the broker cannot read any more gets another name, and it starts without."""
    folder = tmp_path / "broker"
    broker = EmbeddedBroker(folder, program=broker_program)
    broker.start()
    before = Session(broker.port, [])
    before.subscribe()
    before.leave()
    publish(broker.port, b"x" * 1000, "a/b")
    broker.stop()
    kept = folder / KEPT[broker.name]
    for path in [kept] if kept.is_file() else [one for one in kept.rglob("*") if one.is_file()]:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else os.urandom(len(content)))
    broker.start()
    publish(broker.port, b"y", "a/b")
    if broker.name == "mosquitto":
        assert broker.damaged == folder / "mosquitto.db.damaged-1"
        assert broker.damaged.exists()
    broker.stop()


def test_a_damaged_store_is_told(runtime, tmp_path):
    """A store that was set aside at a start is told with its new name."""
    runtime.brokers.embedded.damaged = Path("mosquitto.db.damaged-1")
    runtime.brokers.keeper._note("its store was damaged")
    assert own.BROKER_DAMAGED in told(runtime)


def test_a_broker_that_cannot_start_keeps_its_store(tmp_path):
    """Where it is not the store that hinders it, the store keeps its name."""
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "mosquitto.db").write_bytes(b"precious")
    with pytest.raises(BrokerUnavailable, match="ended at once"):
        EmbeddedBroker(folder, program="/bin/false").start()
    assert (folder / "mosquitto.db").read_bytes() == b"precious"


def test_an_orphan_is_ended(broker_program, tmp_path):
    """A broker left behind by a service that was killed does not keep the next one from its port."""
    left = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    left.start()
    again = EmbeddedBroker(tmp_path / "broker", program=broker_program, port=left.port)
    again.start()
    assert again.running
    wait_until(lambda: not left.running)
    again.stop()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give up being root")
@pytest.mark.mosquitto
def test_root_is_given_up(tmp_path, broker_program):
    """Started by root, the broker runs as another user, in a data folder that is root's alone, and saves there."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    broker = EmbeddedBroker(data / "broker", program=broker_program)
    broker.start()
    owner = Path(f"/proc/{broker.pid}").stat().st_uid
    publish(broker.port, b"kept", "a/b")
    broker.stop()
    if broker.name == "mosquitto":  # the other one lies where this test's user may not look, maybe
        assert owner != 0
        assert (data / "broker" / "mosquitto.db").exists()


_STARTS_A_BROKER = """
import sys, time
from pathlib import Path
from service.broker.embedded import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), program=sys.argv[2])
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_killed_service_leaves_no_broker(tmp_path, broker_program):
    """Where the service is killed the broker ends, too, also where it runs as another user."""
    command = [sys.executable, "-c", _STARTS_A_BROKER, str(tmp_path / "broker"), broker_program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        while not (line := service.stdout.readline()).strip().isdigit():
            assert line
        service.kill()
    wait_until(lambda: not Path(f"/proc/{int(line)}").exists())
