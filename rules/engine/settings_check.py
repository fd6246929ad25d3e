"""What can be wrong with the content of rules.yaml, told so that a person can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from campus.campus import Campus
from campus.problem import Problem
from rules.catalogue import catalogue
from rules.rule import AnyRule

_FILE = "rules.yaml"
_LAYERS = ("defaults", "profiles", "buildings", "devices")
_WHEN = ("when_open", "when_closed")
#: profiles the rules themselves know, whether or not a device has them
_KNOWN_PROFILES = ("fridge", "freezer", "sample_cabinet", "exposed_pipe", "gas")


def check_layers(rules: Mapping[str, object], campus: Campus) -> list[Problem]:
    """Names that are not known, and values of the wrong type or out of range."""
    problems: list[Problem] = []
    for name, value in rules.items():
        if name not in _LAYERS:
            problems.append(
                _problem(str(name), name, f"one of {', '.join(_LAYERS)}{_like(str(name), _LAYERS)}")
            )
        elif not isinstance(value, Mapping):
            problems.append(_problem(name, value, "a mapping"))
        elif name == "defaults":
            problems += _check_layer("defaults", value)
        else:
            problems += _check_named(name, value, campus)
    return problems


def check_together(of: Callable[..., Any], campus: Campus) -> list[Problem]:
    """Numbers that are fine each and contradict one another, once per place that set them."""
    problems: dict[str, Problem] = {}
    for rule in catalogue().values():
        for device in campus.devices.values():
            building = campus.site.building(device.place.building)
            applied = of(rule, device, building.use if building is not None else "")
            wrong = applied.params.contradiction()
            if wrong is not None:
                field, expected = wrong
                layer = applied.origin.get(field, f"devices.{device.id}")
                key = f"{layer}.{rule.name}.{field}"
                problems.setdefault(key, _problem(key, getattr(applied.params, field), expected))
    return list(problems.values())


def _check_named(layer: str, value: Mapping[Any, Any], campus: Campus) -> Iterator[Problem]:
    known = {
        "profiles": {device.profile for device in campus.devices.values()} | {*_KNOWN_PROFILES},
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


def _check_layer(where: str, layer: Mapping[Any, Any]) -> Iterator[Problem]:
    rules = catalogue()
    for name, settings in layer.items():
        key = f"{where}.{name}"
        if name not in rules:
            yield _problem(key, name, f"a rule: {', '.join(rules)}{_like(str(name), rules)}")
        elif not isinstance(settings, Mapping):
            yield _problem(key, settings, "a mapping of settings")
        else:
            yield from _check_settings(key, rules[name], settings)


def _check_settings(key: str, rule: AnyRule, settings: Mapping[Any, Any]) -> Iterator[Problem]:
    yield from _check_fields(key, rule, {name: one for name, one in settings.items() if name not in _WHEN})
    for when in _WHEN:
        special = settings.get(when, {})
        if not isinstance(special, Mapping):
            yield _problem(f"{key}.{when}", special, "a mapping of settings")
        elif "enabled" in special:
            yield _problem(f"{key}.{when}.enabled", special["enabled"], f"enabled outside {when}")
        else:
            yield from _check_fields(f"{key}.{when}", rule, special)


def _check_fields(key: str, rule: AnyRule, settings: Mapping[Any, Any]) -> Iterator[Problem]:
    fields = rule.Params.model_fields
    named = {str(name): one for name, one in settings.items()}
    try:
        rule.Params.model_validate(named)
    except ValidationError as error:
        for one in error.errors():
            field = ".".join(str(part) for part in one["loc"])
            expected = one["msg"]
            if one["type"] == "extra_forbidden":
                expected = f"one of {', '.join((*fields, *_WHEN))}{_like(field, (*fields, *_WHEN))}"
            yield _problem(f"{key}.{field}", one.get("input"), expected)


def _problem(key: str, found: object, expected: str) -> Problem:
    return Problem(_FILE, 0, key, repr(found), expected)


def _like(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
