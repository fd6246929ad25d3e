"""Everything that fails around us, alone and together: in the end each acknowledged reading is stored exactly once."""

from __future__ import annotations

import json
import threading
from collections import Counter

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import PATIENCE_S, wait_until

from alerts.own.service import JOURNAL_STALLED
from campus.campus import Campus
from campus.quantity import Quantity
from campus.reading import Series
from campus.site import Site
from service.broker.embedded import EmbeddedBroker
from service.clock import SteadyClock, wall_ms
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings
from store.errors import StoreUnavailable

FREEZER = Series("freezer", Quantity.TEMPERATURE)
HOUR_MS = 3_600_000


class Load:
    """Publishes a value no other message has every few milliseconds, at QoS 1 and through every outage."""

    def __init__(self, port):
        self.sent = []
        self._mids = {}
        self._taken = set()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="load", clean_session=False)
        self._client.max_queued_messages_set(0)
        self._client.on_publish = lambda _c, _u, mid, _r, _p: self._taken.add(self._mids.get(mid))
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(0.005):
            value = round(-18 - len(self.sent) / 10_000, 4)
            self._last = self._client.publish(
                "zigbee2mqtt/Freezer", json.dumps({"temperature": value}), qos=1
            )
            self._mids[self._last.mid] = value
            self.sent.append(value)

    def under_way(self):
        """What the broker has not acknowledged: QoS 1 has it sent again, as another message, after a lost connection."""
        return {value for value in self.sent[-5_000:] if value not in self._taken}

    def more(self, count):
        """Waits until that many more were published."""
        goal = len(self.sent) + count
        wait_until(lambda: len(self.sent) >= goal)

    def stop(self):
        """Ends when the broker has acknowledged everything."""
        self._stop.set()
        self._thread.join(PATIENCE_S)
        self._last.wait_for_publish(PATIENCE_S)
        self._client.disconnect()
        self._client.loop_stop()


class Faulty:
    """The store as it is, or away, or slow, or failing in the middle of a write."""

    def __init__(self, store):
        self._store = store
        self.away = False
        self.slow_s = 0.0
        self.fail_after_writing = 0
        self._pause = threading.Event()

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, readings):
        if self.away:
            raise StoreUnavailable("test", "away")
        if self.slow_s:
            self._pause.wait(self.slow_s)
        self._store.write(readings)
        if self.fail_after_writing:
            self.fail_after_writing -= 1
            raise StoreUnavailable("test", "the answer was lost")


class World:
    """A service with its broker and a load, and levers for everything that can fail."""

    def __init__(self, campus, tmp_path, program):
        self.broker = EmbeddedBroker(tmp_path / "broker", program=program)
        self.broker.start()
        site = Site.model_validate(
            campus.site.model_dump(mode="json")
            | {
                "broker": {"url": f"mqtt://127.0.0.1:{self.broker.port}"},
                "sources": [{"topic": "zigbee2mqtt/#", "decoder": "zigbee2mqtt"}],
            }
        )
        self._campus = Campus(site=site, devices=campus.devices.values())
        self._data = tmp_path / "data"
        self.offset_ms = 0
        #: values that may have come twice as different messages; nobody can tell those from two readings
        self.sent_again = set()
        self.start()
        self.load = Load(self.broker.port)

    def start(self):
        self.runtime = Runtime(
            self._campus,
            ServiceSettings(data=self._data),
            now_ms=SteadyClock(lambda: wall_ms() + self.offset_ms),
            write=lambda _text: None,
        )
        self.store = Faulty(self.runtime.store)
        self.runtime.storing._store = self.store
        self.runtime.storing.worker._retry_s = (0.05,)
        self.runtime.start()
        wait_until(lambda: self.runtime.brokers.connected)

    def restart_service(self):
        self.runtime.stop()
        self.start()

    def restart_broker(self):
        self.broker.stop()
        wait_until(lambda: not self.runtime.brokers.connected)
        self.sent_again |= self.load.under_way()
        self.broker = EmbeddedBroker(self.broker._folder, program=self.broker._program, port=self.broker.port)
        self.broker.start()
        wait_until(lambda: self.runtime.brokers.connected)

    def fill_disk(self, *, full):
        """SQLite's own "database or disk is full", on the journal's writer."""
        writer = self.runtime.journal._connections._writer
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count={pages if full else 1_000_000}")

    def stalled(self):
        wait_until(lambda: self.runtime.pipeline.stalled)

    def check(self):
        """Ends the load, waits until all is stored, and counts."""
        self.load.stop()
        wait_until(lambda: set(self.load.sent) <= set(self.stored()))
        journal = self.runtime.journal
        wait_until(lambda: self.runtime.storing.seq >= journal.last_seq())
        stored, counts = self.stored(), journal.counts()
        doubled = {value for value, count in stored.items() if count > 1}
        assert doubled <= self.sent_again
        assert set(stored) == set(self.load.sent)
        assert counts.journaled == stored.total()
        assert counts.quarantined == counts.ignored == counts.limited == 0

    def stored(self):
        """Each value in the store and how often it is there."""
        return Counter(point.value for point in self.store.query(FREEZER, 0, 2**60, limit=10**7))

    def close(self):
        self.runtime.stop()
        self.broker.stop()


@pytest.fixture
def world(campus, tmp_path, broker_program):
    made = World(campus, tmp_path, broker_program)
    yield made
    made.close()


def store_away(world):
    """The store goes for a while; alerts and journal go on."""
    world.store.away = True
    world.load.more(100)
    wait_until(lambda: world.runtime.storing.unavailable)
    before = world.runtime.rules.seq
    world.load.more(100)
    wait_until(lambda: world.runtime.rules.seq > before)
    world.store.away = False


def store_slow(world):
    """Each write takes long; the store falls behind, and catches up."""
    world.store.slow_s = 0.3
    world.load.more(200)
    world.store.slow_s = 0.0


def answers_lost(world):
    """Writes that were done are answered with errors, so they are done again."""
    world.store.fail_after_writing = 5
    world.load.more(150)


def disk_full(world):
    """Nothing is acknowledged while the disk is full; with space again it goes on."""
    world.fill_disk(full=True)
    world.stalled()
    world.load.more(100)
    wait_until(lambda: JOURNAL_STALLED in {one.rule for one in world.runtime.book.open_alerts()})
    world.fill_disk(full=False)
    wait_until(lambda: not world.runtime.pipeline.stalled)


def broker_restart(world):
    """The broker goes and comes back with its sessions."""
    world.restart_broker()
    world.load.more(50)


def service_restart(world):
    """We end and start again in the middle of it."""
    world.restart_service()
    world.load.more(50)


def clock_back(world):
    """The wall clock is set back by an hour."""
    world.offset_ms -= HOUR_MS
    world.load.more(150)


def clock_ahead(world):
    """The wall clock jumps an hour ahead."""
    world.offset_ms += HOUR_MS
    world.load.more(150)


@pytest.mark.parametrize(
    "outages",
    [
        pytest.param([store_away, store_slow, answers_lost], id="store"),
        pytest.param([disk_full], id="disk"),
        pytest.param([broker_restart, service_restart], id="restarts"),
        pytest.param([clock_ahead, clock_back, clock_back], id="clock"),
    ],
)
def test_an_outage_loses_and_doubles_nothing(world, outages):
    """One kind of outage after the other, each in the middle of the load."""
    world.load.more(50)
    for outage in outages:
        outage(world)
    world.check()


@pytest.mark.slow
def test_all_outages_together(world):
    """The store away, the disk full, broker and service restarted, and the clock jumping, all at once."""
    world.load.more(50)
    world.store.away = True
    clock_back(world)
    broker_restart(world)
    disk_full(world)
    service_restart(world)
    world.store.away = True
    clock_ahead(world)
    broker_restart(world)
    world.store.away, world.store.fail_after_writing = False, 3
    world.load.more(100)
    world.check()


def test_alerts_go_on_while_the_store_is_away(world):
    """The rules keep up with the journal, although nothing can be stored."""
    world.store.away = True
    world.load.more(20)
    wait_until(lambda: world.runtime.storing.unavailable)
    wait_until(lambda: world.runtime.rules.seq >= world.runtime.journal.last_seq() - 3)
    world.store.away = False
    world.check()
