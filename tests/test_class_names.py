"""A name says which class is meant: within a room no public class name stands for two."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: rules is still to come
ROOMS = ["alerts", "api", "campus", "dashboards", "ingest", "service", "simulators", "store"]


def public_classes(room):
    """The files of each public class name of a room."""
    files = defaultdict(list)
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files[node.name].append(str(path.relative_to(ROOT)))
    return files


@pytest.mark.parametrize("room", ROOMS)
def test_a_class_name_stands_for_one_thing(room):
    """Two public classes of one name in a room would have to be told apart by their files."""
    twice = {name: files for name, files in public_classes(room).items() if len(files) > 1}
    assert public_classes(room)
    assert twice == {}
