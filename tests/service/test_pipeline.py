"""The whole pipeline: a reading comes in over MQTT, an alert reaches a phone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from service_fixtures import Running
from tests_support import PATIENCE_S, wait_until

from service.errors import DataInUse
from service.lock import DataLock

ROOT = Path(__file__).parents[2]


def temperature(running):
    readings = running.http.get("/api/devices/freezer").json()["readings"]
    return next((one["value"] for one in readings if one["quantity"] == "temperature"), None)


def test_a_reading_is_on_the_page_and_its_alert_at_the_phone(running, bot):
    """Published with any MQTT client: on the page, its alert at the provider, without a reload."""
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -18.5}')
    wait_until(lambda: temperature(running) == -18.5)
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    wait_until(lambda: temperature(running) == -3.0)
    assert bot.wait_for(1, PATIENCE_S)
    text = bot.asked[0].json()["text"]["content"]
    assert "食堂「冷冻柜」温度过高" in text
    assert "现在 -3.0 °C" in text
    (alert,) = running.http.get("/api/alerts").json()
    assert (alert["state"], alert["severity"]) == ("firing", "critical")
    taken = running.http.post(f"/api/alerts/{alert['id']}/acknowledge").json()
    assert (taken["state"], taken["acknowledged_by"]) == ("acknowledged", "test (API)")
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -20}')
    assert bot.wait_for(2, PATIENCE_S)
    assert "【已恢复】" in bot.asked[1].json()["text"]["content"]
    wait_until(lambda: running.http.get("/api/alerts", params={"state": "resolved"}).json() != [])


def test_history_counts_and_health(running):
    """Readings are in the store, counts balance in the metrics, every part is well."""
    start_ms = running.runtime.now_ms() - 1000
    for number in range(50):
        # with times of their own: of two without, received within the same millisecond, the later one counts
        body = {"temperature": -18 - number / 100, "last_seen": start_ms + number}
        running.publish("zigbee2mqtt/Freezer", json.dumps(body).encode())
    running.publish("zigbee2mqtt/Freezer", b"\xff\xff")
    running.publish("zigbee2mqtt/Nobody", b'{"temperature": 1}')
    running.publish("zigbee2mqtt/bridge/state", b"{}")
    wait_until(lambda: running.runtime.journal.counts().received == 53)
    wait_until(lambda: running.runtime.storing.seq == running.runtime.journal.last_seq())
    history = running.http.get("/api/devices/freezer/history", params={"quantity": "temperature"}).json()
    assert (history["unit"], len(history["points"])) == ("°C", 50)
    hourly = running.http.get(
        "/api/devices/freezer/history",
        params={"quantity": "temperature", "step_s": 3600, "aggregate": "count"},
    ).json()
    assert sum(value for _, value in hourly["points"]) == 50
    metrics = dict(
        line.split() for line in running.http.get("/metrics").text.splitlines() if not line.startswith("#")
    )
    assert metrics["shouyuan_messages_journaled_total"] == "50.0"
    assert metrics["shouyuan_messages_quarantined_total"] == "2.0"
    assert metrics["shouyuan_messages_ignored_total"] == "1.0"
    wait_until(lambda: running.http.get("/health/ready").json()["status"] == "ok")
    (held,) = running.http.get("/api/quarantine", params={"code": "not_utf8"}).json()
    assert running.http.get(f"/api/quarantine/{held['id']}").json()["payload"] == "//8="
    (stranger,) = running.http.get("/api/unregistered").json()
    assert stranger["address"] == "Nobody"


def test_a_second_start_carries_on(live_campus, tmp_path, bot):
    """What fired before a restart still fires after it, nobody is told twice, and it resolves."""
    first = Running(live_campus, tmp_path / "data")
    first.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    assert bot.wait_for(1, PATIENCE_S)
    first.stop()
    second = Running(live_campus, tmp_path / "data")
    assert temperature(second) == -3.0
    second.publish("zigbee2mqtt/Freezer", b'{"temperature": -2.5}')
    wait_until(lambda: temperature(second) == -2.5)
    assert len(second.http.get("/api/alerts").json()) == 1
    second.publish("zigbee2mqtt/Freezer", b'{"temperature": -20.0}')
    assert bot.wait_for(2, PATIENCE_S)
    second.stop()
    assert [("【已恢复】" in asked.json()["text"]["content"]) for asked in bot.asked] == [False, True]


def test_alerts_go_on_while_the_store_is_away(running, bot, monkeypatch):
    """A time-series store that fails holds up neither rules nor messages, and catches up when it is back."""
    from store.errors import StoreUnavailable

    real = running.runtime.store.write

    def away(readings):
        raise StoreUnavailable("test", "down")

    monkeypatch.setattr(running.runtime.store, "write", away)
    running.publish("zigbee2mqtt/Freezer", b'{"temperature": -3.0}')
    assert bot.wait_for(1, PATIENCE_S)
    wait_until(lambda: running.http.get("/health/ready").json()["parts"]["store"] == "degraded")
    monkeypatch.setattr(running.runtime.store, "write", real)
    wait_until(lambda: running.runtime.storing.seq == running.runtime.journal.last_seq())
    assert (
        len(
            running.http.get("/api/devices/freezer/history", params={"quantity": "temperature"}).json()[
                "points"
            ]
        )
        == 1
    )


def test_one_service_a_data_folder(tmp_path):
    """A second service on the same data is refused with a reason."""
    first = DataLock(tmp_path)
    first.acquire()
    with pytest.raises(DataInUse, match="in use"):
        DataLock(tmp_path).acquire()
    first.release()
    again = DataLock(tmp_path)
    again.acquire()
    again.release()


def test_the_demonstration(tmp_path):
    """``shouyuan up --demo``: address and link, a drill alert by itself, and with Ctrl-C everything is gone."""
    command = [
        sys.executable,
        "-m",
        "service",
        "up",
        "--demo",
        "--data",
        str(tmp_path / "demo"),
        "--port",
        "0",
    ]
    output = tmp_path / "out.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        try:
            wait_until(lambda: "sign-in/link?token=" in output.read_text())
            wait_until(lambda: "【演练】" in output.read_text())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)
    assert "Traceback" not in output.read_text()
    assert not _children(tmp_path / "demo")


def _children(folder):
    """Processes that still run on *folder*'s broker."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found
