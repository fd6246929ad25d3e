"""InfluxDB 2, through ``influxdb-client``: synchronous writes of ready-made lines, and Flux queries.

Its batching WriteApi is never used: it drops what it could not write (INTEGRATIONS.md 4.5). The journal is the
buffer; a write that fails is simply done again, as points of the same series and time replace each other.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from campus.clock import from_ms, iso, to_ms
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import BadStoreUrl, PointRefused, StoreUnavailable
from store.line_protocol import line, untag
from store.timeseries import Aggregate, Point

_TIMEOUT_MS = 30_000
#: the client types this enumeration as a class of texts
_MS: Any = WritePrecision.MS
_EPOCH = "1970-01-01T00:00:00Z"
_FLUX_NAMES = {Aggregate.MEAN: "mean", Aggregate.MIN: "min", Aggregate.MAX: "max", Aggregate.SUM: "sum"} | {
    Aggregate.COUNT: "count",
    Aggregate.FIRST: "first",
    Aggregate.LAST: "last",
}
_URL = re.compile(r"influxdb2(s?)://(?:([^@/]*)@)?([^/]+)/([^/]+)/([^/]+)")
Refused = Callable[[Reading, str], None]


class InfluxAddress(msgspec.Struct, frozen=True):
    """Where and as whom. The token never appears in a text of ours."""

    url: str
    token: str
    org: str
    bucket: str

    def __repr__(self) -> str:
        return f"InfluxAddress({self.url}, {self.org}/{self.bucket})"


def parse_url(url: str) -> InfluxAddress:
    """The parts of ``influxdb2://TOKEN@HOST:PORT/ORG/BUCKET``; the token may come from SHOUYUAN_INFLUX_TOKEN."""
    match = _URL.fullmatch(url)
    if match is None:
        raise BadStoreUrl(urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl())
    secure, token, host, org, bucket = match.groups()
    token = unquote(token or "") or os.environ.get("SHOUYUAN_INFLUX_TOKEN", "")
    return InfluxAddress(f"http{secure}://{host}", token, unquote(org), unquote(bucket))


class InfluxStore:
    """Readings in one bucket. *refused* is told of each reading the server will never take."""

    def __init__(self, address: InfluxAddress, *, refused: Refused | None = None) -> None:
        self._address = address
        self._refused = refused
        self._client = InfluxDBClient(
            url=address.url, token=address.token, org=address.org, timeout=_TIMEOUT_MS
        )
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        self._queries = self._client.query_api()

    def ensure_bucket(self, *, retention_s: int = 0) -> None:
        """Makes the bucket where it is missing (0 keeps for ever)."""
        with _translated(self._address.url):
            buckets = self._client.buckets_api()
            if buckets.find_bucket_by_name(self._address.bucket) is None:  # type: ignore[no-untyped-call]  # the client has gaps in its types
                rules = [{"type": "expire", "everySeconds": retention_s}] if retention_s else None
                buckets.create_bucket(
                    bucket_name=self._address.bucket, org=self._address.org, retention_rules=rules
                )

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores *readings*; one that the server refuses is found by halving, and all others are stored."""
        refused: list[tuple[int, str]] = []
        good = []
        for index, reading in enumerate(readings):
            if math.isfinite(reading.value):
                good.append((index, reading))
            else:
                refused.append((index, f"{reading.value} is not a finite number"))
        self._write(good, refused)
        for index, reason in sorted(refused):
            if self._refused is None:
                raise PointRefused(index, reason)
            self._refused(readings[index], reason)

    def latest(self, series: Iterable[Series] | None = None) -> dict[Series, Point]:
        """The newest point of each series."""
        flux = f"{self._from(_EPOCH, None)} |> last() {_PIVOT}"
        found = dict(self._points(flux))
        if series is None:
            return found
        wanted = set(series)
        return {one: point for one, point in found.items() if one in wanted}

    def series(self, device: str | None = None) -> list[Series]:
        """Every series (of *device*), sorted."""
        return sorted(one for one in self.latest() if device is None or one.device == device)

    def query(
        self,
        series: Series,
        start_ms: int,
        end_ms: int,
        *,
        step_ms: int = 0,
        aggregate: Aggregate = Aggregate.MEAN,
        origin_ms: int = 0,
        limit: int = 100_000,
    ) -> list[Point]:
        """Raw points, or one a step; steps without readings give no point."""
        if end_ms <= start_ms:
            return []
        flux = self._from(iso(start_ms), iso(end_ms)) + _only(series)
        if step_ms > 0:
            flux += (
                ' |> filter(fn: (r) => r._field == "value")'
                f" |> aggregateWindow(every: {step_ms}ms, offset: {origin_ms % step_ms}ms,"
                f' fn: {_FLUX_NAMES[aggregate]}, createEmpty: false, timeSrc: "_start")'
            )
        else:
            flux += _PIVOT
        flux += f' |> sort(columns: ["_time"]) |> limit(n: {limit})'
        points = [point for _, point in self._points(flux)]
        if step_ms > 0:
            points = [_aligned(point, step_ms, origin_ms) for point in points]
        return points

    def delete_before(self, time_ms: int) -> int:
        """Forgets everything older; the server does not count."""
        with _translated(self._address.url):
            self._client.delete_api().delete(
                _EPOCH, from_ms(time_ms - 1), predicate="", bucket=self._address.bucket, org=self._address.org
            )
        return 0

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # the client has gaps in its types

    def _write(self, readings: list[tuple[int, Reading]], refused: list[tuple[int, str]]) -> None:
        if not readings:
            return
        body = "\n".join(line(reading) for _, reading in readings).encode()
        try:
            with _translated(self._address.url):
                self._writer.write(self._address.bucket, self._address.org, body, write_precision=_MS)
        except _BadRequest as error:
            if len(readings) == 1:
                refused.append((readings[0][0], str(error)))
                return
            half = len(readings) // 2
            self._write(readings[:half], refused)
            self._write(readings[half:], refused)

    def _from(self, start: str, stop: str | None) -> str:
        until = f", stop: {stop}" if stop else ""
        return f"from(bucket: {json.dumps(self._address.bucket)}) |> range(start: {start}{until})"

    def _points(self, flux: str) -> list[tuple[Series, Point]]:
        with _translated(self._address.url):
            tables = self._queries.query(flux, org=self._address.org)
        found = []
        for table in tables:
            for record in table.records:
                point = _point(record.values)
                if point is not None:
                    found.append(point)
        return found


_PIVOT = ' |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'


class _BadRequest(Exception):
    """The server refuses what was written, and always will."""


@contextlib.contextmanager
def _translated(url: str) -> Iterator[None]:
    """Turns the client's errors into ours."""
    try:
        yield
    except ApiException as error:
        if error.status in {400, 413, 422}:
            raise _BadRequest(str(error.message or error.body)[:300]) from error
        raise StoreUnavailable(url, f"HTTP {error.status}: {error.reason}") from error
    except (HTTPError, OSError) as error:
        raise StoreUnavailable(url, str(error)) from error


def _only(series: Series) -> str:
    channel = (
        f"r.channel == {json.dumps(series.channel, ensure_ascii=False)}"
        if series.channel
        else "not exists r.channel"
    )
    device = json.dumps(series.device, ensure_ascii=False)
    return f' |> filter(fn: (r) => r._measurement == "{series.quantity.value}" and r.device == {device} and {channel})'


def _point(values: dict[str, Any]) -> tuple[Series, Point] | None:
    measurement, device, moment = values.get("_measurement"), values.get("device"), values.get("_time")
    value = values.get("value", values.get("_value"))
    if device is None or value is None or not isinstance(moment, dt.datetime):
        return None
    quantity = Quantity(str(measurement)) if measurement in set(Quantity) else None
    if quantity is None:
        return None
    series = Series(untag(str(device)), quantity, untag(str(values.get("channel") or "")))
    return series, Point(to_ms(moment), float(value), Quality(int(values.get("quality") or 0)))


def _aligned(point: Point, step_ms: int, origin_ms: int) -> Point:
    """The first window starts where the range does; ours starts where the step does."""
    return Point(point.time_ms - (point.time_ms - origin_ms) % step_ms, point.value)
