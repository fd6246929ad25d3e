"""Names that a reader can rely on: no class name twice in a room, a docstring at every room's door."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("alerts", "api", "campus", "dashboards", "ingest", "rules", "service", "simulators", "store")
#: more files than that need a reason, written in the room's docstring
MOST_FILES = 16


@pytest.mark.parametrize("room", ROOMS)
def test_no_class_name_stands_twice_in_a_room(room):
    """Whoever looks a public class up finds one."""
    found = defaultdict(list)
    for file in sorted((ROOT / room).rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(file.relative_to(ROOT)))
    assert not {name: files for name, files in found.items() if len(files) > 1}


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_lives_there(room):
    """Each package has a docstring; one with more files than fit a glance says why; none is of one or two files."""
    for door in sorted((ROOT / room).rglob("__init__.py")):
        said = ast.get_docstring(ast.parse(door.read_text(encoding="utf-8")))
        assert said, door
        files = [one for one in door.parent.glob("*.py") if one != door]
        folders = [one for one in door.parent.iterdir() if (one / "__init__.py").exists()]
        assert len(files) <= MOST_FILES or "fifteen files" in said, f"{door.parent}: {len(files)} files"
        if door.parent.name != "migrations":
            assert len(files) + len(folders) > 2, f"{door.parent}: {len(files)} files"
