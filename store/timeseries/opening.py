"""Opens the time-series store a URL names."""

from __future__ import annotations

from pathlib import Path

from store.errors import BadStoreUrl
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.embedded import EmbeddedStore
from store.timeseries.refusal import Refused


def open_store(url: str, data_dir: Path, *, refused: Refused | None = None) -> TimeSeriesStore:
    """``embedded`` (a file under *data_dir*), or ``influxdb2://TOKEN@HOST:PORT/ORG/BUCKET`` (``influxdb2s`` over TLS),
    or ``victoriametrics://[USER:PASSWORD@]HOST:PORT`` (``victoriametricss`` over TLS).

    *refused* is told of each reading the store will never take.
    """
    if url == "embedded":
        return EmbeddedStore(data_dir / "timeseries.db", refused=refused)
    if url.startswith(("influxdb2://", "influxdb2s://")):
        from store.timeseries.influx.address import parse_url
        from store.timeseries.influx.store import InfluxStore

        return InfluxStore(parse_url(url), refused=refused)
    if url.startswith(("victoriametrics://", "victoriametricss://")):
        from store.timeseries.victoria.address import parse_url as parse_victoria_url
        from store.timeseries.victoria.store import VictoriaStore

        return VictoriaStore(parse_victoria_url(url), refused=refused)
    raise BadStoreUrl(url)
