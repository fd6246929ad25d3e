"""The engine's whole state as JSON, and back, as far as it still fits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from campus.quantity import Quantity
from campus.reading import Series
from rules.engine import set_back
from rules.engine.instance import Backlog, Instance
from rules.engine.machine import Machine
from rules.errors import BadSnapshot
from rules.rule import Quiet

_VERSION = 3
_UNFIT = (msgspec.ValidationError, AttributeError, IndexError, KeyError, TypeError, ValueError)


class Snapshot(msgspec.Struct):
    """What was read from a snapshot: time, the last reading's time by series, and the entries of each rule."""

    now_ms: int
    batch_ms: int
    series: list[Any]
    rules: dict[str, Any]
    version: int = _VERSION


def encode(
    now_ms: int, batch_ms: int, times: Mapping[Series, tuple[int, int]], instances: Iterable[Instance]
) -> bytes:
    """The state as JSON."""
    rules: dict[str, dict[str, Any]] = {}
    for one in instances:
        rules.setdefault(one.rule.name, {})[one.device.id] = [
            one.memory, one.machine, one.backlog, one.stamp, _quiets(one)
        ]  # fmt: skip
    series = [[one.device, one.quantity, one.channel, *both] for one, both in times.items() if any(both)]
    return msgspec.json.encode(Snapshot(now_ms, batch_ms, series, rules))


def decode(data: bytes) -> Snapshot:
    """Raises :class:`BadSnapshot` for what is no snapshot of this version."""
    try:
        found = msgspec.json.decode(data, type=Snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadSnapshot(str(error)) from error
    if found.version != _VERSION:
        raise BadSnapshot(f"version {found.version}, expected {_VERSION}")
    return found


def moved(data: bytes, by_ms: int) -> bytes:
    """The same state, *by_ms* later."""
    found = msgspec.json.decode(data)
    return msgspec.json.encode(set_back.moved(found, found["now_ms"], by_ms))


def last_times(snapshot: Snapshot, lost: list[str]) -> dict[Series, tuple[int, int]]:
    """The last reading's time, and the last late one's arrival, by series; entries that cannot be read are added to *lost*."""
    found: dict[Series, tuple[int, int]] = {}
    for entry in snapshot.series:
        try:
            device, quantity, channel, last_ms, heard_ms = entry
            found[Series(str(device), Quantity(quantity), str(channel))] = int(last_ms), int(heard_ms)
        except _UNFIT:
            lost.append(f"series {entry!r}"[:200])
    return found


def restore(one: Instance, snapshot: Snapshot, lost: list[str]) -> None:
    """Gives *one* its state back; where that does not fit it stays as it is, and is added to *lost*."""
    try:
        entry = snapshot.rules.get(one.rule.name, {}).get(one.device.id)
        if entry is None:
            return
        memory, machine, past, stamp, quiets = entry
        restored = (_memory(one, memory), msgspec.convert(machine, Machine, str_keys=True), _past(one, past))
        quiet = {
            Series(str(device), Quantity(name), str(channel)): _quiet(*band)
            for device, name, channel, *band in quiets
        }
    except _UNFIT:
        lost.append(one.key)
    else:
        one.memory, one.machine, one.backlog = restored
        one.quiet = quiet if stamp == one.stamp else {}


def _quiets(one: Instance) -> list[list[Any]]:
    """Quiet values by series; JSON has no infinities, so an open end is nothing."""
    return [
        [
            series.device,
            series.quantity,
            series.channel,
            _finite(quiet.low),
            _finite(quiet.high),
            quiet.until_ms,
        ]
        for series, quiet in one.quiet.items()
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _quiet(low: float | None, high: float | None, until_ms: int) -> Quiet:
    return Quiet(-math.inf if low is None else low, math.inf if high is None else high, until_ms)


def _memory(one: Instance, value: Any) -> Any:
    return msgspec.convert(value, one.rule.Memory, str_keys=True)


def _past(one: Instance, value: Any) -> Backlog | None:
    if value is None:
        return None
    past = msgspec.convert(value, Backlog, str_keys=True)
    past.memory = _memory(one, past.memory)
    return past
