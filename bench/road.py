"""The whole road, measured: messages/s at QoS 1, publish to channel, memory, and CPU at 167 messages/s.

One service process and its broker, with the load from a process of its own, on whatever cores there are.
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

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from campus.campus import Campus
from campus.device import Device, Place
from campus.site import Site
from service.logs import configure_logs
from service.runtime import Runtime
from service.settings import ServiceSettings
from simulators import providers
from simulators.broker_url import BrokerUrl
from simulators.formats.contract import Publication
from simulators.load import Load, template

METERS = 200
#: messages a second that no single process takes in, and that a broker can keep for a while
FLOOD = 20_000


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


class Service:
    """The service in this process."""

    def __init__(self, data, bot_url):
        self.runtime = Runtime(campus(bot_url), ServiceSettings(data=Path(data)), write=lambda _text: None)
        self.runtime.start()
        while not self.runtime.brokers.connected:
            time.sleep(0.01)
        time.sleep(0.3)

    def received(self):
        return self.runtime.journal.counts().received

    def run(self, seconds, rate=0):
        """Messages, seconds until the last was journaled and judged, and this process's CPU seconds."""
        before, cpu, started = self.received(), time.process_time(), time.monotonic()
        sent = multiprocessing.Value("l", 0)
        process = multiprocessing.Process(
            target=load, args=(self.runtime.brokers.embedded.port, seconds, rate, sent)
        )
        process.start()
        process.join()
        while self.received() - before < sent.value:
            time.sleep(0.005)
        while self.runtime.rules.seq < self.runtime.journal.last_seq():
            time.sleep(0.005)
        return sent.value, time.monotonic() - started, time.process_time() - cpu


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    arguments = parser.parse_args()
    configure_logs(level="error", as_json=False)
    bot = providers.wecom_bot("KEY")
    with tempfile.TemporaryDirectory() as data:
        service = Service(data, bot.url)
        idle_mb = resident_mb()
        told = latencies(service, bot)
        sent, elapsed, _ = service.run(arguments.seconds)
        quiet_sent, quiet_elapsed, quiet_cpu = service.run(arguments.seconds, rate=167)
        peak_mb = resident_mb()
        service.runtime.stop()
    bot.close()
    rows = [
        ("messages/s sustained, 3 values each, QoS 1, rules on", f"{sent / elapsed:,.0f}"),
        ("publish to channel, p50", f"{statistics.median(told):.0f} ms"),
        ("publish to channel, p95", f"{told[int(len(told) * 0.95) - 1]:.0f} ms"),
        ("memory after start / after the load", f"{idle_mb:.0f} / {peak_mb:.0f} MB"),
        (
            f"CPU at {quiet_sent / quiet_elapsed:.0f} messages/s (100 % is one core)",
            f"{100 * quiet_cpu / quiet_elapsed:.1f} %",
        ),
    ]
    for name, value in rows:
        print(f"{name:<58}{value:>14}")


if __name__ == "__main__":
    main()
