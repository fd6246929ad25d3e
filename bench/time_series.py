"""Measures the embedded time-series store against plain rows of SQLite, in the same run: writing, size, questions.

The baseline is a table clustered by series and time, a row a reading, one transaction a batch, nothing rolled up.
A ratio above 1 means that the store is that many times better.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import tempfile
import time
from pathlib import Path

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.timeseries.contract import Aggregate, Point
from store.timeseries.embedded import EmbeddedStore

START_MS = 1_756_656_000_000  # 2025-09-01T00:00+08:00
BATCH = 5_000
METERS = 500
YEAR, MONTH = (START_MS, START_MS + 365 * DAY_MS), (START_MS, START_MS + 30 * DAY_MS)


class PlainRows:
    """The baseline."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;"
            "CREATE TABLE points (series INTEGER, time_ms INTEGER, value REAL, quality INTEGER,"
            " PRIMARY KEY (series, time_ms)) WITHOUT ROWID"
        )
        self.numbers = {}

    def write(self, readings):
        numbers = self.numbers
        rows = [
            (numbers.setdefault(one.series, len(numbers)), one.time_ms, one.value, int(one.quality))
            for one in readings
        ]
        rows.sort()
        self.connection.execute("BEGIN")
        self.connection.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?)", rows)
        self.connection.execute("COMMIT")

    def raw(self, series, span):
        rows = self.connection.execute(
            "SELECT time_ms, value, quality FROM points WHERE series = ? AND time_ms >= ? AND time_ms < ?",
            (self.numbers[series], *span),
        )
        return [Point(*row) for row in rows]

    def by_step(self, series, span, step_ms):
        rows = self.connection.execute(
            "SELECT time_ms - (time_ms - ?) % ? AS step, avg(value) FROM points"
            " WHERE series = ? AND time_ms >= ? AND time_ms < ? GROUP BY step",
            (START_MS, step_ms, self.numbers[series], *span),
        )
        return [Point(*row) for row in rows]

    def close(self):
        self.connection.close()


def timed(call):
    begin, busy = time.perf_counter(), time.process_time()
    result = call()
    return time.perf_counter() - begin, time.process_time() - busy, result


def live_batches(series_count, interval_ms, count, rng):
    """What a campus sends: every series at *interval_ms* with jitter, in the order of time."""
    series = [Series(f"meter-{number:05}", Quantity.ENERGY) for number in range(series_count)]
    totals = [round(rng.uniform(0, 9_999), 2) for _ in series]
    rows = []
    for step in range(count // series_count):
        for number, one in enumerate(series):
            totals[number] = round(totals[number] + rng.random() * 3, 2)
            time_ms = START_MS + step * interval_ms + rng.randrange(interval_ms // 100)
            rows.append(Reading(one, totals[number], time_ms, time_ms))
    return [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]


def meter_history(meter, days, rng):
    total, rows = 1000.0, []
    for step in range(days * 96):
        total = round(total + rng.random() * 3, 2)
        time_ms = START_MS + step * 15 * MINUTE_MS + rng.randrange(3_000)
        rows.append(Reading(meter, total, time_ms, time_ms))
    return rows


def write_all(store, batches):
    for batch in batches:
        store.write(batch)


def show(name, figure, unit, ratio):
    print(f"{name:<56}{figure:>10,.2f} {unit:<14}{ratio:>7.1f} ×")


def measure_writing(folder, title, batches):
    count = sum(map(len, batches))
    plain, store = PlainRows(folder / "plain.db"), EmbeddedStore(folder / "packed.db")
    plain_s, plain_busy_s, _ = timed(lambda: write_all(plain, batches))
    first_s, busy_s, _ = timed(lambda: write_all(store, batches))
    rest_s, rest_busy_s, _ = timed(store.pack)
    again_s, _, _ = timed(lambda: write_all(store, batches[:20]))
    plain_again_s, _, _ = timed(lambda: write_all(plain, batches[:20]))
    repeated = sum(map(len, batches[:20]))
    plain.close()
    store.pack()
    store.close()
    print(f"{title}: {count:,} readings, batches of {BATCH:,}")
    show("  write", count / first_s, "readings/s", plain_s / first_s)
    show(
        "  write, and the last of it packed",
        count / (first_s + rest_s),
        "readings/s",
        plain_s / (first_s + rest_s),
    )
    show(
        "  CPU of all of that, a reading",
        (busy_s + rest_busy_s) / count * 1e6,
        "µs",
        plain_busy_s / (busy_s + rest_busy_s),
    )
    show("  the same again (repeats)", repeated / again_s, "readings/s", plain_again_s / again_s)
    small, large = ((folder / name).stat().st_size / count for name in ("packed.db", "plain.db"))
    show("  file, roll-ups and free pages included", small, "bytes/reading", large / small)
    for name in ("packed.db", "plain.db"):
        (folder / name).unlink()


def measure_reading(folder, rng):
    plain, store = PlainRows(folder / "plain.db"), EmbeddedStore(folder / "packed.db")
    meters = [Series(f"meter-{number:03}", Quantity.ENERGY) for number in range(METERS)]
    count = 0
    for number, meter in enumerate(meters):
        history = meter_history(meter, 365 if number == 0 else 31, rng)
        count += len(history)
        store.write(history)
        plain.write(history)

    def month_by_hour():
        return sum(len(store.query(one, *MONTH, step_ms=HOUR_MS, aggregate=Aggregate.MEAN)) for one in meters)

    fresh_month_s, _, _ = timed(month_by_hour)
    store.pack()
    print(f"reading: {METERS} meters of a month, one of a year, 15 minutes; {count:,} readings")
    raw_s, _, points = timed(lambda: store.query(meters[0], *YEAR))
    plain_s, _, wanted = timed(lambda: plain.raw(meters[0], YEAR))
    assert points == wanted
    show("  a year of one meter, raw", raw_s * 1e3, "ms", plain_s / raw_s)
    days_s, _, days = timed(lambda: store.query(meters[0], *YEAR, step_ms=DAY_MS, origin_ms=START_MS))
    plain_s, _, wanted = timed(lambda: plain.by_step(meters[0], YEAR, DAY_MS))
    assert len(days) == len(wanted) == 365
    show("  a year of one meter by local day", days_s * 1e3, "ms", plain_s / days_s)
    plain_s, _, wanted = timed(lambda: sum(len(plain.by_step(one, MONTH, HOUR_MS)) for one in meters))
    show("  a month of 500 meters by hour, partly fresh", fresh_month_s * 1e3, "ms", plain_s / fresh_month_s)
    month_s, _, hours = timed(month_by_hour)
    assert hours == wanted == METERS * 720
    show("  a month of 500 meters by hour", month_s * 1e3, "ms", plain_s / month_s)
    store.close()
    open_s, _, store = timed(lambda: EmbeddedStore(folder / "packed.db"))
    latest_s, _, _ = timed(store.latest)
    show("  open", open_s * 1e3, "ms", float("nan"))
    show("  latest of 500 series", latest_s * 1e3, "ms", float("nan"))
    plain.close()
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=1_000_000, help="how many each part writes")
    count = parser.parse_args().readings
    rng = random.Random(7)
    print(f"embedded store against plain rows, {os.cpu_count()} CPU cores")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure_writing(folder, "1,000 series, 15 minutes", live_batches(1_000, 15 * MINUTE_MS, count, rng))
        measure_writing(folder, "9,000 series, 10 seconds", live_batches(9_000, 10_000, count, rng))
        measure_reading(folder, rng)


if __name__ == "__main__":
    main()
