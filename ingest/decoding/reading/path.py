"""Paths into a JSON document: ``data.values[0].v``, with ``[*]`` for every element of a list."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\*)\]")


def find(body: object, path: str) -> list[Any]:
    """Everything *path* leads to, in the document's order; an empty list for nothing."""
    found: list[Any] = [body]
    for key, index in _STEP.findall(path):
        following: list[Any] = []
        for one in found:
            if key:
                if isinstance(one, dict) and key in one:
                    following.append(one[key])
            elif isinstance(one, list):
                following += one if index == "*" else one[int(index) : int(index) + 1]
        found = following
    return found


def first(body: object, path: str) -> Any:
    """The first thing *path* leads to, or None."""
    found = find(body, path)
    return found[0] if found else None
