"""What came of it, read straight from journal, store, operations database and provider."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa

from bench.outage.provider import Provider
from bench.outage.publisher import COLD, FREEZERS, WARM, value
from campus.quantity import Quantity
from campus.reading import Series
from store.journal import codec
from store.timeseries.embedded import EmbeddedStore

_RULE = "cold.above_limit"


class Balance(NamedTuple):
    """Zero throughout is as it should be, but for *told_again*: a message may be sent again by a service that died sending."""

    lost: int
    doubled: int
    alerts_lost: int
    alerts_doubled: int
    messages_lost: int
    unsent: int
    told_again: int

    @property
    def even(self) -> bool:
        return not any(self[:-1])


def positions(journal: Path) -> tuple[int, int, int]:
    """Journaled messages, the newest batch and the store's position; zeros before the journal is made."""
    try:
        with sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10) as connection:
            (journaled,) = connection.execute("SELECT journaled FROM counts").fetchone()
            last = connection.execute("SELECT max(seq) FROM batches").fetchone()[0] or 0
            stored = connection.execute("SELECT seq FROM offsets WHERE consumer = 'store'").fetchone()
            return journaled, last, stored[0] if stored else 0
    except sqlite3.OperationalError:
        return 0, 0, 0


def failed_in_order(journal: Path) -> set[str]:
    """Fridges that were heard to fail before they were heard to recover; what a broker delivers late is the past."""
    heard: dict[str, list[float]] = {}
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as connection:
        for (encoded,) in connection.execute("SELECT readings FROM batches ORDER BY seq"):
            for reading in codec.decode(encoded):
                if reading.series.device.startswith("fridge-"):
                    heard.setdefault(reading.series.device, []).append(reading.value)
    return {fridge for fridge, values in heard.items() if values == [WARM, COLD]}


def count(sent: int, fridges: int, data: Path, store: str, database: str, provider: Provider) -> Balance:
    """The balance of *sent* readings of freezers and of *fridges* that each failed and recovered once."""
    stored = _stored(store, data)
    wanted = Counter((f"freezer-{n % FREEZERS}", value(n // FREEZERS)) for n in range(sent))
    wanted.update((f"fridge-{n}", one) for n in range(fridges) for one in (WARM, COLD))
    should = failed_in_order(data / "journal.db")
    alerts, unsent = _alerts(database or f"sqlite:///{data / 'operations.db'}")
    messages = {
        (f"冷藏柜{fridge.removeprefix('fridge-')}", over) for fridge in should for over in (False, True)
    }
    return Balance(
        lost=sum((wanted - stored).values()),
        doubled=sum((stored - wanted).values()),
        alerts_lost=len(should - alerts.keys()),
        alerts_doubled=sum(alerts.values()) - len(alerts) + len(alerts.keys() - should),
        messages_lost=len(messages - provider.messages.keys()),
        unsent=unsent,
        told_again=sum(provider.messages.values()) - len(provider.messages),
    )


def unsettled(database: str, data: Path) -> int:
    """Messages that wait to be sent, and alerts that are still open."""
    alerts, unsent = _alerts(database or f"sqlite:///{data / 'operations.db'}")
    return unsent + 2 * len(failed_in_order(data / "journal.db") - alerts.keys())


def _alerts(database: str) -> tuple[Counter[str], int]:
    engine = sa.create_engine(database)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT subject FROM alerts WHERE rule = :rule"), {"rule": _RULE})
        alerts = Counter(subject for (subject,) in rows)
        (waiting,) = connection.execute(sa.text("SELECT count(*) FROM outbox WHERE state <> 'sent'")).one()
        open_ = sa.text("SELECT count(*) FROM alerts WHERE rule = :rule AND state <> 'resolved'")
        (still_open,) = connection.execute(open_, {"rule": _RULE}).one()
    engine.dispose()
    return alerts, waiting + still_open


def _stored(store: str, data: Path) -> Counter[tuple[str, float]]:
    """Each value of each device and how many times the store has of it."""
    if store.startswith("victoriametrics:"):
        found = _victoria(urlsplit(store).netloc)
    elif store.startswith("influxdb2:"):
        found = _influx(urlsplit(store))
    else:
        found = _embedded(data / "timeseries.db")
    return Counter((device, round(number, 4)) for device, _, number in set(found))


def _embedded(path: Path) -> list[tuple[str, int, float]]:
    store = EmbeddedStore(path)
    series = [one for one in store.series() if one.quantity is Quantity.TEMPERATURE]
    found = [
        (one.device, point.time_ms, point.value)
        for one in series
        for point in store.query(Series(one.device, one.quantity, one.channel), 0, 2**60, limit=10**8)
    ]
    store.close()
    return found


def _victoria(host: str) -> list[tuple[str, int, float]]:
    # what was written last is found about a second later, or after this
    urllib.request.urlopen(f"http://{host}/internal/force_flush", timeout=60).close()
    query = urllib.parse.urlencode({"match[]": "temperature_value", "start": 0})
    with urllib.request.urlopen(f"http://{host}/api/v1/export?{query}", timeout=600) as answer:
        lines = [json.loads(line) for line in answer]
    return [
        (line["metric"]["device"], time_ms, number)
        for line in lines
        for time_ms, number in zip(line["timestamps"], line["values"], strict=True)
    ]


def _influx(url: urllib.parse.SplitResult) -> list[tuple[str, int, float]]:
    _, organisation, bucket = url.path.split("/")
    flux = f'from(bucket: "{bucket}") |> range(start: 0) |> filter(fn: (r) => r._measurement == "temperature" and r._field == "value")'
    request = urllib.request.Request(
        f"http://{url.hostname}:{url.port}/api/v2/query?org={organisation}", flux.encode(),
        {"authorization": f"Token {url.username}", "content-type": "application/vnd.flux", "accept": "application/csv"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=600) as answer:
        rows = csv.DictReader(io.TextIOWrapper(answer, encoding="utf-8"))
        return [
            (row["device"], hash(row["_time"]), float(row["_value"]))
            for row in rows
            if row.get("_value") not in {None, "", "_value"}
        ]
