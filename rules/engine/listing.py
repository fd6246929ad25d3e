"""Which rules apply to a device, with which numbers, and which layer of settings each number comes from."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.device import Device
from rules.catalogue import catalogue
from rules.engine.settings import WHEN, RuleSettings
from rules.rule import AnyRule

#: the layer of numbers nobody set
BUILT_IN = "rule"

Value = float | int | bool | str


class Number(msgspec.Struct, frozen=True):
    """One setting: its value (the unit is in its name), and the layer that set it (``rule`` for the rule's own)."""

    name: str
    value: Value
    origin: str


class Listed(msgspec.Struct, frozen=True):
    """One rule on one device: whether it is on, what it reads, and its numbers at any time and by opening state."""

    rule: str
    enabled: bool
    reads: tuple[str, ...]
    numbers: tuple[Number, ...]
    when: Mapping[str, tuple[Number, ...]] = {}


def rules_of(device: Device, campus: Campus, settings: RuleSettings) -> list[Listed]:
    """The rules that apply to *device* as their subject, in the catalogue's order; those switched off, too."""
    building = campus.site.building(device.place.building)
    use = building.use if building is not None else ""
    found = []
    for rule in catalogue().values():
        inputs = rule.inputs(device, campus)
        if not inputs:
            continue
        numbers = _numbers(settings, rule, device, use, None)
        found.append(
            Listed(
                rule=rule.name,
                enabled=bool(settings.of(rule, device, use).params.enabled),
                reads=tuple(f"{one.device}/{one.quantity or '*'}" for one in inputs),
                numbers=numbers,
                when={
                    name: tuple(set(_numbers(settings, rule, device, use, opening)) - set(numbers))
                    for opening, name in WHEN.items()
                    if settings.differs(rule, device, opening)
                },
            )
        )
    return found


def _numbers(
    settings: RuleSettings, rule: AnyRule, device: Device, use: str, opening: Opening | None
) -> tuple[Number, ...]:
    applied = settings.of(rule, device, use, opening)
    return tuple(
        Number(name, value, applied.origin.get(name, BUILT_IN))
        for name, value in applied.params.model_dump().items()
    )
