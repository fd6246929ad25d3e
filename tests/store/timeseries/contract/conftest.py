"""Each store that can be reached here, and names of a test's own."""

import contextlib
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
import uuid

import httpx2
import pytest
from influxdb_client import InfluxDBClient
from tests_support import PATIENCE_S

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.timeseries.influx.address import parse_url
from store.timeseries.influx.store import InfluxStore
from store.timeseries.opening import open_store
from store.timeseries.victoria.address import parse_url as parse_victoria_url
from store.timeseries.victoria.store import VictoriaStore

VICTORIA = shutil.which("victoria-metrics") or shutil.which("victoriametrics")
INFLUX = os.environ.get("SHOUYUAN_TEST_INFLUXDB_URL", "")
_MISSING = pytest.mark.skipif(
    not INFLUX, reason="SHOUYUAN_TEST_INFLUXDB_URL is not set (influxdb2://TOKEN@HOST:PORT/ORG/BUCKET)"
)


_NO_VICTORIA = pytest.mark.skipif(
    not VICTORIA, reason="no victoria-metrics here (Debian: apt-get install victoria-metrics)"
)


def pytest_collection_modifyitems(config, items):
    """Leaves out where a store differs, as ``differs`` marks; the store's own tests say how it differs."""
    left_out = [one for one in items if _differs(one)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [one for one in items if one not in left_out]


def _differs(item):
    marker = item.get_closest_marker("differs")
    return marker is not None and item.callspec.params["opener"] in marker.args


class Found(VictoriaStore):
    """What it wrote is found at once, not within a second or so."""

    def write(self, readings):
        try:
            super().write(readings)
        finally:
            httpx2.get(f"{self._address.url}/internal/force_flush", trust_env=False).raise_for_status()


@pytest.fixture(scope="session")
def victoria(tmp_path_factory):
    """Runs a VictoriaMetrics; gives its address."""
    with running(VICTORIA, tmp_path_factory.mktemp("victoria")) as url:
        yield url


@pytest.fixture
def run_victoria(tmp_path):
    """Runs another one with options of the test's own."""
    with contextlib.ExitStack() as stack:
        yield lambda *options: stack.enter_context(running(VICTORIA, tmp_path / "other", *options))


@contextlib.contextmanager
def running(program, folder, *options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        program,
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={folder}",
        "-loggerLevel=ERROR",
    ]
    command += options or ["-retentionPeriod=100y"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_up(server, port)
        yield f"victoriametrics://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def wait_until_up(server, port):
    until = time.monotonic() + PATIENCE_S
    while server.poll() is None and time.monotonic() < until:
        with contextlib.suppress(httpx2.HTTPError):
            if (
                httpx2.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=PATIENCE_S).status_code
                == 200
            ):
                return
    raise AssertionError(f"victoria-metrics did not come up (exit code {server.poll()})")


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("influxdb", marks=[pytest.mark.influxdb, _MISSING]),
        pytest.param("victoriametrics", marks=_NO_VICTORIA),
    ]
)
def opener(request, tmp_path):
    """Opens the store under test, with the hook given; closed afterwards."""
    opened = []

    def open_it(refused=None):
        if request.param == "victoriametrics":
            one = Found(parse_victoria_url(request.getfixturevalue("victoria")), refused=refused)
        else:
            one = open_store("embedded" if request.param == "embedded" else INFLUX, tmp_path, refused=refused)
        opened.append(one)
        if request.param == "influxdb":
            one.ensure_bucket()
        return one

    yield open_it
    for one in opened:
        one.close()


@pytest.fixture
def store(opener):
    return opener()


@pytest.fixture
def new_bucket():
    """Makes a store on a bucket of its own in the real InfluxDB, removed afterwards."""
    stores = []

    def make_bucket(*, retention_s=0, refused=None):
        address = parse_url(f"{INFLUX.rpartition('/')[0]}/test-{uuid.uuid4().hex}")
        store = InfluxStore(address, refused=refused)
        assert store.ensure_bucket(retention_s=retention_s)
        stores.append((store, address))
        return store

    yield make_bucket
    for store, address in stores:
        store.close()
        with InfluxDBClient(address.url, address.token, org=address.org) as client:
            buckets = client.buckets_api()
            buckets.delete_bucket(buckets.find_bucket_by_name(address.bucket))


@pytest.fixture
def lone_store(request, opener, new_bucket):
    """A store nobody else uses, as forgetting is for all series at once."""
    return new_bucket() if request.node.callspec.params["opener"] == "influxdb" else opener()


@pytest.fixture
def device():
    """A device nobody else writes to, as a bucket is shared by all tests and earlier runs."""
    return f"d-{uuid.uuid4().hex}"


@pytest.fixture
def make(device):
    """Makes readings of the device."""

    def reading(
        time_ms, value, *, quality=Quality.GOOD, quantity=Quantity.TEMPERATURE, channel="", name=None
    ):
        series = Series(device if name is None else name, quantity, channel)
        return Reading(series, float(value), time_ms, time_ms + 5, quality)

    return reading


@pytest.fixture
def http_page():
    """The address of a web server that is no store."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>welcome</html>")

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"victoriametrics://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
