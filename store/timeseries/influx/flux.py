"""The Flux queries of the InfluxDB store, as texts."""

from __future__ import annotations

from collections.abc import Iterable

from campus.clock import iso
from campus.reading import Series
from store.timeseries.contract import Aggregate
from store.timeseries.line_protocol import stored_tag

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_PIVOT = ' |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
_SORT = ' |> sort(columns: ["_time"])'


def latest(bucket: str, devices: Iterable[str] | None) -> str:
    """The newest value and quality of every series (of *devices*)."""
    chosen = ""
    if devices is not None:
        names = " or ".join(f"r.device == {text(stored_tag(name))}" for name in devices)
        chosen = f" |> filter(fn: (r) => {names})"
    return f"{_from(bucket)} |> range(start: 0){chosen} |> last(){_PIVOT}"


def ends(bucket: str) -> str:
    """Of every series how many values it has, in a column ``n``, and the time of its first."""
    values = f'{_from(bucket)} |> range(start: 0) |> filter(fn: (r) => r._field == "value")'
    return (
        f"values = {values}\n"
        'counts = values |> count() |> rename(columns: {_value: "n"}) |> yield(name: "counts")\n'
        'firsts = values |> first() |> drop(columns: ["_value"]) |> yield(name: "firsts")'
    )


def raw(bucket: str, series: Series, start_ms: int, end_ms: int, limit: int) -> str:
    """The points of a span, oldest first."""
    return (
        f"{_from(bucket)}{_range(start_ms, end_ms)}{_only(series)}{_SORT} |> limit(n: {limit}){_PIVOT}{_SORT}"
    )


def by_step(
    bucket: str,
    series: Series,
    span: tuple[int, int],
    *,
    step_ms: int,
    aggregate: Aggregate,
    origin_ms: int,
    limit: int,
) -> str:
    """One value a step; the first one's time is the span's start where that lies within the step."""
    return (
        f"{_from(bucket)}{_range(*span)}{_only(series)}"
        ' |> filter(fn: (r) => r._field == "value")'
        f" |> aggregateWindow(every: {step_ms}ms, offset: {origin_ms % step_ms}ms, fn: {aggregate.value},"
        f' createEmpty: false, timeSrc: "_start"){_SORT} |> limit(n: {limit})'
    )


def text(value: str) -> str:
    """A Flux string. ``${`` is escaped too, as ``${…}`` within a string is evaluated; a bare ``$`` must not be."""
    escaped = value.translate(_ESCAPES).replace("${", "\\${")
    return f'"{escaped}"'


def _from(bucket: str) -> str:
    return f"from(bucket: {text(bucket)})"


def _range(start_ms: int, end_ms: int) -> str:
    return f" |> range(start: {_time(start_ms)}, stop: {_time(end_ms)})"


def _time(time_ms: int) -> str:
    """A Flux time; what lies outside InfluxDB's own range is drawn to its edge."""
    return iso(min(max(time_ms, 0), 9_223_372_036_854))


def _only(series: Series) -> str:
    channel = f"r.channel == {text(stored_tag(series.channel))}" if series.channel else "not exists r.channel"
    return (
        f" |> filter(fn: (r) => r._measurement == {text(series.quantity.value)}"
        f" and r.device == {text(stored_tag(series.device))} and {channel})"
    )
