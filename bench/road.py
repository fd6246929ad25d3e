"""The whole road, measured: messages/s at QoS 1 with three values each, publish to channel, memory, CPU at 167 messages/s.

One service process and its broker, with the load from a process of its own, on whatever cores there are: flooded for
seconds, then five minutes at a steady rate. For a quick look: ``bench/road.py --steady 20``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from campus.campus import Campus
from campus.device import Device, Place
from campus.site import Site
from service.logs import configure_logs
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings
from simulators.formats.contract import Publication
from simulators.output import providers
from simulators.output.broker_url import BrokerUrl
from simulators.output.load import Load, template

METERS = 200
#: messages a second that no single process takes in, and that a broker can keep for a while
FLOOD = 60_000


def campus(bot_url):
    site = Site.model_validate(
        {
            "id": "bench",
            "name": "bench",
            "broker": {"url": "embedded", "listen": "127.0.0.1:0"},
            "channels": {"bot": {"kind": "wecom_bot", "key": "KEY", "base_url": bot_url}},
            "routes": [{"severity": "warning", "channels": ["bot"], "tell_resolved": False}],
        }
    )
    place = Place(site="bench")
    meters = [
        Device(
            id=f"m{n}",
            name=f"m{n}",
            kind="electricity_meter",
            place=place,
            address=f"plug{n}",
            decoder="tasmota",
            interval_s=5,
        )
        for n in range(METERS)
    ]
    freezers = [
        Device(
            id=f"f{n}",
            name=f"f{n}",
            kind="cold_storage",
            profile="freezer",
            place=place,
            address=f"f{n}",
            decoder="zigbee2mqtt",
        )
        for n in range(20)
    ]
    quick = {"cold.above_limit": {"for_s": 0, "critical_for_s": 0}}
    return Campus(site=site, devices=[*meters, *freezers], rules={"defaults": quick})


def client(port):
    made = mqtt.Client(CallbackAPIVersion.VERSION2)
    made.max_inflight_messages_set(2000)
    made.connect("127.0.0.1", port)
    made.loop_start()
    return made


def load(port, seconds, rate, sent):
    """Publishes three values a message at QoS 1, faster than they can be taken in, or at *rate* a second."""
    body = {"ENERGY": {"Total": 1000.001, "Power": 100.1, "Voltage": 221}}
    made = [
        template(
            Publication(f"tele/plug{n}/SENSOR", json.dumps(body, separators=(",", ":")).encode()), 0, dt.UTC
        )
        for n in range(METERS)
    ]
    window = 500 if rate else 10_000
    result = Load(BrokerUrl("127.0.0.1", port), made, window=window).run(rate=rate or FLOOD, seconds=seconds)
    assert result.acknowledged == result.sent
    sent.value = result.sent


class Run(NamedTuple):
    """What one load came to: rates until all was journaled, judged, stored; the CPU, and the most that waited."""

    sent: int
    journaled_s: float
    judged_s: float
    stored_s: float
    cpu_s: float
    most_waiting: int
    most_behind: int

    @property
    def rate(self):
        """Messages a second until everything was journaled, judged and stored."""
        return self.sent / max(self.journaled_s, self.judged_s, self.stored_s)


class Service:
    """The service in this process; *alone* without what stands behind the journal."""

    def __init__(self, data, bot_url, *, alone=False):
        self.runtime = Runtime(campus(bot_url), ServiceSettings(data=Path(data)), write=lambda _text: None)
        self.alone = alone
        self.runtime.start()
        if alone:
            for part in (self.runtime.rules, self.runtime.storing, self.runtime.pump):
                part.stop()
        while not self.runtime.brokers.connected:
            time.sleep(0.01)
        time.sleep(0.3)

    def received(self):
        return self.runtime.journal.counts().received

    def behind(self):
        """Batches that rules or store have not seen yet."""
        last = self.runtime.journal.last_seq()
        return 0 if self.alone else last - min(self.runtime.rules.seq, self.runtime.storing.seq)

    def run(self, seconds, rate=0):
        """Loads the broker from a process of its own, and waits until everything has gone the whole road."""
        before, cpu, started = self.received(), time.process_time(), time.monotonic()
        sent = multiprocessing.Value("l", 0)
        process = multiprocessing.Process(
            target=load, args=(self.runtime.brokers.embedded.port, seconds, rate, sent)
        )
        process.start()
        waiting, behind = 0, 0
        while process.is_alive():
            process.join(0.25)
            waiting = max(waiting, self.runtime.pipeline.waiting)
            behind = max(behind, self.behind())

        def until(done):
            while not done():
                time.sleep(0.005)
            return time.monotonic() - started

        journaled_s = until(lambda: self.received() - before >= sent.value)
        last = self.runtime.journal.last_seq()
        judged_s = until(lambda: self.alone or self.runtime.rules.seq >= last)
        stored_s = until(lambda: self.alone or self.runtime.storing.seq >= last)
        used = time.process_time() - cpu
        return Run(sent.value, journaled_s, judged_s, stored_s, used, waiting, behind)


def latencies(service, bot):
    """Milliseconds from publish to the provider's stand-in, for alerts one after the other."""
    publisher, found = client(service.runtime.brokers.embedded.port), []
    for number in range(20):
        started = time.monotonic()
        publisher.publish(f"zigbee2mqtt/f{number}", b'{"temperature": -1}', qos=1)
        assert bot.wait_for(number + 1, 10)
        found.append((time.monotonic() - started) * 1000)
        threading.Event().wait(0.13)
    publisher.disconnect()
    publisher.loop_stop()
    return sorted(found)


def resident_mb():
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


def measure(arguments, bot):
    """The rows of the table, in order."""
    with tempfile.TemporaryDirectory() as data:
        service = Service(data, bot.url, alone=True)
        alone = service.run(arguments.seconds, rate=arguments.flood)
        service.runtime.stop()
    yield "receive, decode, journal alone", f"{alone.rate:,.0f} /s"
    yield "   CPU of it", f"{1e6 * alone.cpu_s / alone.sent:.1f} µs a message"
    with tempfile.TemporaryDirectory() as data:
        service = Service(data, bot.url)
        idle_mb = resident_mb()
        told = latencies(service, bot)
        yield "publish to channel, p50", f"{statistics.median(told):.0f} ms"
        yield "publish to channel, p95", f"{told[int(len(told) * 0.95) - 1]:.0f} ms"
        flood = service.run(arguments.seconds, rate=arguments.flood)
        yield "whole road, flooded: journaled, judged and stored", f"{flood.rate:,.0f} /s"
        yield "   CPU of it", f"{1e6 * flood.cpu_s / flood.sent:.1f} µs a message"
        rate = arguments.rate or round(0.8 * flood.rate, -2)
        steady = service.run(arguments.steady, rate=rate)
        yield f"whole road at {rate:,.0f} /s: most waiting", f"{steady.most_waiting:,} messages"
        yield "   most batches rules or store were behind", f"{steady.most_behind}"
        yield "   late by, when the load ended", f"{steady.stored_s - steady.sent / rate:.2f} s"
        quiet = service.run(arguments.seconds, rate=167)
        yield "CPU at 167 messages/s (100 % is one core)", f"{100 * quiet.cpu_s / quiet.journaled_s:.1f} %"
        yield "memory after start / after the load", f"{idle_mb:.0f} / {resident_mb():.0f} MB"
        counts = service.runtime.journal.counts()
        lost = flood.sent + steady.sent + quiet.sent + len(told) - counts.journaled
        yield "messages lost, doubled, limited", f"{lost}, {counts.duplicates}, {counts.limited}"
        service.runtime.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="of each load")
    parser.add_argument(
        "--flood", type=float, default=FLOOD, help="messages/s that are more than can be taken"
    )
    parser.add_argument(
        "--rate", type=float, default=20_000, help="of the steady load; 0 takes 0.8 of the flooded rate"
    )
    parser.add_argument("--steady", type=float, default=300, help="seconds of the steady load")
    arguments = parser.parse_args()
    configure_logs(level="error", as_json=False)
    bot = providers.wecom_bot("KEY")
    for name, value in measure(arguments, bot):
        print(f"{name:<58}{value:>22}", flush=True)
    bot.close()


if __name__ == "__main__":
    main()
