"""Long outages, measured: the store away, then ourselves away, for as long as an hour of 200 messages/s brings.

Each ends in the balance of counts, and says how many times real time catching up was. The default is a twentieth of the
hour; ``--messages 720000`` is all of it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from road import campus, load

from campus.site import Site
from service.broker.embedded import EmbeddedBroker
from service.logs import configure_logs
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings
from store.errors import StoreUnavailable

RATE = 200.0
_FLOOD = 12_000


class Away:
    """A store that can be away."""

    def __init__(self, store):
        self._store = store
        self.away = False

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, readings):
        if self.away:
            raise StoreUnavailable("bench", "away")
        self._store.write(readings)


class World:
    """A broker that stays, and a service that comes and goes."""

    def __init__(self, folder):
        self.broker = EmbeddedBroker(folder / "broker")
        self.broker.start()
        body = campus("http://127.0.0.1:9").site.model_dump(mode="json")
        self.site = Site.model_validate(body | {"broker": {"url": f"mqtt://127.0.0.1:{self.broker.port}"}})
        self.folder = folder
        self.sent = 0
        self.start()

    def start(self):
        known = campus("http://127.0.0.1:9")
        known.site = self.site
        self.runtime = Runtime(known, ServiceSettings(data=self.folder / "data"), write=lambda _text: None)
        self.store = self.runtime.storing._store = Away(self.runtime.store)  # noqa: SLF001 - the lever of this bench
        self.runtime.start()
        until(lambda: self.runtime.brokers.connected)
        time.sleep(0.5)

    def publish(self, messages):
        sent = multiprocessing.Value("l", 0)
        rate = _FLOOD
        process = multiprocessing.Process(target=load, args=(self.broker.port, messages / rate, rate, sent))
        process.start()
        process.join()
        self.sent += sent.value
        return sent.value

    def journaled(self):
        return self.runtime.journal.counts().journaled

    def caught_up(self):
        """Whether everything published is journaled, judged and stored."""
        last = self.runtime.journal.last_seq()
        behind = min(self.runtime.rules.seq, self.runtime.storing.seq)
        return self.journaled() >= self.sent and behind >= last - 1

    def balance(self):
        counts = self.runtime.journal.counts()
        points = sum(
            len(self.store.query(one, 0, 2**60, limit=10**8))
            for one in self.store.series()
            if one.quantity == "active_power"
        )
        return self.sent - counts.journaled, points - self.sent, counts.quarantined + counts.limited


def until(done):
    started = time.monotonic()
    while not done():
        time.sleep(0.01)
    return time.monotonic() - started


def store_away(world, messages):
    """The store goes for the hour; rules go on; it comes back."""
    world.store.away = True
    count = world.publish(messages)
    until(lambda: world.journaled() >= world.sent)
    judged_s = until(lambda: world.runtime.rules.seq >= world.runtime.journal.last_seq() - 1)
    world.store.away = False
    seconds = until(world.caught_up)
    return count, seconds, f"rules were {judged_s:.1f} s behind while it was away"


def we_away(world, messages):
    """We are away for the hour; the broker holds the messages; we come back."""
    world.runtime.stop()
    count = world.publish(messages)
    started = time.monotonic()
    world.start()
    until(world.caught_up)
    return count, time.monotonic() - started, "broker's queue, rules on, start included"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=36_000)
    arguments = parser.parse_args()
    configure_logs(level="error", as_json=False)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for outage in (store_away, we_away):
            count, seconds, remark = outage(world, arguments.messages)
            lost, doubled, other = world.balance()
            failed |= (lost, doubled, other) != (0, 0, 0)
            times = count / RATE / seconds
            print(
                f"{outage.__name__:<12}{count:>9,} messages caught up in {seconds:7.1f} s = {times:6,.0f} x real time"
            )
            print(f"{'':<12}lost {lost}, doubled {doubled}, otherwise {other}; {remark}", flush=True)
        world.runtime.stop()
        world.broker.stop()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
