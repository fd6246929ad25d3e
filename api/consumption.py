"""What a meter counted in each period, computed from the stored readings of its register."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from api.errors import BadRequest
from campus.clock import DAY_MS
from campus.device import Device, Kind
from campus.meter.consumption import Use, consumption, steps
from campus.meter.meter import meter_of
from campus.meter.register import Register
from campus.meter.step import Event, Step
from campus.quantity import Quantity
from campus.reading import Quality, Series
from store.timeseries.contract import Aggregate, TimeSeriesStore

#: readings looked at in one answer: two years of one meter every minute
MOST_READINGS = 1_000_000
_PAGE = 50_000
#: how far back the last reading before the span is looked for
_LEAD_MS = 400 * DAY_MS
#: readings after the span: one to end it on, more where the first is not believed alone
_AFTER = 4
_MOST_EVENTS = 200
_QUIET = {Event.FIRST, Event.NORMAL, Event.STALE}
_COUNTED = {
    Kind.WATER_METER: Quantity.WATER_VOLUME,
    Kind.ELECTRICITY_METER: Quantity.ENERGY,
    Kind.GAS_METER: Quantity.GAS_VOLUME,
}


class Consumption(msgspec.Struct, frozen=True):
    """The periods, and the newest steps that were not simply more of the same."""

    uses: Sequence[Use]
    events: Sequence[Step]
    resolution: float


def consumed(store: TimeSeriesStore, series: Series, device: Device, edges_ms: Sequence[int]) -> Consumption:
    """What passed between *edges_ms*; raises :class:`BadRequest` for more readings than one answer can look at."""
    register, meter = Register(), meter_of(device, series.quantity)
    events: deque[Step] = deque(maxlen=_MOST_EVENTS)

    def noted() -> Iterator[Step]:
        for step in steps(register, _points(store, series, edges_ms[0], edges_ms[-1]), meter):
            if step.event not in _QUIET and edges_ms[0] < step.until_ms and step.since_ms < edges_ms[-1]:
                events.append(step)
            yield step

    uses = consumption(noted(), edges_ms)
    return Consumption(uses, tuple(events), register.resolution(meter))


def counter_of(store: TimeSeriesStore, device: Device, quantity: str, channel: str | None) -> Series:
    """The counter that is meant: the kind's own where *quantity* is empty, the whole where *channel* is None."""
    counter = _COUNTED.get(device.kind) if not quantity else Quantity(quantity)
    if counter is None:
        raise BadRequest("quantity", quantity, "what the device counts, such as water_volume")
    if channel is not None:
        return Series(device.id, counter, channel)
    channels = [one.channel for one in store.series(device.id) if one.quantity is counter]
    for whole in ("", "total", *channels[:1]):
        if whole in channels and (whole in {"", "total"} or len(channels) == 1):
            return Series(device.id, counter, whole)
    if channels:
        raise BadRequest("channel", "", f"one of {', '.join(channels)}")
    return Series(device.id, counter)


def _points(
    store: TimeSeriesStore, series: Series, start_ms: int, end_ms: int
) -> Iterator[tuple[int, float]]:
    """The readings of the span, with those around it that its first and last steps need."""
    from_ms, seen = _lead(store, series, start_ms), 0
    while True:
        page = store.query(series, from_ms, end_ms, limit=_PAGE)
        seen += len(page)
        if seen > MOST_READINGS:
            raise BadRequest("from", start_ms, f"a span with at most {MOST_READINGS} readings")
        for point in page:
            if point.quality is not Quality.SUSPECT:
                yield point.time_ms, point.value
        if len(page) < _PAGE:
            break
        from_ms = page[-1].time_ms + 1
    for point in store.query(series, end_ms, end_ms + _LEAD_MS, limit=_AFTER):
        if point.quality is not Quality.SUSPECT:
            yield point.time_ms, point.value


def _lead(store: TimeSeriesStore, series: Series, start_ms: int) -> int:
    """The start of the last day before *start_ms* with readings, so that the first period starts from a known index."""
    days = store.query(
        series,
        start_ms - _LEAD_MS,
        start_ms,
        step_ms=DAY_MS,
        aggregate=Aggregate.COUNT,
        origin_ms=start_ms,
    )
    return days[-1].time_ms if days else start_ms
