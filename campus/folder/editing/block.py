"""Edits of a YAML text that leave remarks and everything else as they were, to the byte.

Entries of the top level's lists and mappings are cut out, put in and replaced at the places that PyYAML's parser names. Whoever edits
reads the result again and compares (``campus/folder/editing/calendar_file.py``); what cannot be told apart here (aliases, tags) shows
there and is refused.

ruamel.yaml (0.19.1, round trip) was tried in its place. It keeps remarks, but writes the whole document anew, also the lines nobody
changed: a list's indentation becomes one for all (``- a`` under ``holidays:`` becomes ``  - a``), the spaces before a remark or after a
colon go (``to:   2026-12-01  # b``), ``{ a : b }`` becomes ``{a: b}``, a list over several lines one line, ``True`` and ``~`` become
``true`` and nothing, CRLF becomes LF, and a last line without its end gets one. A school that looks at what the page changed would
see lines that it did not change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import yaml

_WIDE = 1_000_000


def flow(value: object) -> str:
    """*value* on one line: ``{name: 期中考试, from: 2026-11-09, to: 2026-11-13}``; texts that are dates are dates."""
    listed = yaml.safe_dump(
        [_dated(value)], default_flow_style=True, allow_unicode=True, sort_keys=False, width=_WIDE
    )
    return listed.strip()[1:-1]


def with_setting(text: str, key: str, old: Any, new: Any) -> str:
    """*text* with *new* for *old* under the top-level *key*; by entries, where they come or go."""
    place = _place(text, key)
    if place is None:
        return _appended(text, _block(key, new))
    name, value = place
    if isinstance(old, list) and isinstance(new, list) and isinstance(value, yaml.SequenceNode):
        kept = [one for one in old if one in new]
        added = new[len(kept) :]
        if kept == new[: len(kept)] and len(value.value) == len(old):
            gone = [index for index, one in enumerate(old) if one not in new]
            return _with_entries(text, name, value, gone, added)
    if isinstance(old, dict) and isinstance(new, dict) and isinstance(value, yaml.MappingNode):
        return _with_names(text, key, old, new)
    if isinstance(value, yaml.ScalarNode) and value.value and not isinstance(new, list | dict):
        return text[: value.start_mark.index] + flow(new) + text[value.end_mark.index :]
    return _replaced(text, _first_line(name), _last_line(value), _block(key, new))


def _place(text: str, *path: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The nodes of a key and its value; None where there is no such key."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    found: tuple[yaml.Node, yaml.Node] | None = None
    for key in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((name, value) for name, value in pairs if name.value == key), None)
        if found is None:
            return None
        node = found[1]
    return found


def _with_entries(
    text: str, name: yaml.Node, value: yaml.SequenceNode, gone: Sequence[int], added: Sequence[Any]
) -> str:
    if value.flow_style and value.value:
        kept = [
            text[one.start_mark.index : one.end_mark.index]
            for index, one in enumerate(value.value)
            if index not in gone
        ]
        inside = ", ".join([*kept, *map(flow, added)])
        return f"{text[: value.start_mark.index]}[{inside}]{text[value.end_mark.index :]}"
    if value.flow_style:  # []: the entries get a line each, and the rest of the key's line stays
        text = text[: value.start_mark.index].rstrip(" ") + text[value.end_mark.index :]
        return _inserted(text, _first_line(value), [f"  - {flow(one)}" for one in added])
    indent = " " * value.start_mark.column
    last = _last_line(value.value[-1])
    text = _inserted(text, last, [f"{indent}- {flow(one)}" for one in added])
    lines = text.splitlines(keepends=True)
    for index in reversed(gone):
        first, end = _dash_line(lines, value.value[index]), _last_line(value.value[index])
        del lines[first : end + 1]
    if len(gone) == len(value.value) and not added:
        at, column = _first_line(name), name.end_mark.column
        colon = lines[at].index(":", column) + 1
        lines[at] = f"{lines[at][:colon]} []{lines[at][colon:]}"
    return "".join(lines)


def _with_names(text: str, key: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    """A mapping by its names: those that changed get a new line, others stay as they are."""
    for name in [one for one in old if new.get(one) != old[one]]:
        place = _place(text, key, name)
        if place is None or _is_flow(_place(text, key)):
            return _whole(text, key, new)
        named, value = place
        line = [f"{' ' * named.start_mark.column}{flow(name)}: {flow(new[name])}"] if name in new else []
        text = _replaced(text, _first_line(named), _last_line(value), line)
    fresh = [f"{flow(one)}: {flow(new[one])}" for one in new if one not in old]
    place = _place(text, key)
    mapping = place[1] if place is not None else None
    if not isinstance(mapping, yaml.MappingNode) or mapping.flow_style or not mapping.value:
        return _whole(text, key, new) if fresh or not new else text
    indent = " " * mapping.start_mark.column
    return _inserted(text, _last_line(mapping.value[-1][1]), [indent + one for one in fresh])


def _whole(text: str, key: str, new: object) -> str:
    place = _place(text, key)
    if place is None:
        return _appended(text, _block(key, new))
    return _replaced(text, _first_line(place[0]), _last_line(place[1]), _block(key, new))


def _is_flow(place: tuple[yaml.Node, yaml.Node] | None) -> bool:
    return place is not None and isinstance(place[1], yaml.CollectionNode) and bool(place[1].flow_style)


def _block(key: str, value: object) -> list[str]:
    match value:
        case list() if value:
            return [f"{key}:", *(f"  - {flow(one)}" for one in value)]
        case dict() if value:
            return [f"{key}:", *(f"  {flow(name)}: {flow(one)}" for name, one in value.items())]
        case _:
            return [f"{key}: {flow(value)}"]


def _first_line(node: yaml.Node) -> int:
    return int(node.start_mark.line)


def _last_line(node: yaml.Node) -> int:
    """The last line with something of *node*: the mark of a block's end stands only after the remarks that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    multiline = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
    return int(mark.line) - 1 if multiline and mark.line > node.start_mark.line else int(mark.line)


def _dash_line(lines: Sequence[str], entry: yaml.Node) -> int:
    """Where the dash of *entry* stands: on its line, or above it."""
    at = _first_line(entry)
    while at > 0 and not lines[at].lstrip().startswith("-"):
        at -= 1
    return at


def _replaced(text: str, first: int, last: int, new: Sequence[str]) -> str:
    lines = text.splitlines(keepends=True)
    lines[first : last + 1] = [f"{line}{_ending(text)}" for line in new]
    return "".join(lines)


def _inserted(text: str, after: int, new: Sequence[str]) -> str:
    lines = text.splitlines(keepends=True)
    if new and not lines[after].endswith("\n"):
        lines[after] += _ending(text)
    lines[after + 1 : after + 1] = [f"{line}{_ending(text)}" for line in new]
    return "".join(lines)


def _appended(text: str, new: Sequence[str]) -> str:
    text = text if not text or text.endswith("\n") else text + _ending(text)
    return text + "".join(f"{line}{_ending(text)}" for line in new)


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _dated(value: object) -> object:
    """*value* with the texts that YAML reads as dates as dates, so that they are written without quotes."""
    match value:
        case dict():
            return {_dated(key): _dated(one) for key, one in value.items()}
        case list():
            return [_dated(one) for one in value]
        case str() if len(value) == len("2026-01-01"):
            return _read_date(value) or value
        case _:
            return value


def _read_date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
