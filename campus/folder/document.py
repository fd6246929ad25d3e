"""YAML files of a campus folder, with secrets from the environment or from files."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from campus.problem import Problem

Model = TypeVar("Model", bound=BaseModel)

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNSAID = {"Input should be a valid dictionary": "a mapping"}


def read_yaml(folder: Path, name: str, problems: list[Problem], *, required: bool = False) -> dict[str, Any]:
    """The mapping of a YAML file; problems are added, and an empty mapping is returned, where it cannot be read."""
    path = folder / name
    if not path.exists():
        if required:
            problems.append(Problem(name, 0, "", "no such file", "a file; see examples/school"))
        return {}
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        problems.append(Problem(name, 0, "", f"byte {error.start} is not UTF-8", "a file saved as UTF-8"))
        return {}
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line + 1 if error.problem_mark is not None else 0
        problems.append(Problem(name, row, "", error.problem or str(error), "valid YAML"))
        return {}
    except yaml.YAMLError as error:
        problems.append(Problem(name, 0, "", str(error), "valid YAML"))
        return {}
    if body is None:
        return {}
    if not isinstance(body, dict):
        problems.append(Problem(name, 1, "", type(body).__name__, "a mapping of settings"))
        return {}
    return body


def with_secrets(body: Any, name: str, folder: Path, problems: list[Problem], key: str = "") -> Any:
    """*body* with ``${VARIABLE}`` and ``KEY_file`` resolved."""
    if isinstance(body, str):
        return _VARIABLE.sub(lambda match: _variable(match[1], name, key, problems), body)
    if isinstance(body, list):
        return [
            with_secrets(one, name, folder, problems, f"{key}[{index}]") for index, one in enumerate(body)
        ]
    if not isinstance(body, dict):
        return body
    resolved: dict[Any, Any] = {}
    for field, value in body.items():
        where = f"{key}.{field}" if key else str(field)
        target = str(field).removesuffix("_file")
        if str(field).endswith("_file") and target != "ca":
            if target in body:
                problems.append(
                    Problem(name, 0, where, f"{target} and {field}", f"at most one of {target} and {field}")
                )
            resolved[target] = _from_file(folder, value, name, where, problems)
        else:
            resolved[field] = with_secrets(value, name, folder, problems, where)
    return resolved


def validated(
    model: type[Model], body: Any, name: str, problems: list[Problem], row: int = 0
) -> Model | None:
    """*body* as *model*, or None with a problem for each mistake."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        problems.extend(_problem(one, model, name, row) for one in error.errors())
        return None


def similar(found: str, known: Iterable[str]) -> str:
    """`` (did you mean …?)`` where something known is near."""
    near = difflib.get_close_matches(found, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _problem(one: Mapping[str, Any], model: type[BaseModel], name: str, row: int) -> Problem:
    loc = [str(part) for part in one["loc"]]
    key = ".".join(loc)
    expected = _UNSAID.get(one["msg"], one["msg"])
    if one["type"] == "extra_forbidden":
        known = model.model_fields if len(loc) == 1 else ()
        expected = "a known setting" + similar(loc[-1], known)
        return Problem(name, row, key, f"unknown setting {loc[-1]}", expected)
    if one["type"] == "missing":
        return Problem(name, row, key, "nothing", "a value")
    return Problem(name, row, key, repr(one.get("input"))[:80], expected)


def _variable(variable: str, name: str, key: str, problems: list[Problem]) -> str:
    value = os.environ.get(variable)
    if value is None:
        problems.append(
            Problem(name, 0, key, f"${{{variable}}}", f"an environment variable {variable} that is set")
        )
        return ""
    return value


def _from_file(folder: Path, value: object, name: str, key: str, problems: list[Problem]) -> str:
    path = folder / str(value)
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        problems.append(Problem(name, 0, key, str(value), "a readable text file with the secret"))
        return ""
