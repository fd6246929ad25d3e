"""The InfluxDB server behind its client library: four calls, and its errors as ours.

The library's batching WriteApi is never used: it drops what it could not write (INTEGRATIONS.md 4.5). Nothing is
retried here either: the journal is the buffer, and its consumer decides when to try again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.flux_csv_parser import FluxCsvParserException, FluxQueryException
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import HTTPError

from campus.clock import from_ms
from store.errors import StoreMissing, StoreUnavailable
from store.timeseries.halving import BodyRefused
from store.timeseries.influx.address import InfluxAddress

_TIMEOUT_MS = 30_000
#: the client types this enumeration as a class of texts
_MS: Any = WritePrecision.MS
_EPOCH = from_ms(0)
#: InfluxDB's own words for a bad line, a field conflict, a time outside of the bucket's retention
_REFUSALS = frozenset({"invalid", "unprocessable entity"})
_DROPPED = re.compile(r"partial write.*dropped=(\d+)", re.DOTALL)
_HINTS = {
    401: "the token is not known",
    403: "the token may not use this bucket",
    404: "the organisation or bucket does not exist",
}
_LONGEST_REASON = 300


class BucketMissing(Exception):
    """Raised when there is no such bucket to write to; one call makes it."""


class InfluxServer:
    """One server, one bucket."""

    def __init__(self, address: InfluxAddress) -> None:
        self._address = address
        self._client = InfluxDBClient(
            url=address.url, token=address.token, org=address.org, timeout=_TIMEOUT_MS
        )
        self._writes = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]  # generated
        self._queries = self._client.query_api()

    def write(self, body: bytes) -> None:
        """Stores lines; only 204 is success: other pages answer 200 to anything.

        Raises :class:`store.timeseries.halving.BodyRefused`, :class:`BucketMissing`.
        """
        with translated(self._address.url):
            try:
                _, status, _ = self._writes.post_write_with_http_info(  # type: ignore[no-untyped-call]  # generated
                    self._address.org,
                    self._address.bucket,
                    body,
                    precision=_MS,
                    content_type="text/plain; charset=utf-8",
                )
            except ApiException as error:
                if error.status == 413 or _is_about_the_lines(error):
                    raise _refusal(error) from error
                if _is_about_the_bucket(error):
                    raise BucketMissing from error
                raise
        if status != 204:
            raise StoreUnavailable(self._address.url, f"HTTP {status} to a write, expected 204")

    def query(self, flux: str) -> list[dict[str, Any]]:
        """The rows of a query, as columns by name. Raises :class:`store.errors.StoreMissing` without the bucket."""
        with translated(self._address.url):
            tables = self._queries.query(flux, org=self._address.org)
            return [record.values for table in tables for record in table.records]

    def delete_before(self, time_ms: int) -> None:
        """Forgets all points before *time_ms*. The API's last moment is included; points are whole milliseconds."""
        last = from_ms(time_ms) - dt.timedelta(microseconds=1)
        if last < _EPOCH:
            return
        with translated(self._address.url):
            self._client.delete_api().delete(
                _EPOCH, last, predicate="", bucket=self._address.bucket, org=self._address.org
            )

    def ensure_bucket(self, retention_s: int) -> bool:
        """Makes the bucket where it is missing; True when it did."""
        with translated(self._address.url):
            buckets = self._client.buckets_api()
            if self._has_bucket(buckets):
                return False
            rules = [{"type": "expire", "everySeconds": retention_s}] if retention_s else None
            buckets.create_bucket(
                bucket_name=self._address.bucket, org=self._address.org, retention_rules=rules
            )
            return True

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # the client has gaps in its types

    def _has_bucket(self, buckets: Any) -> bool:
        try:
            found = buckets.find_buckets(name=self._address.bucket, org=self._address.org).buckets
        except ApiException as error:
            if _is_about_the_bucket(error):
                return False
            raise
        return any(one.name == self._address.bucket for one in found or ())


@contextlib.contextmanager
def translated(url: str) -> Iterator[None]:
    """Whatever goes wrong with a server may be mended, and the journal waits for that."""
    try:
        yield
    except ApiException as error:
        hint = _HINTS.get(error.status, "")
        parts = (f"HTTP {error.status}", hint, _reason_of(error))
        kind = StoreMissing if _is_about_the_bucket(error) else StoreUnavailable
        raise kind(url, ": ".join(part for part in parts if part)) from error
    except FluxQueryException as error:
        raise StoreUnavailable(url, f"the query failed: {error.message}") from error
    except (FluxCsvParserException, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StoreUnavailable(url, f"an answer that is not InfluxDB's: {str(error)[:100]}") from error
    except (InfluxDBError, HTTPError, OSError) as error:
        raise StoreUnavailable(url, str(error)) from error


def _refusal(error: ApiException) -> BodyRefused:
    reason = _reason_of(error)
    match = _DROPPED.search(reason)
    return BodyRefused(reason, too_large=error.status == 413, dropped=int(match[1]) if match else None)


def _is_about_the_bucket(error: ApiException) -> bool:
    """Whether InfluxDB says that it has no such bucket."""
    return error.status == 404 and "bucket" in _reason_of(error)


def _is_about_the_lines(error: ApiException) -> bool:
    """Whether InfluxDB itself refuses the lines. A proxy's 400 must not cost a single reading."""
    if error.status not in {400, 422}:
        return False
    try:
        answer = json.loads(error.body or "")
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("code") in _REFUSALS


def _reason_of(error: ApiException) -> str:
    """What the server says; never the headers, which may repeat the token."""
    return str(error.message or error.body or error.reason or "")[:_LONGEST_REASON]
