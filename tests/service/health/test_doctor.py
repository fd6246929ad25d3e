"""The doctor says what is in the way, and nothing when nothing is."""

from __future__ import annotations

import http.server
import threading

import pytest
from typer.testing import CliRunner

from campus.campus import Campus
from campus.site import Site
from campus.text import translator
from service.broker.embedded import EmbeddedBroker
from service.cli.main_command import app
from service.health.doctor import examine

NOW_MS = 1_795_233_600_000  # 2026-11-21T04:00:00Z
DATE = "Sat, 21 Nov 2026 04:00:00 GMT"


class _Provider(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response_only(404)
        self.send_header("Date", DATE)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def provider():
    server = http.server.HTTPServer(("127.0.0.1", 0), _Provider)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def checks(data, now_ms=NOW_MS, **settings):
    """What the doctor finds, by name: whether good, and its words."""
    campus = Campus(site=Site.model_validate({"id": "s", "name": "学校", **settings}), devices=[])
    found = {}
    for one in examine(campus, data, now_ms=lambda: now_ms):
        assert translator("en")(one.text).format(**one.values)
        found[one.name] = (one.good, one.text.format(**one.values))
    return found


def test_a_healthy_school(tmp_path, provider):
    """A running broker, a provider that answers, a right clock: all is well."""
    broker = EmbeddedBroker(tmp_path / "broker")
    broker.start()
    found = checks(
        tmp_path,
        broker={"listen": f"127.0.0.1:{broker.port}"},
        channels={"group": {"kind": "wecom_bot", "key": "K", "base_url": provider}},
    )
    broker.stop()
    assert {name for name, (good, _) in found.items() if not good} == set()
    assert set(found) >= {
        "data",
        "broker name",
        "broker account",
        "store",
        "channel group",
        "clock",
    }


def test_a_service_that_does_not_run_yet(tmp_path):
    """The embedded broker need not run for the doctor to be content."""
    good, text = checks(tmp_path, broker={"listen": "127.0.0.1:9"})["broker"]
    assert good
    assert "127.0.0.1:9" in text


@pytest.mark.parametrize(
    ("settings", "name", "word"),
    [
        ({"broker": {"url": "mqtt://127.0.0.1:9"}}, "broker port", "没有程序在听"),
        ({"brokers": {"lora": {"url": "mqtt://no-such-host.invalid"}}}, "broker lora name", "找不到"),
        ({"store": "influxdb2://t@127.0.0.1:9/o/b"}, "store", "用不了"),
        (
            {"channels": {"g": {"kind": "wecom_bot", "key": "K", "base_url": "http://127.0.0.1:9"}}},
            "channel g",
            "连不上",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, settings, name, word):
    """Each fault is told at its own name, in words, and the rest is looked at all the same."""
    found = checks(tmp_path, **settings)
    good, text = found[name]
    assert not good
    assert word in text
    assert found["data"][0]


def test_a_wrong_clock_is_said(tmp_path, provider):
    """A clock an hour off is told by how much, from the provider's own time."""
    channels = {"g": {"kind": "wecom_bot", "key": "K", "base_url": provider}}
    good, text = checks(tmp_path, NOW_MS + 3_600_000, channels=channels)["clock"]
    assert (good, "60 分钟" in text) == (False, True)


def test_a_data_folder_that_cannot_be_written(tmp_path):
    """A file where the folder should be is named."""
    (tmp_path / "data").write_text("")
    good, text = checks(tmp_path / "data")["data"]
    assert not good
    assert str(tmp_path / "data") in text


def test_the_command(tmp_path):
    """The command prints a line for each check; its exit code says whether all is well, or the folder is wrong."""
    (tmp_path / "site.yaml").write_text("id: s\nname: 学校\nbroker: {url: 'mqtt://127.0.0.1:9'}\n")
    run = CliRunner().invoke(app, ["doctor", "--campus", str(tmp_path), "--data", str(tmp_path / "data")])
    assert run.exit_code == 1, run.output
    assert "✗ broker port: 主机 127.0.0.1 在" in run.output
    (tmp_path / "site.yaml").write_text("id: s\nname: 学校\nbroker: {url: here}\n")
    run = CliRunner().invoke(app, ["doctor", "--campus", str(tmp_path)])
    assert run.exit_code == 2
    assert "broker.url" in run.output
