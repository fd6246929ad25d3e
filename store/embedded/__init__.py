"""The embedded time-series store: one SQLite file beside the journal."""

from store.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
