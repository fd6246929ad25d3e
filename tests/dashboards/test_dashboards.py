"""Dashboards as code, and their way into Grafana."""

from __future__ import annotations

import json
import os
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests_support import PATIENCE_S

from campus.campus import Campus
from campus.quantity import Quantity
from campus.reading import Reading, Series
from dashboards.boards import boards
from dashboards.errors import GrafanaRefused, GrafanaUnreachable
from dashboards.grafana import DataSource, Grafana
from dashboards.panel import SOURCE_UID
from simulators.drills.copies import drill_campus

SOURCE = DataSource("http://127.0.0.1:8086", "school", "campus", "secret-token")
INFLUX = os.environ.get("SHOUYUAN_TEST_INFLUXDB_URL", "")
GRAFANA = os.environ.get("SHOUYUAN_TEST_GRAFANA_URL", "")
NOW_MS = 1_795_233_600_000


def test_every_dashboard_is_whole(campus):
    """An overview and one a family: fixed uids, numbered panels that do not overlap, one data source."""
    made = boards(campus, "campus")
    assert [board["uid"] for board in made] == [
        f"sy-school-{key}" for key in ("campus", "water", "pipes", "cold", "electricity")
    ]
    for board in made:
        json.dumps(board)
        ids = [panel["id"] for panel in board["panels"]]
        assert ids == list(range(1, len(ids) + 1))
        spots = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len(spots) == len(set(spots))
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])
        assert {panel["datasource"]["uid"] for panel in board["panels"] if "datasource" in panel} == {
            SOURCE_UID
        }


def test_an_exercise_is_on_no_dashboard(campus):
    """Drill devices leave no trace on any of them."""
    drill = drill_campus(campus, [one.id for one in campus.devices.values()])
    both = Campus(site=campus.site, devices=[*campus.devices.values(), *drill.devices.values()])
    assert boards(both, "campus") == boards(campus, "campus")


@pytest.mark.influxdb
@pytest.mark.skipif(
    not INFLUX, reason="SHOUYUAN_TEST_INFLUXDB_URL is not set (influxdb2://TOKEN@HOST:PORT/ORG/BUCKET)"
)
def test_every_query_runs_on_a_real_influxdb(campus, tmp_path):
    """Each panel's Flux is taken by the server, and finds what was written."""
    from store.timeseries.influx.address import parse_url
    from store.timeseries.opening import open_store

    address = parse_url(INFLUX)
    store = open_store(INFLUX, tmp_path)
    found = {}
    import time

    now_ms = time.time_ns() // 1_000_000
    store.write([Reading(Series("freezer", Quantity.TEMPERATURE), -18.0, now_ms - 60_000, now_ms)])
    for board in boards(campus, address.bucket):
        for panel in board["panels"]:
            if "targets" not in panel:
                continue
            query = panel["targets"][0]["query"]
            for name, value in {
                "v.timeRangeStart": "-1h",
                "v.timeRangeStop": "now()",
                "v.windowPeriod": "1m",
            }.items():
                query = query.replace(name, value)
            request = urllib.request.Request(
                f"{address.url}/api/v2/query?org={address.org}",
                data=query.encode(),
                headers={"Authorization": f"Token {address.token}", "Content-Type": "application/vnd.flux"},
            )
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                found[board["uid"], panel["title"]] = answer.read().decode()
    store.close()
    assert "-18" in found["sy-school-cold", "冷冻温度"]
    assert not any("error" in body for body in found.values())


class FakeGrafana:
    """The calls we make, answered as Grafana answers them: 404 before, conflict-free after."""

    def __init__(self):
        self.folders, self.sources, self.boards, self.calls, self.fail = {}, {}, {}, [], None
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                size = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(size) or b"{}") if size else {}
                status, reply = fake.reply(self.command, self.path.removeprefix("/api"), body, self.headers)
                raw = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def reply(self, method, path, body, headers):
        self.calls.append((method, path))
        if self.fail is not None:
            return self.fail
        if path == "/health":
            return 200, {"version": "12.1.0", "database": "ok"}
        if headers.get("authorization") != "Bearer good":
            return 401, {"message": "Invalid API key"}
        key = path.rsplit("/", 1)[-1]
        if path.startswith("/folders"):
            return self.kept(self.folders, method, key if path != "/folders" else body["uid"], body)
        if path.startswith("/datasources"):
            return self.kept(self.sources, method, key if path != "/datasources" else body["uid"], body)
        self.boards[body["dashboard"]["uid"]] = body
        return 200, {"status": "success", "uid": body["dashboard"]["uid"]}

    @staticmethod
    def kept(shelf, method, key, body):
        if method == "GET":
            return (200, shelf[key]) if key in shelf else (404, {"message": "not found"})
        if method == "POST" and key in shelf:
            return 409, {"message": "already exists"}
        shelf[key] = body
        return 200, body


@pytest.fixture
def fake():
    made = FakeGrafana()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_applying_twice_changes_nothing(fake, campus):
    """The first time makes everything, the second renews the same things."""
    made = boards(campus, "campus")
    for _ in range(2):
        done = Grafana(fake.url, "good").apply(("sy-school", "守园"), SOURCE, made)
        assert done.version == "12.1.0"
        assert (len(fake.folders), len(fake.sources), len(fake.boards)) == (1, 1, 5)
    assert fake.sources[SOURCE_UID]["jsonData"] == {
        "version": "Flux",
        "organization": "school",
        "defaultBucket": "campus",
    }
    assert {body["folderUid"] for body in fake.boards.values()} == {"sy-school"}
    assert ("POST", "/folders") in fake.calls
    assert ("PUT", "/folders/sy-school") in fake.calls


def test_a_wrong_token_is_said(fake, campus):
    """Grafana's own refusal is passed on, without the token."""
    with pytest.raises(GrafanaRefused, match="401") as caught:
        Grafana(fake.url, "wrong").apply(("f", "F"), SOURCE, boards(campus, "campus"))
    assert "wrong" not in str(caught.value)
    assert "secret" not in repr(SOURCE)


def test_a_grafana_that_fails_is_unreachable(fake, campus):
    """Server errors and refused connections are for later."""
    fake.fail = (503, {"message": "starting"})
    with pytest.raises(GrafanaUnreachable, match="starting"):
        Grafana(fake.url, "good").apply(("f", "F"), SOURCE, [])
    with pytest.raises(GrafanaUnreachable):
        Grafana("http://127.0.0.1:9", "good").apply(("f", "F"), SOURCE, [])


@pytest.mark.grafana
@pytest.mark.skipif(
    not GRAFANA, reason="SHOUYUAN_TEST_GRAFANA_URL is not set (http://user:password@host:port)"
)
def test_a_real_grafana_takes_it(campus):
    """A real Grafana takes folder, data source and dashboards, twice."""
    from urllib.parse import urlsplit

    parts = urlsplit(GRAFANA)
    url = f"{parts.scheme}://{parts.hostname}:{parts.port}"
    for _ in range(2):
        done = Grafana(url, (parts.username, parts.password)).apply(
            ("sy-test", "守园 test"), SOURCE, boards(campus, "campus")
        )
        assert len(done.dashboards) == 5
