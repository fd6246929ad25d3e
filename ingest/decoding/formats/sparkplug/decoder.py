"""Sparkplug B: edge nodes and their devices, in protobuf, with names and datatypes told once at birth.

Source: Sparkplug 3.0.0 (ISO/IEC 20237:2023), chapters 4 to 6. A device is addressed as ``group/node/device``, a node as
``group/node``. Births hold values of their own and are read like data. A message that needs a birth we do not have is
rejected, so that it waits in quarantine and can be replayed once the node has been born again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from campus.device import Device
from campus.reading import Quality
from ingest.decoding.contract import Hints
from ingest.decoding.formats.sparkplug.births import KnownMetric
from ingest.decoding.formats.sparkplug.payload import (
    LONGEST_NAME,
    DataType,
    Metric,
    Payload,
    payload_of,
    typed,
)
from ingest.decoding.reading.fields import first_of_each
from ingest.decoding.reading.metric_name import is_of_the_node, metric_meaning
from ingest.decoding.reading.modelled import modelled_value
from ingest.decoding.reading.timestamp import plausible
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report, Value

_NAMESPACE = "spBv1.0/"
_BIRTHS = {"NBIRTH", "DBIRTH"}
_DATA = {"NDATA", "DDATA"}
_DEATHS = {"NDEATH", "DDEATH"}
_COMMANDS = {"NCMD", "DCMD"}
_UNITS = {"engunit", "engunits", "engineeringunit", "engineeringunits", "unit", "units", "uom"}
#: texts of these look like numbers now and then
_NO_NUMBER = {DataType.DATETIME, DataType.UUID}
#: OPC's quality bits: 192 to 255 good, 64 to 127 uncertain; Sparkplug's own 500 is stale, Ignition's others are faults
_GOOD = range(192, 256)
_UNCERTAIN = range(64, 128)


class SparkplugB:
    """Births and data; deaths end what is known of aliases, commands and host states are none of ours."""

    name: ClassVar[str] = "sparkplug_b"
    topics: ClassVar[tuple[str, ...]] = (f"{_NAMESPACE}#",)

    def recognises(self, message: Message) -> bool:
        """By the namespace ``spBv1.0``."""
        return message.topic.startswith(_NAMESPACE)

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report of a birth or of data; a gap in the node's sequence is a flag.

        Rejected: ``unknown_message``, payloads that are no protobuf, and data whose birth is not known yet.
        """
        parts = message.topic.split("/")
        kind = parts[2] if len(parts) > 2 and parts[1] != "STATE" else "STATE"
        if kind == "STATE" or kind in _COMMANDS:
            return Decoded(ignored="a command, or a host's state")
        if (
            kind not in _BIRTHS | _DATA | _DEATHS
            or len(parts) != (5 if kind[0] == "D" else 4)
            or not all(parts)
        ):
            raise Rejected("unknown_message", f"topic {message.topic!r} is of no message of Sparkplug B")
        node = f"{parts[1]}/{parts[3]}"
        address = "/".join((node, *parts[4:]))
        payload = payload_of(message.payload)
        if kind in _DEATHS:
            return _death(node, address, payload, hints)
        if kind in _BIRTHS:
            _birth(kind, node, address, payload.metrics, message, hints)
        metrics = list(_flattened(payload.metrics, address, hints))
        resolved = [(metric, _known(address, metric, hints)) for metric in metrics]
        gap = hints.births.gap(node, payload.sequence)
        return Decoded(
            (_report(address, payload, resolved, message, hints, {"sequence": gap} if gap else {}),)
        )


def _death(node: str, address: str, payload: Payload, hints: Hints) -> Decoded:
    if address != node:
        hints.births.device_died(address)
        return Decoded(ignored="a device's death")
    ended = hints.births.node_died(node, _birth_number(payload.metrics))
    return Decoded(ignored="a node's death" if ended else "the death of an earlier connection")


def _birth(kind: str, node: str, address: str, metrics: list[Metric], message: Message, hints: Hints) -> None:
    if kind == "NBIRTH":
        hints.births.node_born(node, _birth_number(metrics), message.received_ms)
    told = (
        (one.alias, KnownMetric(one.name, one.datatype, _unit(one)))
        for metric in metrics
        for one in (metric, *_instances(metric, metric.name))
        if 0 < len(one.name) <= LONGEST_NAME
    )
    hints.births.learn(address, told, message.received_ms)


def _birth_number(metrics: list[Metric]) -> int | None:
    found = next((one.value for one in metrics if one.name == "bdSeq"), None)
    return found if isinstance(found, int) else None


def _flattened(metrics: list[Metric], address: str, hints: Hints) -> Iterator[Metric]:
    """Metrics with those of template instances (UDTs) under joined names."""
    for metric in metrics:
        if metric.template:
            yield from _instances(metric, _known(address, metric, hints).name)
        else:
            yield metric


def _instances(metric: Metric, name: str) -> Iterator[Metric]:
    for inside in metric.template:
        yield msgspec.structs.replace(inside, name=f"{name}/{inside.name}")


def _known(address: str, metric: Metric, hints: Hints) -> KnownMetric:
    """The metric's name, datatype and unit, from itself or its birth; raises :class:`Rejected` where neither says."""
    born = hints.births.metric(address, metric.alias, metric.name)
    if not metric.name and born is None:
        raise Rejected("unknown_alias", f"alias {metric.alias} of {address} is in no birth received")
    if not metric.datatype and metric.integer and born is None:
        raise Rejected(
            "no_birth", f"{metric.name!r:.64} of {address} has no datatype, and its birth was not received"
        )
    if born is None:
        return KnownMetric(metric.name, metric.datatype, _unit(metric))
    return KnownMetric(born.name, metric.datatype or born.datatype, _unit(metric) or born.unit)


def _unit(metric: Metric) -> str:
    for key, value in metric.properties.items():
        if isinstance(value, str) and "".join(key.lower().split()).replace("_", "") in _UNITS:
            return value[:24].strip()
    return ""


def _report(
    address: str,
    payload: Payload,
    metrics: list[tuple[Metric, KnownMetric]],
    message: Message,
    hints: Hints,
    flags: dict[str, str],
) -> Report:
    device = hints.device_at(address)
    dropped: dict[str, str] = {}
    time_ms = plausible(payload.time_ms, message.received_ms)
    values = [
        value
        for metric, known in metrics
        if (value := _value(metric, known, device, dropped, message.received_ms)) is not None
    ]
    times = {value.time_ms for value in values if value.time_ms is not None}
    if time_ms is None and len(times) == 1:
        time_ms = times.pop()
    return Report(address, time_ms, tuple(first_of_each(values)), dropped, flags)


def _value(
    metric: Metric, known: KnownMetric, device: Device | None, dropped: dict[str, str], received_ms: int
) -> Value | None:
    if is_of_the_node(known.name) or len(known.name) > LONGEST_NAME or known.datatype in _NO_NUMBER:
        return None
    quality = _quality(metric)
    if quality is None:
        dropped[known.name] = f"quality {metric.properties.get('Quality')}"
        return None
    value = modelled_value(
        known.name,
        typed(metric, known.datatype),
        device,
        dropped,
        unit=known.unit,
        time_ms=plausible(metric.time_ms, received_ms),
        understand=metric_meaning,
    )
    if value is None:
        return None
    if metric.historical:
        quality = Quality.LATE
    return msgspec.structs.replace(value, quality=max(value.quality, quality))


def _quality(metric: Metric) -> Quality | None:
    """What the property ``Quality`` says; None for bad and stale values, which are no measurements of now."""
    found = metric.properties.get("Quality")
    if not isinstance(found, int) or isinstance(found, bool) or found in _GOOD:
        return Quality.GOOD
    return Quality.SUSPECT if found in _UNCERTAIN else None
