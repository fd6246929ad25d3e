"""A history in a file: CSV or Parquet with ``time,device,quantity,value[,channel][,unit]``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from campus.clock import parse_iso, to_ms
from campus.errors import BadTime, UnknownQuantity, UnknownUnit
from campus.problem import Problem
from campus.quantity import SPECS, quantity_of
from campus.reading import Reading, Series
from campus.unit import to_canonical
from store.errors import BadHistory

_NEEDED = ("time", "device", "quantity", "value")


def read_history(path: Path, problems: list[Problem]) -> Iterator[Reading]:
    """The readings of *path*, sorted by time. A row that cannot be read is added to *problems* and left out.

    Raises :class:`store.errors.BadHistory` where the file as a whole is no history.
    """
    table = _table(path)
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise BadHistory(path.name, f"the columns {', '.join(table.columns)}", f"{', '.join(_NEEDED)}")
    readings = []
    for number, row in enumerate(table.iter_rows(named=True), start=2):
        try:
            readings.append(_reading(row))
        except (UnknownQuantity, UnknownUnit, BadTime, ValueError) as error:
            problems.append(Problem(path.name, number, "", str(row)[:120], str(error)))
    yield from sorted(readings, key=lambda reading: reading.time_ms)


def _table(path: Path) -> pl.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadHistory(path.name, str(error)[:200], "a CSV or Parquet file") from error


def _reading(row: dict[str, Any]) -> Reading:
    quantity = quantity_of(str(row["quantity"]))
    value = float(row["value"])
    if not math.isfinite(value):
        raise ValueError(f"value {value} is not a finite number")
    unit = str(row.get("unit") or SPECS[quantity].unit)
    when = row["time"]
    time_ms = parse_iso(when) if isinstance(when, str) else to_ms(when)
    series = Series(str(row["device"]), quantity, str(row.get("channel") or ""))
    return Reading(series, to_canonical(quantity, value, unit), time_ms, time_ms)
