"""``shouyuan simulate`` by its real runner: lists, files that replay reads, brokers, and what it refuses."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import PATIENCE_S
from typer.testing import CliRunner

from service.broker.embedded import EmbeddedBroker
from service.cli.main_command import app

EXAMPLE = Path(__file__).parents[3] / "examples" / "school"
RUNNER = CliRunner()
NIGHT = "2026-11-23T00:00:00+08:00"


def run(*words, code=0):
    result = RUNNER.invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def test_the_list():
    """Names, and Chinese and English titles, the most common first."""
    lines = run("simulate", "--list").splitlines()
    assert "running_toilet" in lines[0]
    assert "卫生间长流水" in lines[0]
    assert sum("冻" in line for line in lines) >= 2


def test_a_scenario_in_a_file_is_what_the_rules_see(tmp_path):
    """The door left open is written to a file, and replay raises the alert the scenario expects."""
    file = tmp_path / "door.csv"
    told = run(
        "simulate", "--campus", EXAMPLE, "--scenario", "freezer_door_open", "--from", NIGHT, "--to", file
    )
    assert "cold.above_limit ≥ critical" in told
    lines = run("replay", "--readings", file, "--campus", EXAMPLE, "--json").splitlines()
    alerts = [json.loads(line) for line in lines if line.startswith("{")]
    found = [one for one in alerts if one["rule"] == "cold.above_limit" and one["severity"] == "critical"]
    assert found[0]["state"] == "firing"
    assert found[0]["subject"].startswith("freezer-")
    assert "2026-11-22T17:00" < found[0]["time"] <= "2026-11-22T19:00"


def test_the_same_seed_writes_the_same_file(tmp_path):
    """To the byte; another seed another one; a made-up campus can be written beside it."""
    files = [tmp_path / f"{name}.csv" for name in ("one", "two", "three")]
    for file, seed in zip(files, (7, 7, 8), strict=True):
        run("simulate", "--devices", 30, "--seed", seed, "--from", NIGHT, "--for", "20m", "--to", file,
            "--folder", tmp_path / "campus")  # fmt: skip
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes() != files[2].read_bytes()
    assert "no mistakes" in run("check", "--campus", tmp_path / "campus")
    run("replay", "--readings", files[0], "--campus", tmp_path / "campus")


def test_a_fault_that_waits_for_its_time_is_in_the_file(tmp_path):
    """The run is as long as the scenario's faults, also where they wait for Saturday; it ends before now."""
    file = tmp_path / "flood.csv"
    told = run("simulate", "--devices", 30, "--every", 900, "--scenario", "flood_while_closed", "--to", file)
    first, *_, last = file.read_text(encoding="utf-8").splitlines()[1:]
    begins = told.split("  flood_while_closed")[0].split()[-1]
    assert dt.datetime.fromisoformat(begins).weekday() == 5
    moments = [dt.datetime.fromisoformat(row.split(",")[0]) for row in (first, last)]
    assert moments[0] <= dt.datetime.fromisoformat(begins) < moments[1] - dt.timedelta(hours=19)
    assert moments[1] < dt.datetime.now(dt.UTC)


@pytest.mark.mosquitto
def test_over_a_real_broker(tmp_path):
    """Faster than life over MQTT, with the campus's own time; and as load."""
    broker = EmbeddedBroker(tmp_path / "broker")
    broker.start()
    url = f"mqtt://127.0.0.1:{broker.port}"
    arrived, ready = [], threading.Event()
    subscriber = mqtt.Client(CallbackAPIVersion.VERSION2)
    subscriber.on_message = lambda _client, _user, message: arrived.append(message.payload)
    subscriber.on_subscribe = lambda *_: ready.set()
    subscriber.on_connect = lambda client, *_: client.subscribe("tele/#", qos=1)
    subscriber.connect("127.0.0.1", broker.port)
    subscriber.loop_start()
    try:
        assert ready.wait(PATIENCE_S)
        output = run(
            "simulate",
            "--campus",
            EXAMPLE,
            "--broker",
            url,
            "--speed",
            10_000,
            "--from",
            NIGHT,
            "--for",
            "1h",
        )
        assert "acknowledged" in output
        times = sorted(json.loads(one)["Time"] for one in arrived)
        assert times[0] == "2026-11-23T00:00:00"
        assert "2026-11-23T00:5" in times[-1]
        assert "messages/s" in run(
            "simulate", "--devices", 20, "--broker", url, "--load", 1_000, "--for", "1s"
        )
    finally:
        subscriber.disconnect()
        subscriber.loop_stop()
        broker.stop()


@pytest.mark.mosquitto
def test_a_broker_that_wants_an_account(tmp_path):
    """A wrong password ends the run with the reason, and never waits for ever."""
    broker = EmbeddedBroker(tmp_path / "broker", credentials=("li", "right"))
    broker.start()
    try:
        url = f"mqtt://li:wrong@127.0.0.1:{broker.port}"
        for more in (["--for", "1h"], ["--load", 10]):
            told = run("simulate", "--devices", 5, "--broker", url, *more, code=1 if "--for" in more else 2)
            assert "refused the connection" in told
            assert "wrong" not in told
    finally:
        broker.stop()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--campus", EXAMPLE], "--broker URL or --to FILE"),
        (["--to", "x.csv"], "--campus DIR or --devices N"),
        (["--devices", 5, "--campus", EXAMPLE, "--to", "x.csv"], "--campus DIR or --devices N"),
        (["--devices", 5, "--to", "x.csv", "--scenario", "burst_mian"], "did you mean burst_main"),
        (["--devices", 5, "--to", "x.csv", "--scenario", "overload"], "is not on this campus"),
        (["--devices", 5, "--to", "x.txt"], "expected .csv or .parquet"),
        (["--devices", 5, "--to", "x.csv", "--from", "yesterday"], "is not a time"),
        (["--devices", 5, "--to", "x.csv", "--for", "long"], "is not a duration"),
        (["--devices", 5, "--to", "x.csv", "--weather", "none.csv"], "No such file"),
        (["--devices", 5, "--broker", "http://x"], "expected mqtt://"),
        (["--devices", 5, "--load", 10], "--broker URL"),
        (["--devices", 5, "--load", 10, "--broker", "mqtt://127.0.0.1:1"], "127.0.0.1:1"),
        (["--devices", 5, "--broker", "mqtt://127.0.0.1:1"], "refused"),
        (["--campus", "nowhere", "--to", "x.csv"], "no such file"),
    ],
)  # fmt: skip
def test_what_it_refuses(words, told, tmp_path, monkeypatch):
    """With exit code 2 and a sentence, without a file left behind."""
    monkeypatch.chdir(tmp_path)
    assert told in run("simulate", *words, code=2)
    assert not list(tmp_path.glob("x.*"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.mosquitto
def test_a_simulation_in_the_background_ends_in_order(tmp_path):
    """Started by a shell that has it ignore SIGINT, it ends at SIGTERM as it does at Ctrl-C, and says what it sent."""
    broker = EmbeddedBroker(tmp_path / "broker")
    broker.start()
    heard = threading.Event()
    listener = mqtt.Client(CallbackAPIVersion.VERSION2)
    listener.on_message = lambda *_: heard.set()
    listener.connect("127.0.0.1", broker.port)
    listener.subscribe("#")
    listener.loop_start()
    words = ("simulate", "--campus", EXAMPLE, "--broker", f"mqtt://127.0.0.1:{broker.port}", "--speed", "60")
    process = subprocess.Popen(
        [sys.executable, "-m", "service", *(str(one) for one in words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509 - as such a shell does
    )
    try:
        assert heard.wait(PATIENCE_S)
        process.terminate()
        said, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        listener.loop_stop()
        broker.stop()
    assert (process.returncode, "published" in said) == (0, True), said
