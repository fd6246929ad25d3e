"""Measures the embedded time-series store: writing, size, and the two questions people wait for."""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS
from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.embedded import EmbeddedStore
from store.timeseries import Aggregate

START_MS = 1_756_656_000_000  # 2025-09-01T00:00+08:00
BATCH = 3_000
METERS = 100


def timed(call):
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def live_batches(seconds, rng):
    """What a campus sends: 1,000 series at 15-minute intervals with jitter, in the order of time."""
    series = [Series(f"meter-{number:04}", Quantity.ENERGY) for number in range(1_000)]
    rows = [
        Reading(one, number * 0.01, START_MS + step * 15 * MINUTE_MS + rng.randrange(5_000), START_MS)
        for step in range(seconds // 900)
        for number, one in enumerate(series)
    ]
    return [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]


def year_of(meter, rng):
    total, rows = 0.0, []
    for step in range(365 * 96):
        total += rng.random()
        time_ms = START_MS + step * 15 * MINUTE_MS
        rows.append(Reading(meter, total, time_ms, time_ms))
    return rows


def write_all(store, batches):
    for batch in batches:
        store.write(batch)


def roll_up_all(store):
    rounds = 0
    while store.roll_up():
        rounds += 1
    return rounds


def measure_writing(folder, rng):
    batches = live_batches(7 * 86_400, rng)
    count = sum(map(len, batches))
    path = folder / "live.db"
    store = EmbeddedStore(path)
    first_s, _ = timed(lambda: write_all(store, batches))
    again_s, _ = timed(lambda: write_all(store, batches[:50]))
    rolled_s, _ = timed(lambda: roll_up_all(store))
    latest_s, _ = timed(store.latest)
    store.close()
    yield "write, 1,000 series, batches of 3,000", f"{count / first_s:,.0f} rows/s"
    yield "the same again (repeats)", f"{sum(map(len, batches[:50])) / again_s:,.0f} rows/s"
    yield "rolling up afterwards, a row", f"{rolled_s / count * 1e6:.2f} µs"
    yield "write and roll up together", f"{count / (first_s + rolled_s):,.0f} rows/s"
    yield "size, roll-ups included", f"{path.stat().st_size / count:.1f} bytes/row"
    yield "latest of 1,000 series", f"{latest_s * 1e3:.1f} ms"


def measure_reading(folder, rng):
    store = EmbeddedStore(folder / "year.db")
    meters = [Series(f"meter-{number:03}", Quantity.ENERGY) for number in range(METERS)]
    write_all(store, [year_of(meters[0], rng)])
    for meter in meters[1:]:
        store.write(year_of(meter, rng)[: 31 * 96])
    year = (START_MS, START_MS + 365 * DAY_MS)

    def month_by_hour():
        span = (START_MS, START_MS + 30 * DAY_MS)
        return sum(
            len(store.query(meter, *span, step_ms=HOUR_MS, aggregate=Aggregate.LAST)) for meter in meters
        )

    raw_s, points = timed(lambda: store.query(meters[0], *year))
    assert len(points) == 365 * 96
    stale_s, _ = timed(lambda: store.query(meters[0], *year, step_ms=DAY_MS, origin_ms=START_MS))
    stale_month_s, _ = timed(month_by_hour)
    roll_up_all(store)
    days_s, days = timed(lambda: store.query(meters[0], *year, step_ms=DAY_MS, origin_ms=START_MS))
    assert len(days) == 365
    month_s, hours = timed(month_by_hour)
    assert hours == METERS * 720
    store.close()
    yield "a year of one meter (15 min), raw", f"{raw_s * 1e3:.1f} ms"
    yield "a year of one meter by local day", f"{days_s * 1e3:.1f} ms"
    yield "  before it is rolled up", f"{stale_s * 1e3:.1f} ms"
    yield "a month of 100 meters by hour", f"{month_s:.2f} s"
    yield "  before it is rolled up", f"{stale_month_s:.2f} s"


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rng = random.Random(7)
    print(f"embedded store, {os.cpu_count()} CPU cores")
    with tempfile.TemporaryDirectory() as folder:
        for measure in (measure_writing, measure_reading):
            for name, figure in measure(Path(folder), rng):
                print(f"{name:<40}{figure:>18}")


if __name__ == "__main__":
    main()
