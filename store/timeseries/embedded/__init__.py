"""The embedded time-series store: one SQLite file beside the journal."""

from store.timeseries.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
