"""The time-series store InfluxDB 2: ready-made lines in, Flux out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from campus.clock import to_ms
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import StoreUnavailable
from store.timeseries.contract import Aggregate, Point, StoreInfo
from store.timeseries.halving import BodyRefused, last_of_each, write_halving
from store.timeseries.influx import flux
from store.timeseries.influx.address import InfluxAddress
from store.timeseries.influx.server import BucketMissing, InfluxServer
from store.timeseries.line_protocol import lines, text_of
from store.timeseries.refusal import Refused, sort_out, tell

_QUANTITIES = frozenset(Quantity)
#: more devices than this are picked from all of them, as the query would grow too long
_NAMED_DEVICES = 50


class InfluxStore:
    """Readings in one bucket. Thread-safe.

    *refused* is told of each reading that can never be stored; see :class:`store.timeseries.contract.TimeSeriesStore`.
    """

    def __init__(self, address: InfluxAddress, *, refused: Refused | None = None) -> None:
        self._address = address
        self._refused = refused
        self._server = InfluxServer(address)

    def ensure_bucket(self, *, retention_s: int = 0) -> bool:
        """Makes the bucket where it is missing (0 s keeps for ever); True when it did."""
        return self._server.ensure_bucket(retention_s)

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores *readings*; one that the server refuses is found by halving, and all others are stored."""
        good, refused = sort_out(readings)
        try:
            write_halving(self._send, last_of_each(readings, good), refused)
        except BodyRefused as error:
            raise StoreUnavailable(self._address.url, error.reason) from error
        tell(readings, refused, self._refused)

    def latest(self, series: Iterable[Series] | None = None) -> dict[Series, Point]:
        """The newest point of each series."""
        wanted = None if series is None else set(series)
        devices = None if wanted is None else sorted({one.device for one in wanted})
        if devices is not None and len(devices) > _NAMED_DEVICES:
            devices = None
        if wanted is not None and not wanted:
            return {}
        found = self._series_points(flux.latest(self._address.bucket, devices))
        return {one: point for one, point in found if wanted is None or one in wanted}

    def series(self, device: str | None = None) -> list[Series]:
        """Every series (of *device*), sorted."""
        devices = None if device is None else [device]
        return sorted(one for one, _ in self._series_points(flux.latest(self._address.bucket, devices)))

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
        if end_ms <= max(start_ms, 0):
            return []
        bucket = self._address.bucket
        if step_ms <= 0:
            rows = self._server.query(flux.raw(bucket, series, start_ms, end_ms, limit))
            return [self._point(row, row.get("value")) for row in rows]
        steps = flux.by_step(
            bucket,
            series,
            (start_ms, end_ms),
            step_ms=step_ms,
            aggregate=aggregate,
            origin_ms=origin_ms,
            limit=limit,
        )
        rows = self._server.query(steps)
        points = (self._point(row, row.get("_value")) for row in rows)
        return [_at_step(point, step_ms, origin_ms) for point in points]

    def delete_before(self, time_ms: int) -> int:
        """Forgets everything older; the server does not count."""
        self._server.delete_before(time_ms)
        return 0

    def info(self) -> StoreInfo:
        """What the server says; it does not tell the bytes of a bucket."""
        rows = [row for row in self._server.query(flux.ends(self._address.bucket)) if _is_ours(row)]
        newest = self.latest()
        firsts = [to_ms(row["_time"]) for row in rows if "n" not in row]
        return StoreInfo(
            series=len(newest),
            readings=sum(int(row.get("n", 0)) for row in rows),
            first_ms=min(firsts, default=None),
            last_ms=max((point.time_ms for point in newest.values()), default=None),
            size_bytes=None,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._server.close()

    def _send(self, readings: list[Reading]) -> None:
        """Writes *readings*; a bucket that is missing, at first or since, is made once."""
        body = lines(readings)
        try:
            self._server.write(body)
        except BucketMissing as missing:
            try:
                self.ensure_bucket()
                self._server.write(body)
            except (BucketMissing, StoreUnavailable) as error:
                reason = f"the bucket does not exist and could not be made: {error}"
                raise StoreUnavailable(self._address.url, reason) from missing

    def _series_points(self, query: str) -> list[tuple[Series, Point]]:
        found = []
        for row in self._server.query(query):
            if not _is_ours(row):
                continue
            series = Series(
                text_of(row["device"]), Quantity(row["_measurement"]), text_of(row.get("channel") or "")
            )
            found.append((series, self._point(row, row.get("value"))))
        return found

    def _point(self, row: dict[str, Any], value: float | None) -> Point:
        moment = row.get("_time", row.get("_start"))
        if value is None or not isinstance(moment, dt.datetime):
            raise StoreUnavailable(
                self._address.url, f"a row without time or value: {sorted(map(str, row))[:12]}"
            )
        return Point(to_ms(moment), float(value), Quality(int(row.get("quality") or 0)))


def _is_ours(row: dict[str, Any]) -> bool:
    """Whether it is no other program's data in the same bucket."""
    return row.get("_measurement") in _QUANTITIES and bool(row.get("device"))


def _at_step(point: Point, step_ms: int, origin_ms: int) -> Point:
    """The first window starts where the range does; ours starts where the step does."""
    return Point(point.time_ms - (point.time_ms - origin_ms) % step_ms, point.value)
