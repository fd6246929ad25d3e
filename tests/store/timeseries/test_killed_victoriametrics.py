"""A VictoriaMetrics that is killed loses what it had confirmed; what the consumer writes again makes it whole."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess

import httpx2
import pytest
from tests_support import wait_until

from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.errors import StoreUnavailable
from store.journal.consumer import REWRITE_MS, StoreConsumer
from store.timeseries.victoria.address import parse_url
from store.timeseries.victoria.store import VictoriaStore

VICTORIA = shutil.which("victoria-metrics") or shutil.which("victoriametrics")
SERIES = Series("d", Quantity.TEMPERATURE)
START_MS = 1_795_233_600_000

pytestmark = pytest.mark.skipif(
    not VICTORIA, reason="no victoria-metrics here (Debian: apt-get install victoria-metrics)"
)


class Server:
    """One that can be killed and started again on the same folder and port."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self):
        options = [f"-httpListenAddr=127.0.0.1:{self.port}", f"-storageDataPath={self.folder}"]
        options += ["-loggerLevel=ERROR", "-retentionPeriod=100y"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen([VICTORIA, *options], stdout=quiet, stderr=quiet)
        wait_until(self.is_up)

    def is_up(self):
        with contextlib.suppress(httpx2.HTTPError):
            return httpx2.get(f"http://127.0.0.1:{self.port}/health", trust_env=False).status_code == 200
        return False

    def flush(self):
        httpx2.get(f"http://127.0.0.1:{self.port}/internal/force_flush", trust_env=False).raise_for_status()

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path / "victoria")
    yield made
    made.kill()


@pytest.mark.parametrize("restarted", [False, True], ids=["we go on", "a power cut takes both"])
def test_a_killed_server_is_given_what_it_had_in_memory(server, journal, restarted):
    """Confirmed, killed at once, started again: every reading is there once."""
    store = VictoriaStore(parse_url(f"victoriametrics://127.0.0.1:{server.port}"))
    consumer = StoreConsumer(journal, store, rewrite_ms=REWRITE_MS)

    def measure(first, count):
        for number in range(first, first + count):
            at_ms = START_MS + number * 1_000
            journal.append([Reading(SERIES, float(number), at_ms, at_ms)], committed_ms=at_ms)

    measure(0, 100)
    while consumer.step():
        pass
    assert consumer.seq == journal.last_seq()
    server.kill()
    if restarted:
        server.start()
        consumer = StoreConsumer(journal, store, rewrite_ms=REWRITE_MS)
    else:
        measure(100, 1)
        with pytest.raises(StoreUnavailable):
            consumer.step()
        consumer.worker._on_failure(StoreUnavailable("test", "away"))
        server.start()
    lost = 100 - len(store.query(SERIES, START_MS, START_MS + 10**7))
    while consumer.step():
        pass
    server.flush()
    found = [one.value for one in store.query(SERIES, START_MS, START_MS + 10**7)]
    assert found == [float(number) for number in range(100 if restarted else 101)]
    assert lost > 0
    store.close()
