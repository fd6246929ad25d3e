"""Opens the time-series store a URL names."""

from __future__ import annotations

from pathlib import Path

from store.embedded import EmbeddedStore
from store.errors import BadStoreUrl
from store.timeseries import TimeSeriesStore


def open_store(url: str, data: Path) -> TimeSeriesStore:
    """``embedded`` (a file under *data*), or ``influxdb2://TOKEN@HOST:PORT/ORG/BUCKET`` (``influxdb2s`` over TLS)."""
    if url == "embedded":
        return EmbeddedStore(data / "timeseries.db")
    if url.startswith(("influxdb2://", "influxdb2s://")):
        from store.influx import InfluxStore, parse_url

        return InfluxStore(parse_url(url))
    raise BadStoreUrl(url)
