"""Whoever writes a decoder finds in place what each public part of this room means."""

from __future__ import annotations

import ast
from pathlib import Path

ROOM = Path(__file__).parents[2] / "ingest"


def _public(node, name):
    """The module, class or function itself and the public ones in it, by their names."""
    yield name, node
    for inner in getattr(node, "body", ()):
        if isinstance(inner, ast.ClassDef | ast.FunctionDef) and not inner.name.startswith("_"):
            nested = _public(inner, f"{name}.{inner.name}") if isinstance(inner, ast.ClassDef) else ()
            yield from nested or ((f"{name}.{inner.name}", inner),)


def test_every_public_name_has_a_docstring():
    """Modules, classes, functions and methods say their meaning, units, ranges and errors."""
    missing = [
        name
        for path in ROOM.rglob("*.py")
        for name, node in _public(ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(ROOM)))
        if not ast.get_docstring(node)
    ]
    assert missing == []
