"""Every row of the tables of recovery names a test that exists, and both languages have the same rows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UNPROVEN = "not verified"


def rows(name):
    """The cells of every row of the tables in a page."""
    lines = (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ") and not line.startswith("| ---")]
    cells = [[one.strip() for one in line.strip("|").split("|")] for line in table]
    return [row for row in cells if row[-1] not in {"test", "测试"}]


def functions_in(path):
    """The names of the tests in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize("name", ["recovery.md", "recovery.zh-CN.md"])
def test_every_row_names_a_test_there_is(name):
    """Or says that it is not verified; every cell says something."""
    found = rows(name)
    assert len(found) > 50
    missing = []
    for row in found:
        assert len(row) == 6, row
        assert all(row), row
        named = re.findall(r"`(tests/[^`]+)`", row[-1])
        assert named or row[-1] == UNPROVEN, row
        for test in named:
            file, _, function = test.partition("::")
            if not (ROOT / file).is_file() or (function and function not in functions_in(ROOT / file)):
                missing.append(test)
    assert missing == []


def test_both_languages_say_the_same():
    """As many rows, in the same order, with the same tests."""
    assert [row[-1] for row in rows("recovery.md")] == [row[-1] for row in rows("recovery.zh-CN.md")]
