"""Killed at random moments under load: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import sqlalchemy as sa
from children import Children
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy.orm import Session
from tests_support import PATIENCE_S, wait_until

from campus.clock import iso
from campus.quantity import Quantity
from campus.reading import Series
from service.broker.embedded import EmbeddedBroker
from store.journal.journal import Journal
from store.operations.database import open_database
from store.operations.tables import AlertEventRow, AlertRow, OutboxRow
from store.poison.record import Poison
from store.timeseries.embedded import EmbeddedStore

ROOT = Path(__file__).parents[3]
KILLS = 6
#: where a death leaves something half done; the names are kill_child.py's
SEAMS = (
    "committed, not acknowledged",
    "judged, not committed",
    "alert committed, nobody woken",
    "sent, not written down",
    "stored, position not kept",
)
FRIDGES = 20
SEED = 4242


class Load:
    """A publisher at QoS 1. Each reading of the freezer is known by its value; *copies* says how often it was sent."""

    def __init__(self, port):
        self.copies = Counter()
        #: what is still to be said of fridges: each fails, then recovers
        self.fridges = [(n, warm) for n in range(FRIDGES) for warm in (True, False)]
        self._values = {}
        self._taken = set()
        self._time_ms = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="load", clean_session=False)
        self._client.max_queued_messages_set(0)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def _run(self):
        """500 messages a second, and now and then a fridge, until told to stop and every fridge had its turn."""
        generator = random.Random(SEED)
        while not self._stop.wait(0.01):
            for _ in range(5):
                self.freezer()
            if self.fridges and generator.random() < 0.1:
                self.fridge(*self.fridges.pop(0))
        for one in self.fridges:
            self.fridge(*one)

    def freezer(self):
        """A value no other message has, and no time: the hardest to know again."""
        value = round(-18 - len(self.copies) / 10_000, 4)
        self._publish("zigbee2mqtt/Freezer", {"temperature": value}, value)

    def fridge(self, number, warm):
        # no two of the same moment: of those, the rules would take the first
        self._time_ms = now_ms = max(time.time_ns() // 1_000_000, self._time_ms + 1)
        address = f"24e1240000{number:06x}"
        body = {
            "deviceInfo": {"devEui": address},
            "time": iso(now_ms),
            "object": {"temperature": 30.0 if warm else 4.0},
        }
        self._publish(f"application/1/device/{address}/event/up", body, None)

    def _publish(self, topic, body, value):
        if value is not None:
            self.copies[value] += 1
        self._last = self._client.publish(topic, json.dumps(body), qos=1)
        self._values[self._last.mid] = value

    def _on_publish(self, _client, _userdata, mid, _reason, _properties):
        self._taken.add(mid)

    def _on_connect(self, _client, _userdata, _flags, _reason, _properties):
        """paho sends what was not acknowledged again: to the broker these are further messages, and so to us."""
        under_way = [value for mid, value in list(self._values.items()) if mid not in self._taken]
        self.copies.update(value for value in under_way if value is not None)

    def more(self, count):
        """Waits until that many more were published."""
        goal = len(self.copies) + count
        wait_until(lambda: len(self.copies) >= goal)

    def stop(self):
        """Ends the load; every message sent is taken by then."""
        self._stop.set()
        self._thread.join(PATIENCE_S)
        self._last.wait_for_publish(PATIENCE_S)
        wait_until(lambda: self._values.keys() <= self._taken)
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.slow
def test_kills_lose_and_double_nothing(tmp_path, broker_program):
    """Killed wherever something is half done, and at random moments: every reading once, every alert once."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    data = tmp_path / "data"
    children = Children(data, broker.port)
    load = Load(broker.port)
    try:
        _kill_again_and_again(children, load)
        _wait_for_drain(data / "journal.db", len(load.copies) + 2 * FRIDGES)
        _wait_for_messages(data)
        # a message that was under way at two kills, of whichever alert, rests for a minute and is then released
        wait_until(lambda: not Poison(data / "poison.json").all(), 3 * PATIENCE_S)
        children.end()
    finally:
        children.close()
        broker.stop()
    _check_readings(data, load.copies)
    _check_alerts(data)
    assert Poison(data / "poison.json").all() == (), "a kill at random is nobody's fault"


def _kill_again_and_again(children, load):
    """Child after child dies while the load goes on: at each seam, then every other one at work, the rest anywhere."""
    generator = random.Random(SEED)
    children.start()
    children.wait_up()
    load.start()
    children.kill()
    for seam in SEAMS:
        children.start(seam)
        wait_until(lambda: children.is_gone() or not load.fridges)
        children.kill()
    for number in range(KILLS):
        children.start()
        if number % 2:
            children.wait_up()
        load.more(generator.randrange(300))
        children.kill()
    children.start()
    children.wait_up()
    load.stop()


def _wait_for_drain(journal, expected):
    watched = Journal(journal, quota_bytes=10**10)
    try:
        wait_until(lambda: watched.counts().journaled >= expected)
        last = watched.last_seq()
        wait_until(lambda: watched.offset("store") >= last)
    finally:
        watched.close()


def _wait_for_messages(data):
    """The rules may still be judging what is stored already, and the outbox be sending what they said."""
    wanted = len(_failed_before_they_recovered(data))
    with sqlite3.connect(f"file:{data / 'operations.db'}?mode=ro", uri=True) as database:
        for query, goal in (
            ("SELECT count(*) FROM alerts WHERE rule = 'cold.above_limit' AND state = 'resolved'", wanted),
            (
                (
                    "SELECT count(*) FROM outbox JOIN alerts ON alerts.id = outbox.alert_id"
                    " WHERE alerts.rule = 'cold.above_limit' AND outbox.state = 'sent'"
                ),
                2 * wanted,
            ),
        ):  # a message that was under way at two kills waits for a minute
            wait_until(
                lambda query=query, goal=goal: database.execute(query).fetchone()[0] >= goal, 3 * PATIENCE_S
            )


def _check_readings(data, copies):
    journal = Journal(data / "journal.db", quota_bytes=10**10)
    counts = journal.counts()
    journal.close()
    store = EmbeddedStore(data / "timeseries.db")
    points = store.query(Series("freezer", Quantity.TEMPERATURE), 0, 2**60, limit=10**7)
    fridges = [store.query(Series(f"fridge-{n}", Quantity.TEMPERATURE), 0, 2**60) for n in range(FRIDGES)]
    store.close()
    stored = Counter(point.value for point in points)
    lost = [value for value in copies if value not in stored]
    doubled = {value: count for value, count in stored.items() if count > copies[value]}
    assert (lost, doubled) == ([], {})
    assert [len(one) for one in fridges] == [2] * FRIDGES
    assert counts.journaled == len(points) + 2 * FRIDGES
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
        # the service may tell of itself, too, as it was killed again and again
        alerts = session.scalars(sa.select(AlertRow).where(AlertRow.rule == "cold.above_limit")).all()
        own = {alert.id for alert in alerts}
        events = session.scalars(sa.select(AlertEventRow).where(AlertEventRow.kind == "opened"))
        opened = sum(event.alert_id in own for event in events)
        rows = [row for row in session.scalars(sa.select(OutboxRow)) if row.alert_id in own]
        messages = Counter((row.alert_id, row.reason) for row in rows)
        states = {row.state for row in rows}
    engine.dispose()
    subjects = Counter(alert.subject for alert in alerts)
    in_order = _failed_before_they_recovered(data)
    assert subjects == dict.fromkeys(in_order, 1)
    assert len(in_order) > FRIDGES * 0.5
    assert {alert.state for alert in alerts} == {"resolved"}
    assert opened == len(in_order)
    assert set(messages.values()) == {1}
    assert len(messages) == 2 * len(in_order)
    assert states == {"sent"}
