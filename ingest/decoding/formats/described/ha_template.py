"""The part of Home Assistant's value templates that only picks a value: ``{{ value_json.a['b'][0] | float }}``.

Source: home-assistant.io, MQTT sensor, value_template. Templates that calculate or decide are not read.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"\{\{-?\s*(.+?)\s*-?\}\}", re.DOTALL)
_ROOT = re.compile(r"value(_json)?")
_STEP = re.compile(
    r"\.([A-Za-z_][A-Za-z0-9_]*)|\[\s*'([^']{1,64})'\s*\]|\[\s*\"([^\"]{1,64})\"\s*\]|\[\s*([0-9]{1,3})\s*\]"
)
_GET = re.compile(r"\.get\(\s*['\"]([^'\"]{1,64})['\"]\s*(?:,[^()]{0,32})?\)")
#: filters that leave the value what it is, but for its rounding
_FILTER = re.compile(
    r"\s*\|\s*(?:float|int|round|string|trim|is_defined|default)(?:\((?:[^()'\"]{0,32}|['\"][^'\"]{0,32}['\"])\))?"
)
_CALL = re.compile(r"(?:float|int)\((.+)\)", re.DOTALL)
_DEEPEST = 8
_LONGEST = 256


def picked(template: str) -> tuple[str | int, ...] | None:
    """The path into the JSON payload, () for the bare payload; None for a template that does more than pick.

    >>> picked("{{ value_json['ENERGY'].Power | float }}")
    ('ENERGY', 'Power')
    """
    if not template.strip():
        return ()
    whole = _WHOLE.fullmatch(template.strip()) if len(template) <= _LONGEST else None
    if whole is None:
        return None
    expression = whole[1]
    call = _CALL.fullmatch(expression)
    if call is not None:
        expression = call[1].strip()
    root = _ROOT.match(expression)
    if root is None:
        return None
    at = root.end()
    path: list[str | int] = []
    while len(path) < _DEEPEST and (step := _step(expression, at)) is not None:
        path.append(step[0])
        at = step[1]
    while (one := _FILTER.match(expression, at)) is not None and one.end() > at:
        at = one.end()
    if expression[at:].strip() or (path and not root[1]):
        return None
    return tuple(path)


def _step(expression: str, at: int) -> tuple[str | int, int] | None:
    """One step of the path from *at*, and where it ends."""
    step = _GET.match(expression, at) or _STEP.match(expression, at)
    if step is None:
        return None
    key = next(one for one in step.groups() if one is not None)
    return (int(key) if step.re is _STEP and step[4] is not None else key), step.end()
