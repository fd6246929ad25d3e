"""The register's column *fields*: how the fields of one device's messages become series.

Parts are separated by ``;``. Each is ``FIELD=quantity``, then, where need be and in this order, ``@unit``,
``:channel`` and ``*factor``::

    WF=water_flow@l/min:a; T=temperature; P=active_power@W:total*10
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from campus.device import FieldMapping
from campus.errors import UnknownUnit
from campus.folder.expected import similar
from campus.quantity import SPECS, Quantity
from campus.unit import to_canonical

SYNTAX = "FIELD=quantity@unit:channel*factor"

_PART = re.compile(
    r"(?P<name>[^=;]+)=\s*(?P<quantity>\w+)\s*(?:@(?P<unit>[^:*;=@]+))?(?::\s*(?P<channel>\w+)\s*)?(?:\*(?P<factor>[^;]*))?"
)


class Mistake(NamedTuple):
    """A part that cannot be read, and what was expected there."""

    part: str
    expected: str


def parse_fields(text: str) -> tuple[dict[str, FieldMapping], list[Mistake]]:
    """The mappings that could be read, by field, and a mistake for each part that could not. Never raises."""
    fields: dict[str, FieldMapping] = {}
    mistakes: list[Mistake] = []
    for part in filter(None, (one.strip() for one in text.replace("\uff1b", ";").split(";"))):
        try:
            name, mapping = _part(part)
        except ValueError as error:
            mistakes.append(Mistake(part, str(error)))
            continue
        if name in fields:
            mistakes.append(Mistake(part, f"each field once; {name} is given twice"))
        fields.setdefault(name, mapping)
    return fields, mistakes


def unit_mistake(quantity: str, unit: str) -> str:
    """What is wrong with measuring *quantity* in *unit*; empty for nothing."""
    if quantity not in SPECS:
        return f"{quantity!r} is not a quantity{similar(quantity, Quantity)}"
    if unit:
        try:
            to_canonical(Quantity(quantity), 1.0, unit)
        except UnknownUnit as error:
            return str(error)
    return ""


def _part(part: str) -> tuple[str, FieldMapping]:
    match = _PART.fullmatch(part)
    if match is None or not match["name"].strip():
        raise ValueError(SYNTAX)
    unit = (match["unit"] or "").strip()
    mistake = unit_mistake(match["quantity"], unit)
    if mistake:
        raise ValueError(mistake)
    mapping = FieldMapping(
        quantity=match["quantity"],
        unit=unit,
        channel=match["channel"] or "",
        scale=_factor(match["factor"]),
    )
    return match["name"].strip(), mapping


def _factor(text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not math.isfinite(factor) or factor == 0:
        raise ValueError(f"a factor that is a number other than 0, not {text.strip()!r}")
    return factor
