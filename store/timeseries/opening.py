"""Opens the time-series store a URL names."""

from __future__ import annotations

from pathlib import Path

from campus.store_url import StoreKind, read_store_url
from store.errors import BadStoreUrl
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.embedded import EmbeddedStore
from store.timeseries.refusal import Refused


def open_store(url: str, data_dir: Path, *, refused: Refused | None = None) -> TimeSeriesStore:
    """The store at *url*, written as :mod:`campus.store_url` says; an embedded one is a file under *data_dir*.

    *refused* is told of each reading the store will never take. Raises :class:`store.errors.BadStoreUrl`, for an embedded store
    with a folder of its own, too: whoever means that gives it as *data_dir*.
    """
    address = read_store_url(url)
    if address is None or address.folder:
        raise BadStoreUrl(url)
    match address.kind:
        case StoreKind.EMBEDDED:
            return EmbeddedStore(data_dir / "timeseries.db", refused=refused)
        case StoreKind.INFLUXDB:
            from store.timeseries.influx.address import InfluxAddress
            from store.timeseries.influx.store import InfluxStore

            return InfluxStore(InfluxAddress.of(address), refused=refused)
        case StoreKind.VICTORIAMETRICS:
            from store.timeseries.victoria.address import VictoriaAddress
            from store.timeseries.victoria.store import VictoriaStore

            return VictoriaStore(VictoriaAddress.of(address), refused=refused)
