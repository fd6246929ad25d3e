"""The time-series store VictoriaMetrics: line protocol in, its export API out, steps worked out here.

A reading is a sample of ``<quantity>_value`` with the labels device and channel. A quality other than good is a
sample of ``<quantity>_quality`` beside it, so that neither a good reading nor a changing quality costs a series.

What differs from the other stores, as the server is what it is:

* it keeps every sample it is given, the same one twice, too, in no order. Answers of ours count one time once; of two
  *different* values at one time the larger is told, as with the server's own deduplication, not the last written;
  ``-dedup.minScrapeInterval=1ms`` makes its own answers (Grafana) count so, too
* what was written is found about a second later
* values keep 15 significant digits
* it forgets by its own ``-retentionPeriod`` only; it can delete whole series, never what is older than a time. It
  drops what is older without a word, so this is looked up, and such readings are refused here
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from campus.clock import DAY_MS, iso
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import StoreUnavailable, Unsupported
from store.timeseries.contract import Aggregate, Point, StoreInfo
from store.timeseries.halving import BodyRefused, last_of_each, write_halving
from store.timeseries.line_protocol import sparse_lines
from store.timeseries.points import Points
from store.timeseries.refusal import Refusal, Refused, sort_out, tell
from store.timeseries.steps import Steps
from store.timeseries.victoria.address import VictoriaAddress
from store.timeseries.victoria.server import Samples, ServerState, VictoriaServer

_VALUE, _QUALITY = "_value", "_quality"
_NAMES = "|".join(Quantity)
#: more devices than this are picked from all of them, as the query would grow too long
_NAMED_DEVICES = 50
#: one answer holds the samples of so much time: a year at 10 s is 3 million
_SPAN_MS = 366 * DAY_MS
#: the newest sample of a series is looked for in the last days, then in all of the time the server can count
_WINDOWS = ("5d", "50y")
#: the server cuts a label off at 16 KiB, later versions at 1 KiB: two names would become one
_LONGEST_NAME_BYTES = 1000
#: so many writes are judged by one look at the server's clock and retention, or a minute
_STATE_AGE_MS = 60_000


class VictoriaStore:
    """Readings in one VictoriaMetrics. Thread-safe.

    *refused* is told of each reading that can never be stored; see :class:`store.timeseries.contract.TimeSeriesStore`.
    """

    def __init__(self, address: VictoriaAddress, *, refused: Refused | None = None) -> None:
        self._address = address
        self._refused = refused
        self._server = VictoriaServer(address)
        self._state: ServerState | None = None

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores *readings*; one that the server refuses is found by halving, and all others are stored."""
        good, refused = sort_out(readings)
        good = self._kept(readings, good, refused)
        try:
            write_halving(
                lambda some: self._server.write(sparse_lines(some)), last_of_each(readings, good), refused
            )
        except BodyRefused as error:
            raise StoreUnavailable(self._address.url, error.reason) from error
        except StoreUnavailable:
            self._state = None  # it may come back with another retention
            raise
        tell(readings, refused, self._refused)

    def latest(self, series: Iterable[Series] | None = None) -> dict[Series, Point]:
        """The newest point of each series."""
        wanted = set(series) if series is not None else set(self.series())
        now_ms = self._server.state().now_ms + DAY_MS
        found: dict[Series, Point] = {}
        for window in _WINDOWS:
            missing = wanted - found.keys()
            if missing:
                found |= self._latest(missing, window, now_ms)
        return found

    def series(self, device: str | None = None) -> list[Series]:
        """Every series (of *device*), sorted."""
        only = "" if device is None else f",device={_quoted(device)}"
        rows = self._server.series(f'{{__name__=~"({_NAMES}){_VALUE}"{only}}}')
        return sorted(filter(None, map(_series_of, rows)))

    def query(
        self,
        series: Series,
        start_ms: int,
        end_ms: int,
        *,
        step_ms: int = 0,
        aggregate: Aggregate = Aggregate.MEAN,
        origin_ms: int = 0,
        limit: int = 100_000,
    ) -> list[Point]:
        """Raw points, or one a step; steps without readings give no point."""
        start_ms, found = max(start_ms, 0), []
        steps = Steps(aggregate, step_ms, origin_ms)
        if end_ms > start_ms:
            self._state = state = self._state or self._server.state()
            start_ms, end_ms = max(start_ms, state.oldest_ms), min(end_ms, state.newest_ms + _SPAN_MS)
        for begin_ms in range(start_ms, end_ms, _SPAN_MS):
            points = self._points(series, begin_ms, min(begin_ms + _SPAN_MS, end_ms))
            if step_ms <= 0:
                found += points.as_list()
                if len(found) >= limit:
                    break
            elif points.times:
                steps.add_points(points.times, points.values)
        return (found if step_ms <= 0 else steps.points())[:limit]

    def delete_before(self, time_ms: int) -> int:
        """Raises :class:`store.errors.Unsupported`: the server's own retention decides."""
        raise Unsupported(
            self._address.url,
            f"forget what is before {iso(time_ms)}",
            "it deletes whole series only; start the server with -retentionPeriod, e.g. -retentionPeriod=3y",
        )

    def info(self) -> StoreInfo:
        """What the server says; a reading written twice is counted as often as it counts it."""
        state = self._server.state()
        names = f'{{__name__=~"({_NAMES}){_VALUE}"}}[{_WINDOWS[-1]}]'
        ends = (
            self._server.instant(query, state.now_ms + DAY_MS)
            for query in (
                f"sum(count_over_time({names}))",
                f"min(tfirst_over_time({names}))",
                f"max(tlast_over_time({names}))",
            )
        )
        count, first, last = (rows[0][1] if rows else None for rows in ends)
        return StoreInfo(
            series=len(self.series()),
            readings=int(count or 0),
            first_ms=None if first is None else round(first * 1000),
            last_ms=None if last is None else round(last * 1000),
            size_bytes=state.size_bytes,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._server.close()

    def _kept(self, readings: Sequence[Reading], good: list[int], refused: list[Refusal]) -> list[int]:
        """Those of *good* that the server would not drop; the others are added to *refused*."""
        if not good:
            return good
        state = self._state
        newest_ms = max(readings[index].time_ms for index in good)
        if state is None or newest_ms > state.now_ms + _STATE_AGE_MS:
            state = self._state = self._server.state()
        kept = []
        for index in good:
            reason = _why_dropped(readings[index], state)
            if reason:
                refused.append((index, reason))
            else:
                kept.append(index)
        return kept

    def _latest(self, wanted: set[Series], window: str, now_ms: int) -> dict[Series, Point]:
        devices = sorted({one.device for one in wanted})
        only = ""
        if len(devices) <= _NAMED_DEVICES:
            only = ",device=~" + _quoted("|".join(_escaped(name) for name in devices))
        parts = {}
        for field, function in ((_VALUE, "tlast"), (_VALUE, "last"), (_QUALITY, "tlast"), (_QUALITY, "last")):
            selector = f'{{__name__=~"({_NAMES}){field}"{only}}}'
            rows = self._server.instant(
                f"{function}_over_time({selector}[{window}]) keep_metric_names", now_ms
            )
            parts[field, function] = {_series_of(labels): value for labels, value in rows}
        found: dict[Series, Point] = {}
        for one, seconds in parts[_VALUE, "tlast"].items():
            if one in wanted and one in parts[_VALUE, "last"]:
                flagged = parts[_QUALITY, "tlast"].get(one) == seconds
                quality = Quality(int(parts[_QUALITY, "last"][one])) if flagged else Quality.GOOD
                found[one] = Point(round(seconds * 1000), parts[_VALUE, "last"][one], quality)
        return found

    def _points(self, series: Series, start_ms: int, end_ms: int) -> Points:
        name = f"{series.quantity.value}({_VALUE}|{_QUALITY})"
        selector = f'{{__name__=~"{name}",device={_quoted(series.device)},channel={_quoted(series.channel)}}}'
        values: dict[int, float] = {}
        qualities: dict[int, float] = {}
        for samples in self._server.export(selector, start_ms, end_ms):
            _gather(samples, values if samples.metric["__name__"].endswith(_VALUE) else qualities)
        times = sorted(values)
        return Points(
            times,
            [values[time_ms] for time_ms in times],
            bytes(int(qualities.get(time_ms, 0)) for time_ms in times),
        )


def _gather(samples: Samples, into: dict[int, float]) -> None:
    for time_ms, value in zip(samples.timestamps, samples.values, strict=True):
        if value is not None and value >= into.get(time_ms, value):
            into[time_ms] = value


def _why_dropped(reading: Reading, state: ServerState) -> str:
    if not state.oldest_ms <= reading.time_ms <= state.newest_ms:
        kept = f"-retentionPeriod={state.retention}" if state.retention else "its retention"
        return (
            f"the time {iso(reading.time_ms)} is outside of what the server keeps ({kept}):"
            f" {iso(state.oldest_ms)} to {iso(state.newest_ms)}"
        )
    if max(len(reading.series.device.encode()), len(reading.series.channel.encode())) > _LONGEST_NAME_BYTES:
        return f"a name of more than {_LONGEST_NAME_BYTES} bytes"
    return ""


def _series_of(labels: dict[str, str]) -> Series | None:
    """The series of a sample of ours; None for another program's."""
    name, _, _ = labels.get("__name__", "").rpartition("_")
    if name not in _QUANTITIES or not labels.get("device"):
        return None
    return Series(labels["device"], Quantity(name), labels.get("channel", ""))


def _quoted(text: str) -> str:
    """A MetricsQL string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """*text* within a regular expression."""
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in text)


_QUANTITIES = frozenset(Quantity)
_SIGNS = frozenset(r"\.+*?()|[]{}^$")
