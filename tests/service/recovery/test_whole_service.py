"""A service on a data folder somebody or something has spoiled: it starts, watches, alerts, and says what happened."""

from __future__ import annotations

import contextlib
import sqlite3
import stat

import pytest
from service_fixtures import EXAMPLE, Running
from tests_support import wait_until
from typer.testing import CliRunner

from alerts.own import data as own_data
from campus.campus import Campus
from service.cli.main_command import app

FILES = ("journal.db", "operations.db", "timeseries.db", "quarantine.db", "births.msgpack", "recovery.jsonl")


def alerts(service):
    return {one.rule for one in service.runtime.book.open_alerts()}


def warm_and_told(service):
    service.publish("zigbee2mqtt/Freezer", '{"temperature": -5}')
    wait_until(lambda: "cold.above_limit" in alerts(service))


@pytest.fixture
def data(live_campus, tmp_path):
    """A folder in which a service has run."""
    service = Running(live_campus, tmp_path / "data")
    service.publish("zigbee2mqtt/Freezer", '{"temperature": -18}')
    service.publish("zigbee2mqtt/Freezer", b"\xff")
    wait_until(lambda: service.runtime.journal.counts().received == 2)
    service.stop()
    return tmp_path / "data"


def test_every_file_damaged_at_once(data, live_campus):
    """A freezer that warms up is told all the same, and each damage with its advice; the next start is a usual one."""
    for name in FILES:
        (data / name).write_bytes(b"\xa5 power cut \x00" * 2_000)
    service = Running(live_campus, data)
    warm_and_told(service)
    expected = {
        own_data.JOURNAL_REBUILT,
        own_data.OPERATIONS_RESTORED,
        own_data.HISTORY_REBUILT,
        own_data.FILE_REBUILT,
    }
    wait_until(lambda: expected <= alerts(service))
    page = service.http.get("/").text
    assert "告警库损坏,已用最近的自动备份恢复" in page
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in data.iterdir() if one.is_file()}
    assert set(modes.values()) <= {0o600}, modes
    service.stop()
    again = Running(live_campus, data)
    assert len(again.runtime.recovery.all()) == 6
    again.stop()


def test_a_removed_journal_delays_no_alert(data, live_campus):
    """The obvious step after damage: the file is deleted. The freezer is judged at once all the same."""
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (data / name).unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(data / "operations.db")) as operations, operations:
        operations.execute("UPDATE consumers SET seq = 1000000")
        operations.execute("UPDATE rule_snapshots SET seq = 1000000")
    service = Running(live_campus, data)
    warm_and_told(service)
    wait_until(lambda: own_data.JOURNAL_REPLACED in alerts(service))
    assert service.runtime.journal.last_seq() > 1_000_000
    service.stop()


def test_a_store_that_is_away_at_the_start(live_campus, tmp_path):
    """Nothing waits for it: a freezer that warms up is told within moments, readings wait in the journal."""
    site = live_campus.site.model_copy(update={"store": "victoriametrics://127.0.0.1:9"})
    campus = Campus(site=site, devices=live_campus.devices.values(), rules=live_campus.rules)
    service = Running(campus, tmp_path / "data")
    warm_and_told(service)
    assert service.http.get("/").status_code == 200
    wait_until(lambda: service.runtime.storing.unavailable)
    service.stop()


def test_a_start_that_cannot_be_says_why(tmp_path, monkeypatch):
    """One sentence with file and remedy, no traceback, for a file of a later version and a folder in a file's place."""
    monkeypatch.setattr(
        "service.cli.up.configure_logs", lambda **_: None
    )  # the runner's output is closed after it
    data = tmp_path / "data"
    data.mkdir()
    with contextlib.closing(sqlite3.connect(data / "journal.db")) as later:
        later.execute("PRAGMA user_version = 99")
    words = ["up", "--campus", str(EXAMPLE), "--data", str(data), "--port", "0"]
    run = CliRunner().invoke(app, words)
    assert run.exit_code == 1
    assert "journal.db has version 99, this program knows up to 1: update shouyuan" in run.output
    (data / "journal.db").unlink()
    (data / "journal.db").mkdir()
    run = CliRunner().invoke(app, words)
    assert run.exit_code == 1
    assert f"{data / 'journal.db'} cannot be used" in run.output
    assert "Traceback" not in run.output
