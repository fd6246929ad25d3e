"""rules.yaml: layers of settings, and for every number the layer that set it.

Later layers win: the rule's own default, the device's profile as the rule knows it, ``defaults``, ``profiles``,
``buildings``, ``devices``. Each holds settings by rule name::

    defaults:
      water.burst: {limit_m3h: 5}
    devices:
      freezer-2:
        cold.above_limit: {warning_above_c: -14}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from pydantic import ValidationError

from campus.campus import Campus
from campus.device import Device
from campus.problem import Problem
from rules.catalogue import catalogue
from rules.rule import Rule, RuleParams

FILE = "rules.yaml"
_LAYERS = ("defaults", "profiles", "buildings", "devices")

Layer = Mapping[str, Mapping[str, Any]]


class Applied(msgspec.Struct, frozen=True):
    """A rule's settings for one device, and where each number that is not the rule's own default comes from."""

    params: RuleParams
    origin: dict[str, str]


class RuleSettings:
    """The layers of one campus. Content that is wrong was reported by :func:`check` and is left out here."""

    def __init__(self, rules: Mapping[str, object] | None = None) -> None:
        self._layers = {
            name: value for name in _LAYERS if isinstance(value := (rules or {}).get(name), Mapping)
        }

    def of(self, rule: Rule, device: Device) -> Applied:
        """The settings of *rule* for *device*."""
        merged: dict[str, Any] = dict(rule.defaults(device))
        origin = dict.fromkeys(merged, f"profile {device.profile}")
        for name, layer in self._layers_of(device):
            found = layer.get(rule.name)
            if isinstance(found, Mapping):
                merged |= found
                origin |= dict.fromkeys(found, name)
        try:
            return Applied(rule.Params.model_validate(merged), origin)
        except ValidationError:
            return Applied(rule.Params.model_validate(rule.defaults(device)), {})

    def _layers_of(self, device: Device) -> Iterator[tuple[str, Layer]]:
        yield "defaults", self._layers.get("defaults", {})
        for layer, key in (
            ("profiles", device.profile),
            ("buildings", device.place.building),
            ("devices", device.id),
        ):
            found = self._layers.get(layer, {}).get(key)
            if key and isinstance(found, Mapping):
                yield f"{layer}.{key}", found


def check(rules: Mapping[str, object], campus: Campus) -> list[Problem]:
    """Everything wrong with the content of rules.yaml."""
    problems: list[Problem] = []
    for name, value in rules.items():
        if name not in _LAYERS:
            problems.append(_problem(name, name, f"one of {', '.join(_LAYERS)}{_like(name, _LAYERS)}"))
        elif not isinstance(value, Mapping):
            problems.append(_problem(name, value, "a mapping"))
        elif name == "defaults":
            problems += _check_layer("defaults", value)
        else:
            problems += _check_named(name, value, campus)
    return problems


def _check_named(layer: str, value: Mapping[str, Any], campus: Campus) -> Iterator[Problem]:
    known = {
        "profiles": {device.profile for device in campus.devices.values()},
        "buildings": {building.id for building in campus.site.buildings},
        "devices": set(campus.devices),
    }[layer]
    for key, one in value.items():
        if key not in known:
            yield _problem(f"{layer}.{key}", key, f"one of the campus's {layer}{_like(str(key), known)}")
        elif not isinstance(one, Mapping):
            yield _problem(f"{layer}.{key}", one, "a mapping of rules")
        else:
            yield from _check_layer(f"{layer}.{key}", one)


def _check_layer(where: str, layer: Mapping[str, Any]) -> Iterator[Problem]:
    rules = catalogue()
    for name, settings in layer.items():
        key = f"{where}.{name}"
        if name not in rules:
            yield _problem(key, name, f"a rule: {', '.join(rules)}{_like(str(name), rules)}")
        elif not isinstance(settings, Mapping):
            yield _problem(key, settings, "a mapping of settings")
        else:
            yield from _check_settings(key, rules[name], settings)


def _check_settings(key: str, rule: Rule, settings: Mapping[str, Any]) -> Iterator[Problem]:
    try:
        rule.Params.model_validate(settings)
    except ValidationError as error:
        for one in error.errors():
            field = ".".join(str(part) for part in one["loc"])
            expected = one["msg"]
            if one["type"] == "extra_forbidden":
                expected = (
                    f"one of {', '.join(rule.Params.model_fields)}{_like(field, rule.Params.model_fields)}"
                )
            yield _problem(f"{key}.{field}", one.get("input"), expected)


def _problem(key: str, found: object, expected: str) -> Problem:
    return Problem(FILE, 0, key, repr(found), expected)


def _like(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
