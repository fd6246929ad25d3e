"""Killed at random moments under load: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy.orm import Session
from tests_support import wait_until

from campus.clock import iso
from campus.quantity import Quantity
from campus.reading import Series
from service.broker import EmbeddedBroker
from store.embedded import EmbeddedStore
from store.journal import Journal
from store.operations.database import open_database
from store.operations.tables import AlertEventRow, AlertRow, OutboxRow

ROOT = Path(__file__).parents[2]
KILLS = 30
FRIDGES = 40
SEED = 4242


class Load:
    """A publisher at QoS 1 that remembers what the broker took."""

    def __init__(self, port):
        self.taken = []
        self._by_mid = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="load")
        self._client.on_publish = lambda _c, _u, mid, _r, _p: self.taken.append(mid)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def _run(self):
        generator = random.Random(SEED)
        fridges = [(n, warm) for n in range(FRIDGES) for warm in (True, False)]
        while not self._stop.wait(0.01):
            for _ in range(5):
                self.freezer()
            if fridges and generator.random() < 0.06:
                self.fridge(*fridges.pop(0))
        for one in fridges:
            self.fridge(*one)

    def freezer(self):
        """A value no other message has, and no time: the hardest to know again."""
        self._sent += 1
        value = round(-18 - self._sent / 10_000, 4)
        self._publish("zigbee2mqtt/Freezer", {"temperature": value}, value)

    def fridge(self, number, warm):
        now_ms = time.time_ns() // 1_000_000
        address = f"24e1240000{number:06x}"
        body = {
            "deviceInfo": {"devEui": address},
            "time": iso(now_ms),
            "object": {"temperature": 30.0 if warm else 4.0},
        }
        self._publish(f"application/1/device/{address}/event/up", body, None)

    def _publish(self, topic, body, value):
        info = self._client.publish(topic, json.dumps(body), qos=1)
        if value is not None:
            self._by_mid.setdefault(info.mid, []).append(value)
        self._last = info

    def stop(self):
        """Ends the load; every message sent is taken by then."""
        self._stop.set()
        self._thread.join(20)
        self._last.wait_for_publish(20)
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def values(self):
        return [value for values in self._by_mid.values() for value in values]


def spawn(data, port):
    command = [sys.executable, "tests/service/kill_child.py", str(data), str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_thirty_kills_lose_and_double_nothing(tmp_path, broker_program):
    """Thirty SIGKILLs at random moments, from start-up to full work: every reading once, every alert once."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    data = tmp_path / "data"
    children = [spawn(data, broker.port)]
    try:
        published = _kill_again_and_again(children, data, broker.port)
        _wait_for_drain(data / "journal.db", len(published) + 2 * FRIDGES)
        _wait_for_alerts(data)
        children[-1].send_signal(signal.SIGTERM)
        assert children[-1].wait(20) == 0
    finally:
        for child in children:
            child.kill()
            child.wait(10)
            child.stdout.close()
        broker.stop()
    _check_readings(data, published)
    _check_alerts(data)


def _kill_again_and_again(children, data, port):
    """Kills child after child while the load goes on; what was published."""
    generator = random.Random(SEED)
    assert children[0].stdout.readline() == b"up\n"
    threading.Event().wait(1.0)  # for the subscription, which nothing tells of
    load = Load(port)
    load.start()
    for _ in range(KILLS):
        threading.Event().wait(generator.uniform(0.05, 2.2))
        children[-1].send_signal(signal.SIGKILL)
        children[-1].wait(10)
        children.append(spawn(data, port))
    load.stop()
    assert children[-1].stdout.readline() == b"up\n"
    return load.values


def _wait_for_drain(journal, expected):
    watched = Journal(journal, quota_bytes=10**10)
    try:
        wait_until(lambda: watched.counts().journaled >= expected, 60)
        last = watched.last_seq()
        wait_until(lambda: watched.offset("store") >= last, 30)
    finally:
        watched.close()


def _wait_for_alerts(data):
    """The rules may still be judging what is stored already; alerts that were lost are found missing below."""
    wanted = len(_failed_before_they_recovered(data))
    with sqlite3.connect(f"file:{data / 'operations.db'}?mode=ro", uri=True) as database:
        query = "SELECT count(DISTINCT subject) FROM alerts WHERE rule = 'cold.above_limit'"
        deadline = time.monotonic() + 30
        while database.execute(query).fetchone()[0] < wanted and time.monotonic() < deadline:
            threading.Event().wait(0.05)


def _check_readings(data, published):
    journal = Journal(data / "journal.db", quota_bytes=10**10)
    counts = journal.counts()
    journal.close()
    store = EmbeddedStore(data / "timeseries.db")
    points = store.query(Series("freezer", Quantity.TEMPERATURE), 0, 2**60, limit=10**7)
    fridges = [store.query(Series(f"fridge-{n}", Quantity.TEMPERATURE), 0, 2**60) for n in range(FRIDGES)]
    store.close()
    stored = Counter(point.value for point in points)
    lost = [value for value in published if value not in stored]
    doubled = {value: count for value, count in stored.items() if count > 1}
    assert (lost, doubled) == ([], {})
    assert len(points) == len(published)
    assert [len(one) for one in fridges] == [2] * FRIDGES
    assert counts.journaled == len(published) + 2 * FRIDGES
    assert counts.quarantined == 0


def _failed_before_they_recovered(data):
    """Fridges whose warm reading came before the cold one; a broker may redeliver it after, and then it is the past."""
    journal = Journal(data / "journal.db", quota_bytes=10**10)
    seen = {}
    for batch in journal.read(0, max_batches=10**9):
        for reading in batch.readings:
            if reading.series.device != "freezer":
                seen.setdefault(reading.series.device, []).append(reading.value)
    journal.close()
    return [device for device, values in seen.items() if values == [30.0, 4.0]]


def _check_alerts(data):
    engine = open_database(f"sqlite:///{data / 'operations.db'}")
    with Session(engine) as session:
        alerts = session.scalars(sa.select(AlertRow)).all()
        opened = session.scalar(sa.select(sa.func.count()).where(AlertEventRow.kind == "opened"))
        messages = Counter((row.alert_id, row.reason) for row in session.scalars(sa.select(OutboxRow)))
        states = {row.state for row in session.scalars(sa.select(OutboxRow))}
    engine.dispose()
    subjects = Counter(alert.subject for alert in alerts if alert.rule == "cold.above_limit")
    in_order = _failed_before_they_recovered(data)
    assert subjects == dict.fromkeys(in_order, 1)
    assert len(in_order) > FRIDGES * 0.7
    assert {alert.state for alert in alerts} == {"resolved"}
    assert opened == len(in_order)
    assert set(messages.values()) == {1}
    assert len(messages) == 2 * len(in_order)
    assert states == {"sent"}
