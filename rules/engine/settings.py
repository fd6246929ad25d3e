"""rules.yaml: layers of settings, and for every number the layer that set it.

Later layers win: the rule's own default, the device's profile and its building's use as the rule knows them,
``defaults``, ``profiles``, ``buildings``, ``devices``; then what any of these says for an opening state. Each holds
settings by rule name::

    defaults:
      water.burst: {limit_m3h: 5, when_closed: {limit_m3h: 0.5, for_s: 1800}}
    devices:
      freezer-2:
        cold.above_limit: {warning_above_c: -14}
      boiler-power:
        electricity.left_on: {enabled: false}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from pydantic import ValidationError

from campus.calendar.opening import Opening
from campus.campus import Campus
from campus.device import Device
from campus.problem import Problem
from rules.engine import settings_check
from rules.rule import AnyRule, RuleParams

LAYERS = ("defaults", "profiles", "buildings", "devices")
#: the settings of an opening state, within any layer's settings of a rule
WHEN = {Opening.OPEN: "when_open", Opening.CLOSED: "when_closed"}

Layer = Mapping[str, Any]


class Applied(msgspec.Struct, frozen=True):
    """A rule's settings for one device, and where each number that is not the rule's own default comes from."""

    params: RuleParams
    origin: dict[str, str]


class RuleSettings:
    """The layers of one campus. Content that is wrong was reported by :func:`check` and is left out here."""

    def __init__(self, rules: Mapping[str, object] | None = None) -> None:
        self._layers = {
            name: value for name in LAYERS if isinstance(value := (rules or {}).get(name), Mapping)
        }

    def of(self, rule: AnyRule, device: Device, use: str = "", opening: Opening | None = None) -> Applied:
        """The settings of *rule* for *device* in a building of *use*, at any time or in one opening state."""
        own = dict(rule.defaults(device, use))
        applied = Applied(rule.Params.model_validate(own), dict.fromkeys(own, _own_layer(device, use)))
        merged: dict[str, Any] = dict(own)
        for name, found in self._found(rule, device, opening):
            try:
                params = rule.Params.model_validate({**merged, **found})
            except ValidationError:
                continue  # a layer with a mistake in it is left out as a whole
            merged.update(found)
            applied = Applied(params, applied.origin | dict.fromkeys(found, name))
        return applied

    def differs(self, rule: AnyRule, device: Device, opening: Opening) -> bool:
        """Whether any layer says something else for this opening state."""
        return any(WHEN[opening] in found for _, found in self._layers_of(rule, device))

    def _found(self, rule: AnyRule, device: Device, opening: Opening | None) -> Iterator[tuple[str, Layer]]:
        """Each layer's settings in their order, those for the opening state after all the others."""
        for name, found in self._layers_of(rule, device):
            yield name, {key: value for key, value in found.items() if key not in WHEN.values()}
        if opening in WHEN:
            for name, found in self._layers_of(rule, device):
                special = found.get(WHEN[opening])
                if isinstance(special, Mapping):
                    yield f"{name} {WHEN[opening]}", special

    def _layers_of(self, rule: AnyRule, device: Device) -> Iterator[tuple[str, Layer]]:
        places = (
            ("profiles", device.profile),
            ("buildings", device.place.building),
            ("devices", device.id),
        )
        layers: list[tuple[str, object]] = [("defaults", self._layers.get("defaults", {}))]
        layers += [(f"{layer}.{key}", self._layers.get(layer, {}).get(key)) for layer, key in places if key]
        for name, layer in layers:
            found = layer.get(rule.name) if isinstance(layer, Mapping) else None
            if isinstance(found, Mapping):
                yield name, found


def check(rules: Mapping[str, object], campus: Campus) -> list[Problem]:
    """Everything wrong with the content of rules.yaml: each mistake by itself, then numbers that contradict."""
    problems = settings_check.check_layers(rules, campus)
    settings = RuleSettings(rules)
    return problems or settings_check.check_together(settings.of, campus)


def _own_layer(device: Device, use: str) -> str:
    return f"profile {device.profile}" if device.profile else f"use {use}"
