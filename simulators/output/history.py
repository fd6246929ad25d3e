"""Writes readings to a file that ``shouyuan replay`` reads: ``time,device,quantity,value,channel,unit``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

import polars as pl

from campus.clock import iso
from campus.quantity import SPECS, Quantity
from campus.reading import Reading

COLUMNS = ("time", "device", "quantity", "value", "channel", "unit")
_CHUNK = 500_000


class HistoryWriter(Protocol):
    """A file of readings, open as long as the ``with`` block lasts."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, readings: Iterable[Reading]) -> None: ...


def open_history(path: Path, devices: Sequence[str]) -> HistoryWriter:
    """A writer by the file's ending, ``.csv`` or ``.parquet``; raises ValueError for any other."""
    match path.suffix.lower():
        case ".csv":
            return CsvHistory(path)
        case ".parquet":
            return ParquetHistory(path, devices)
        case ending:
            raise ValueError(f"{path.name}: {ending or 'no ending'}; expected .csv or .parquet")


class CsvHistory:
    """Row by row; nothing is held in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8", newline="")
        csv.writer(self._file).writerow(COLUMNS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, readings: Iterable[Reading]) -> None:
        """Adds rows."""
        assert self._file is not None  # noqa: S101 - used within the with block
        csv.writer(self._file).writerows(self._rows(readings))

    def _rows(self, readings: Iterable[Reading]) -> Iterator[tuple[str, str, str, float, str, str]]:
        last_ms, text = -1, ""
        for series, value, time_ms in ((one.series, one.value, one.time_ms) for one in readings):
            if time_ms != last_ms:  # a device's values share their time
                last_ms, text = time_ms, iso(time_ms)
            yield (
                text,
                series.device,
                series.quantity.value,
                value,
                series.channel,
                SPECS[series.quantity].unit,
            )


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
