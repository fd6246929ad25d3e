"""A file of rows, as the first version wrote it, opens as a packed one with everything in it."""

import sqlite3

import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import PointRefused, StoreUnavailable
from store.timeseries.contract import Aggregate, Point
from store.timeseries.embedded import EmbeddedStore

ROWS = """
CREATE TABLE series (id INTEGER PRIMARY KEY, device TEXT NOT NULL, quantity TEXT NOT NULL, channel TEXT NOT NULL,
    UNIQUE (device, quantity, channel));
CREATE TABLE points (series INTEGER NOT NULL, time_ms INTEGER NOT NULL, value REAL NOT NULL, quality INTEGER NOT NULL,
    PRIMARY KEY (series, time_ms)) WITHOUT ROWID;
CREATE TABLE latest (series INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, value REAL NOT NULL, quality INTEGER NOT NULL);
CREATE TABLE hours (series INTEGER NOT NULL, hour_ms INTEGER NOT NULL, n INTEGER NOT NULL, total REAL NOT NULL,
    low REAL NOT NULL, high REAL NOT NULL, opening REAL NOT NULL, closing REAL NOT NULL,
    PRIMARY KEY (series, hour_ms)) WITHOUT ROWID;
CREATE TABLE stale_hours (series INTEGER NOT NULL, hour_ms INTEGER NOT NULL, PRIMARY KEY (series, hour_ms)) WITHOUT ROWID;
CREATE TABLE closed (one INTEGER PRIMARY KEY CHECK (one = 1), before_ms INTEGER NOT NULL);
INSERT INTO series VALUES (3, '冰柜', 'temperature', 'probe2'), (7, 'm', 'energy', '');
INSERT INTO closed VALUES (1, 3600000);
INSERT INTO hours VALUES (3, 0, 4, 10.0, 1.0, 4.0, 1.0, 4.0), (3, 3600000, 9, 9.0, 9.0, 9.0, 9.0, 9.0);
PRAGMA user_version = 1;
"""
COLD, METER = Series("冰柜", Quantity.TEMPERATURE, "probe2"), Series("m", Quantity.ENERGY)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "timeseries.db"
    with sqlite3.connect(path) as old:
        old.execute("PRAGMA journal_mode=WAL")
        old.executescript(ROWS)
        rows = [(3, HOUR_MS + n * MINUTE_MS, n / 10, n % 3) for n in range(3000)] + [(7, HOUR_MS + 5, 1.5, 0)]
        old.executemany("INSERT INTO points VALUES (?, ?, ?, ?)", rows)
        old.executemany("INSERT INTO latest VALUES (?, ?, ?, ?)", rows[-2:])
    old.close()
    return path


def check(path):
    store = EmbeddedStore(path)
    points = store.query(COLD, 0, 10**9)
    assert points == [Point(HOUR_MS + n * MINUTE_MS, n / 10, Quality(n % 3)) for n in range(3000)]
    assert store.latest() == {COLD: points[-1], METER: Point(HOUR_MS + 5, 1.5)}
    counts = store.query(COLD, 0, 3 * HOUR_MS, step_ms=HOUR_MS, aggregate=Aggregate.COUNT)
    assert [point.value for point in counts] == [4.0, 60.0, 60.0]
    with pytest.raises(PointRefused, match="closed"):
        store.write([Reading(COLD, 1.0, 5, 5)])
    store.close()


def test_every_reading_and_closed_hour_is_there(path):
    """Points with quality, the latest, the closed hours' roll-ups, and no file left beside."""
    check(path)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    check(path)  # once more, as what it is now


def test_what_a_crash_left_is_made_again(path):
    """A half-made new file from a crash is thrown away; the old one is whole."""
    path.with_name("timeseries.db.packing").write_bytes(b"half")
    path.with_name("timeseries.db.packing-wal").write_bytes(b"half")
    check(path)


def test_a_failure_leaves_the_old_file(path, monkeypatch):
    """A full disk half way says so, and the old file is as it was."""

    def fail(source, target):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", fail)
        with pytest.raises(StoreUnavailable, match="disk full"):
            EmbeddedStore(path)
    with sqlite3.connect(path) as old:
        assert old.execute("SELECT count(*) FROM points").fetchone() == (3001,)
    old.close()
    check(path)
