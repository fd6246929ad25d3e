"""The rules as they judge drill devices: with the numbers of the devices these stand for, their delays compressed with time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from campus.campus import Campus
from rules.catalogue import catalogue
from rules.engine.settings import RuleSettings
from rules.rule import RuleParams

#: last words of a setting's name that make it a while: ``for_s``, ``after_closing_min``, ``window_h``
_WHILES = {"s", "min", "h", "days"}
#: … unless the word before is a unit, which makes it a rate: ``rise_k_h``
_UNITS = {"k", "c", "m3", "l", "kw", "kwh", "v", "a", "ma", "share", "percent", "per"}


def drill_rules(campus: Campus, copies: Mapping[str, str], speed: int) -> dict[str, Any]:
    """rules.yaml for the drill devices of *copies* (theirs and the real ids), as one layer that says everything."""
    settings = RuleSettings(campus.rules)
    layer: dict[str, Any] = {}
    for copy, real in copies.items():
        device = campus.device(real)
        layer[copy] = {
            name: compressed(settings.of(rule, device).params, speed) for name, rule in catalogue().items()
        }
    return {"devices": layer}


def compressed(params: RuleParams, speed: int) -> dict[str, Any]:
    """Settings with every while divided by *speed*; as they are where the rule does not allow so short ones."""
    body = params.model_dump()
    if speed == 1:
        return body
    shorter = {
        name: value / speed if is_while(name) and isinstance(value, int | float) else value
        for name, value in body.items()
    }
    try:
        return type(params).model_validate(shorter).model_dump()
    except ValidationError:
        return body


def is_while(name: str) -> bool:
    """Whether a setting is a span of time, by its name."""
    words = name.split("_")
    if words[-1] not in _WHILES:
        return "minutes" in words or "hours" in words
    return len(words) == 1 or words[-2] not in _UNITS
