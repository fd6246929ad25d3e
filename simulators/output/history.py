"""Writes readings to a file that ``shouyuan replay`` reads: ``time,device,quantity,value,channel,unit``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from campus.clock import iso
from campus.quantity import SPECS
from campus.reading import Reading
from simulators.errors import ParquetMissing

COLUMNS = ("time", "device", "quantity", "value", "channel", "unit")


class HistoryWriter(Protocol):
    """A file of readings, open as long as the ``with`` block lasts."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, readings: Iterable[Reading]) -> None: ...


def open_history(path: Path, devices: Sequence[str]) -> HistoryWriter:
    """A writer by the file's ending, ``.csv`` or ``.parquet``, for readings of *devices*.

    Raises ValueError for any other ending, and :class:`simulators.errors.ParquetMissing`.
    """
    match path.suffix.lower():
        case ".csv":
            return CsvHistory(path)
        case ".parquet":
            return _parquet(path, devices)
        case ending:
            raise ValueError(f"{path.name}: {ending or 'no ending'}; expected .csv or .parquet")


def _parquet(path: Path, devices: Sequence[str]) -> HistoryWriter:
    try:
        from simulators.output.history_parquet import ParquetHistory
    except ImportError as error:
        raise ParquetMissing(path.name) from error
    return ParquetHistory(path, devices)


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
