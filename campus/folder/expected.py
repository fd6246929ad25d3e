"""Mistakes that pydantic finds, told as the person who edits the file knows it: dotted key, found, expected."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from campus.device import ID_PATTERN
from campus.problem import Problem

Model = TypeVar("Model", bound=BaseModel)

_SHOWN_CHARACTERS = 80
_SECRET = re.compile(r"password|secret|token|(^|_)key$", re.IGNORECASE)
#: the account in a URL
_ACCOUNT = re.compile(r"://[^/@\s]+@")
#: the patterns of campus.device, campus.person and campus.site in words
_PATTERNS = {
    ID_PATTERN: "1 to 64 letters, digits, _ . or -, without spaces, and not dots alone",
    r"^[\w.\-]{1,64}$": "1 to 64 letters, digits, _ . or -, without spaces",
    r"^[\w\-]{1,64}$": "1 to 64 letters, digits, _ or -, without spaces",
    r"^(1\d{10})?$": "an 11-digit mobile number",
    r"^(embedded|mqtts?://[^/\s]+)$": "embedded, mqtt://host:port or mqtts://host:port",
}
_WORDS = {
    "list_type": "a list",
    "dict_type": "a mapping of settings",
    "model_type": "a mapping of settings",
    "model_attributes_type": "a mapping of settings",
    "string_type": "a text (in quotes, where it looks like a number or a date)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "date_type": "a date such as 2026-09-01",
    "date_parsing": "a date such as 2026-09-01",
    "date_from_datetime_parsing": "a date such as 2026-09-01",
    "date_from_datetime_inexact": "a date such as 2026-09-01",
    "missing": "a value",
    "union_tag_not_found": "a mapping with the key kind",
}


def describe_pattern(pattern: str) -> str:
    """What a text must be like."""
    return _PATTERNS.get(pattern, f"text such as {pattern}")


def validated(
    model: type[Model], body: object, file: str, problems: list[Problem], row: int = 0
) -> Model | None:
    """*body* as *model*, or None with a problem for each mistake; a key that has a problem already gets no second."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        told = {one.key for one in problems if (one.file, one.row) == (file, row)}
        problems.extend(one for one in _problems(error, model, file, row) if one.key not in told)
        return None


def similar(found: str, known: Iterable[str]) -> str:
    """`` (did you mean …?)`` where something known is near."""
    near = difflib.get_close_matches(found, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def shown(key: str, value: object) -> str:
    """*value* for a person to see: short, and never a secret."""
    last = key.rsplit(".", 1)[-1]
    if value is None or value == "":
        return "nothing"
    if _SECRET.search(last):
        return "***"
    text = _ACCOUNT.sub("://***@", value if isinstance(value, str) else repr(value))
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _problems(error: ValidationError, model: type[BaseModel], file: str, row: int) -> Iterator[Problem]:
    for one in error.errors(include_url=False):
        key, known = _place(model, one["loc"])
        yield Problem(file, row, key, _found(key, one), _expected(one, known))


def _found(key: str, one: ErrorDetails) -> str:
    match one["type"]:
        case "missing" | "union_tag_not_found":
            return "nothing"
        case "extra_forbidden":
            return f"unknown setting {one['loc'][-1]}"
        case "union_tag_invalid":
            return str(one["ctx"]["tag"])
        case _:
            return shown(key, one["input"])


def _expected(one: ErrorDetails, known: Sequence[str]) -> str:
    context: Mapping[str, Any] = one.get("ctx", {})
    match one["type"]:
        case "extra_forbidden":
            return "a known setting" + similar(str(one["loc"][-1]), known)
        case "literal_error" | "enum":
            names = re.findall(r"'([^']+)'", str(context["expected"]))
            return f"one of {', '.join(names)}{similar(str(one['input']), names)}"
        case "union_tag_invalid":
            names = re.findall(r"'([^']+)'", str(context["expected_tags"]))
            return f"one of {', '.join(names)}{similar(str(context['tag']), names)}"
        case "string_pattern_mismatch":
            return describe_pattern(context["pattern"])
        case "value_error":
            return str(context["error"])
        case kind:
            return _WORDS.get(kind) or one["msg"].removeprefix("Input should be ")


def _place(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[str, Sequence[str]]:
    """*loc* as a dotted key, without the tags pydantic adds, and what settings there are where it ends."""
    key = ""
    known: Sequence[str] = ()
    kind: Any = model
    for part in loc:
        if part == "[key]":
            continue
        kind = _bare(kind)
        tagged = _tagged(kind, part)
        if tagged is not None:
            kind = tagged
            continue
        known = _settings(kind)
        kind = _inside(kind, part)
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return key, known


def _bare(kind: Any) -> Any:
    """*kind* without Annotated and without the None of an optional."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in {Union, types.UnionType}:
        some = [one for one in get_args(kind) if one is not type(None)]
        return _bare(some[0]) if len(some) == 1 else kind
    return kind


def _tagged(kind: Any, part: int | str) -> Any:
    """The member of a union that *part* is the tag of, if it is one."""
    if get_origin(kind) not in {Union, types.UnionType}:
        return None
    for member in get_args(kind):
        field = member.model_fields.get("kind") if _is_model(member) else None
        if field is not None and part in get_args(field.annotation):
            return member
    return None


def _settings(kind: Any) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items()] if _is_model(kind) else []


def _inside(kind: Any, part: int | str) -> Any:
    if _is_model(kind):
        return next(
            (field.annotation for name, field in kind.model_fields.items() if part in {name, field.alias}),
            None,
        )
    arguments = get_args(kind)
    return arguments[-1] if get_origin(kind) in {list, dict} and arguments else None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
