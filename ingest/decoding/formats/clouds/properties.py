"""Properties of a cloud's thing model: identifiers the school or the maker chose, each bare or with its own time.

Shared by Alink, IoTDA, OneNET, Tencent, Tuya and ThingsBoard. A property is a bare value, ``{"value": 1, "time": 2}``
(``v`` and ``t`` in OneNET's data points), a list of those (history), or a structure whose fields are named
``property.field``. An identifier that neither the register nor its name explains keeps its name as quantity, for the
register to map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from ingest.decoding.contract import Hints
from ingest.decoding.reading import iec61850, names
from ingest.decoding.reading.fields import first_of_each
from ingest.decoding.reading.modelled import modelled_value
from ingest.decoding.reading.names import Meaning
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.message import Message, Report, Value

#: what an identifier says to one who knows its name and its value; None to leave it to the register
Explain = Callable[[str, object], Meaning | None]
_VALUES, _TIMES = ("value", "v"), ("time", "t", "timestamp", "ts")
#: more than any message holds of one property
_MOST_SAMPLES = 1_000


def by_name(identifier: str, _raw: object) -> Meaning | None:
    """What the identifier's own words say."""
    return iec61850.meaning(identifier) or names.meaning(identifier)


def report(
    properties: Mapping[str, object],
    address: str,
    message: Message,
    hints: Hints,
    *,
    time_ms: int | None = None,
    explain: Explain = by_name,
) -> Report:
    """The properties of one device. *time_ms* is the time of those that carry none."""
    device = hints.device_at(address)
    dropped: dict[str, str] = {}
    values: list[Value] = []
    for name, raw in properties.items():
        for identifier, sample, at in _samples(name.strip(), raw):
            own_ms = plausible(parse(at, hints.zone), message.received_ms)
            understand = partial(_explained, explain, sample)
            value = modelled_value(identifier, sample, device, dropped, time_ms=own_ms, understand=understand)
            if value is not None:
                values.append(value)
    common = plausible(time_ms, message.received_ms)
    times = {value.time_ms for value in values}
    if common is None and len(times) == 1:
        common = times.pop()
    return Report(address, common, tuple(first_of_each(values)), dropped)


def _samples(identifier: str, raw: object) -> Iterator[tuple[str, object, object]]:
    """Each sample of a property: its identifier, what was measured, and when (None where it does not say)."""
    if isinstance(raw, list):
        for one in raw[:_MOST_SAMPLES]:
            if isinstance(one, dict) and _of(one, _VALUES):
                yield from _sample(identifier, one)
    elif isinstance(raw, dict) and _of(raw, _VALUES):
        yield from _sample(identifier, raw)
    else:
        yield from _plain(identifier, raw, None)


def _sample(identifier: str, sample: Mapping[str, object]) -> Iterator[tuple[str, object, object]]:
    """A value with its time beside it."""
    yield from _plain(identifier, sample[_of(sample, _VALUES)], sample.get(_of(sample, _TIMES)))


def _plain(identifier: str, raw: object, at: object) -> Iterator[tuple[str, object, object]]:
    """A bare value, or those of a structure's fields."""
    for key, one in raw.items() if isinstance(raw, dict) else [("", raw)]:
        if not isinstance(one, dict | list):
            yield f"{identifier}.{key.strip()}".removesuffix("."), one, at


def _of(raw: Mapping[str, object], keys: tuple[str, ...]) -> str:
    return next((key for key in keys if key in raw), "")


def _explained(explain: Explain, raw: object, identifier: str) -> Meaning | None:
    """By the whole identifier, or by the last part of a structure's."""
    return explain(identifier, raw) or explain(identifier.rpartition(".")[2], raw)
