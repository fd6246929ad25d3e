"""Killed at any moment, the embedded store has every reading a write returned for, and none twice."""

import subprocess
import sys

from campus.quantity import Quantity
from campus.reading import Series
from store.timeseries.embedded import EmbeddedStore

SERIES = [Series(f"d{n}", Quantity.ENERGY) for n in range(7)]
WRITER = """
import sys
from pathlib import Path
from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.timeseries.embedded import EmbeddedStore

store = EmbeddedStore(Path(sys.argv[1]), fresh_readings=60)
series = [Series(f"d{n}", Quantity.ENERGY) for n in range(7)]
for n in range(int(sys.argv[2]), 1_000_000):
    store.write([Reading(one, float(n), n * 1000, n * 1000) for one in series])
    print(n, flush=True)
"""


def test_what_was_written_survives_a_kill(tmp_path):
    """Ten times killed while it writes and packs: what was told is there, and at most one write more."""
    path, told = tmp_path / "timeseries.db", -1
    for round_ in range(10):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(told + 1)], stdout=subprocess.PIPE, text=True
        )
        for line in child.stdout:
            told = int(line)
            if told >= (round_ + 1) * 23:
                child.kill()
        child.wait()
        child.stdout.close()
        store = EmbeddedStore(path)
        for one in SERIES:
            points = store.query(one, 0, 10**10)
            assert [point.value for point in points] in (
                [float(n) for n in range(told + 1)],
                [float(n) for n in range(told + 2)],
            )
        store.close()
