"""Readings in a Parquet file. The only module of this room that needs polars, which the extra ``parquet`` brings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from campus.quantity import SPECS, Quantity
from campus.reading import Reading

_CHUNK = 500_000


class ParquetHistory:
    """Column by column, in packed chunks of half a million rows (about 22 bytes each) until the end."""

    def __init__(self, path: Path, devices: Sequence[str]) -> None:
        self._path = path
        self._schema = {
            "time": pl.Int64(),
            "device": pl.Enum(sorted(set(devices))),
            "quantity": pl.Enum([one.value for one in Quantity]),
            "value": pl.Float64(),
            "channel": pl.Enum(["", "a", "b", "c", "total"]),
        }
        self._rows: list[tuple[int, str, str, float, str]] = []
        self._chunks: list[pl.DataFrame] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._pack()
            self._finish()

    def write(self, readings: Iterable[Reading]) -> None:
        """Adds rows."""
        self._rows += [
            (one.time_ms, one.series.device, one.series.quantity.value, one.value, one.series.channel)
            for one in readings
        ]
        if len(self._rows) >= _CHUNK:
            self._pack()

    def _pack(self) -> None:
        self._chunks.append(pl.DataFrame(self._rows, schema=self._schema, orient="row"))
        self._rows = []

    def _finish(self) -> None:
        units = {one.value: SPECS[one].unit for one in Quantity}
        whole = pl.concat(self._chunks).with_columns(
            pl.from_epoch("time", time_unit="ms").dt.replace_time_zone("UTC"),
            pl.col("quantity")
            .cast(pl.String)
            .replace_strict(units, return_dtype=pl.Categorical)
            .alias("unit"),
        )
        whole.write_parquet(self._path)
