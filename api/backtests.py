"""A replay as the API does it: bounded, against the rules in force, on what the store holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.backtest import backtest
from alerts.comparison import comparison_json
from api.errors import BadRequest, NotFound
from campus.campus import Campus
from campus.clock import DAY_MS, iso
from rules.engine.replay import devices_read
from rules.engine.settings import check
from store.timeseries.contract import TimeSeriesStore
from store.timeseries.history import History, stored_history

#: the rules the service judges by now
IN_FORCE = "rules.yaml"
#: ten devices a year, or five hundred a week: a minute or two of one core while the service goes on
MOST_DEVICE_DAYS = 3_660
#: 42 MB while it lasts
MOST_READINGS = 2_000_000
#: mistakes told in one answer
_MOST_TOLD = 20


class Asked(msgspec.Struct, frozen=True):
    """What to replay: ``start_ms <= time_ms < end_ms`` of *devices* (all, where none is named).

    *rules* are further layers by a name for them, each compared with the rules in force.
    """

    start_ms: int
    end_ms: int
    devices: tuple[str, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = {}


def replayed(store: TimeSeriesStore, campus: Campus, asked: Asked) -> dict[str, Any]:
    """The comparison; raises an :class:`api.errors.ApiError` that names what cannot be done as asked."""
    wanted = _devices(campus, asked)
    _check_span(asked, len(wanted))
    _check_rules(campus, asked)
    history = _history(store, wanted, asked)
    against = {IN_FORCE: campus.rules, **asked.rules}
    subjects = frozenset(asked.devices) or None
    outcomes = [
        backtest(name, campus, rules, history, subjects=subjects, until_ms=asked.end_ms)
        for name, rules in against.items()
    ]
    return {"from": iso(asked.start_ms), "to": iso(asked.end_ms), **comparison_json(outcomes)}


def _devices(campus: Campus, asked: Asked) -> set[str]:
    for one in asked.devices:
        if one not in campus.devices:
            raise NotFound("device", one)
    return devices_read(asked.devices or campus.devices, campus)


def _check_span(asked: Asked, devices: int) -> None:
    if asked.start_ms >= asked.end_ms:
        raise BadRequest("from", iso(asked.start_ms), f"a moment before to ({iso(asked.end_ms)})")
    days = (asked.end_ms - asked.start_ms) / DAY_MS
    if days * devices > MOST_DEVICE_DAYS:
        expected = f"at most {MOST_DEVICE_DAYS / devices:.1f} days before to, as the readings of {devices} devices are needed"
        raise BadRequest("from", iso(asked.start_ms), expected)


def _check_rules(campus: Campus, asked: Asked) -> None:
    if IN_FORCE in asked.rules:
        raise BadRequest("rules", IN_FORCE, "another name, as this one stands for the rules in force")
    for name, layers in asked.rules.items():
        problems = check(layers, campus)
        if problems:
            told = "; ".join(
                f"{one.key}: found {one.found}, expected {one.expected}" for one in problems[:_MOST_TOLD]
            )
            raise BadRequest("rules", name, f"layers as in rules.yaml without mistakes: {told}")


def _history(store: TimeSeriesStore, wanted: set[str], asked: Asked) -> History:
    found = 0

    def count(readings: int) -> None:
        nonlocal found
        found += readings
        if found > MOST_READINGS:
            expected = f"a span, or devices, with at most {MOST_READINGS:,} readings"
            raise BadRequest("from", iso(asked.start_ms), expected)

    history = stored_history(store, asked.start_ms, asked.end_ms, devices=wanted, advance=count)
    if not len(history):
        raise BadRequest(
            "from", iso(asked.start_ms), "a span with readings; the store has none of these devices"
        )
    return history
