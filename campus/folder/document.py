"""YAML files of a campus folder. Whatever a file holds, the answer is a mapping or a problem with its line."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from campus.folder.expected import shown
from campus.problem import Problem

_LARGEST_BYTES = 4 * 1024 * 1024
_DEEPEST = 50
_MOST_VALUES = 200_000


class _Loader(yaml.SafeLoader):
    """The safe loader, that also finds settings given twice and takes dates that are none for text."""

    def __init__(self, text: str, name: str, problems: list[Problem]) -> None:
        super().__init__(text)
        self._name = name
        self._problems = problems

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    row = key.start_mark.line + 1
                    self._problems.append(Problem(self._name, row, key.value, "given twice", "given once"))
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_date(self, node: yaml.ScalarNode) -> object:
        """A date; one such as 2026-02-30 stays text, for the model to refuse with its key."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_date)


def read_yaml(folder: Path, name: str, problems: list[Problem], *, required: bool = False) -> dict[str, Any]:
    """The mapping of a YAML file; problems are added, and an empty mapping is returned, where it cannot be read."""
    path = folder / name
    if not path.exists():
        if required:
            problems.append(Problem(name, 0, "", "no such file", "a file; see examples/school"))
        return {}
    try:
        body = parse_yaml(path.read_bytes(), name, problems)
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        problems.append(_unreadable(name, error))
        return {}
    if body is None:
        return {}
    if not isinstance(body, dict):
        problems.append(Problem(name, 1, "", type(body).__name__, "a mapping of settings"))
        return {}
    return {str(key): value for key, value in body.items()}


def _unreadable(name: str, error: Exception) -> Problem:
    match error:
        case OSError():
            return Problem(name, 0, "", error.strerror or str(error), "a readable file")
        case UnicodeDecodeError():
            row = error.object[: error.start].count(b"\n") + 1
            return Problem(name, row, "", f"byte {error.start} is not UTF-8", "a file saved as UTF-8")
        case yaml.MarkedYAMLError():
            row = error.problem_mark.line + 1 if error.problem_mark is not None else 0
            return Problem(name, row, "", error.problem or str(error), "valid YAML")
        case RecursionError():
            return Problem(name, 0, "", "settings within themselves", "valid YAML")
        case _:
            return Problem(name, 0, "", shown("", str(error)), "valid YAML")


def parse_yaml(raw: bytes, name: str, problems: list[Problem]) -> Any:
    """What a YAML text says; raises ``yaml.YAMLError``, ValueError or RecursionError for what is none."""
    if len(raw) > _LARGEST_BYTES:
        raise ValueError(f"{len(raw)} bytes, more than any settings need")
    loader = _Loader(raw.decode("utf-8-sig"), name, problems)
    try:
        body = loader.get_single_data()
    finally:
        loader.dispose()
    _measure(body)
    return body


def _measure(body: object) -> None:
    """Raises RecursionError for anchors that hold themselves, or that grow into more than any settings need."""
    waiting, seen = [(body, 0)], 0
    while waiting:
        here, depth = waiting.pop()
        seen += 1
        if depth > _DEEPEST or seen > _MOST_VALUES:
            raise RecursionError
        inside = here.values() if isinstance(here, dict) else here if isinstance(here, list) else ()
        waiting += [(one, depth + 1) for one in inside]
