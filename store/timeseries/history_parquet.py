"""The rows of a Parquet file. The only module here that needs polars, which the extra ``parquet`` brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from store.errors import BadHistory

#: read at once, as a part is dear to open
_PART_ROWS = 65_536


def parquet_rows(path: Path) -> Iterator[Sequence[Any]]:
    """The names of the columns, then the rows, read a part at a time.

    Times are aware datetimes where the file names their zone. Raises :class:`store.errors.BadHistory` for other bytes than
    Parquet, and OSError where the file cannot be opened.
    """
    try:
        yield from _rows(pl.scan_parquet(path))
    except pl.exceptions.PolarsError as error:
        raise BadHistory(path.name, str(error)[:200], "a Parquet file") from error


def _rows(lazy: pl.LazyFrame) -> Iterator[Sequence[Any]]:
    yield lazy.collect_schema().names()
    at = 0
    while True:
        part = lazy.slice(at, _PART_ROWS).collect()
        yield from part.iter_rows()
        at += len(part)
        if len(part) < _PART_ROWS:
            return
