"""The whole road, measured: messages/s at QoS 1, publish to channel, memory, and CPU at 167 messages/s.

One service process and its broker, with the load from a process of its own, on whatever cores there are.
"""

from __future__ import annotations

import argparse
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

METERS = 200


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
    """Publishes three values a message at QoS 1, as fast as can be or at *rate* a second."""
    publisher = client(port)
    started, count, info = time.monotonic(), 0, None
    while time.monotonic() - started < seconds:
        body = {"ENERGY": {"Total": 1000 + count / 1000, "Power": count % 500, "Voltage": 220 + count % 9}}
        info = publisher.publish(f"tele/plug{count % METERS}/SENSOR", json.dumps(body), qos=1)
        count += 1
        if rate:
            ahead = count / rate - (time.monotonic() - started)
            if ahead > 0:
                time.sleep(ahead)
        elif count % 500 == 0:
            info.wait_for_publish(30)
    info.wait_for_publish(60)
    sent.value = count
    publisher.disconnect()
    publisher.loop_stop()


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
