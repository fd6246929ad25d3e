"""Changes to calendar.yaml: what changes is edited in its text, remarks and all else stay, and a mistake changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from campus.calendar.change import CalendarChange, plain
from campus.calendar.timetable import CalendarSettings
from campus.errors import FolderProblems
from campus.folder.document import parse_yaml, read_yaml
from campus.folder.editing.block import with_setting
from campus.folder.editing.replace import check_content, replace_file
from campus.folder.expected import shown, validated
from campus.folder.load import RulesCheck
from campus.problem import Problem

_FILE = "calendar.yaml"


def preview_calendar(
    folder: Path, change: CalendarChange, *, decoders: Iterable[str], check_rules: RulesCheck
) -> CalendarSettings:
    """The settings as *change* would make them; raises :class:`FolderProblems` with the mistakes it would bring in."""
    return _prepared(folder, change, decoders, check_rules)[0]


def put_calendar(
    folder: Path, change: CalendarChange, *, decoders: Iterable[str], check_rules: RulesCheck
) -> CalendarSettings:
    """Writes *change*; raises :class:`FolderProblems` with the mistakes it would bring in, and nothing is written then."""
    settings, content = _prepared(folder, change, decoders, check_rules)
    replace_file(folder / _FILE, content)
    return settings


def _prepared(
    folder: Path, change: CalendarChange, decoders: Iterable[str], check_rules: RulesCheck
) -> tuple[CalendarSettings, bytes]:
    problems: list[Problem] = []
    before = _settings(folder, read_yaml(folder, _FILE, problems), problems)
    body, missing = change.applied(before)
    problems = [Problem(_FILE, 0, key, shown(key, one), "an entry that is there") for key, one in missing]
    after = _settings(folder, body, problems)
    content = _content(folder, before, after)
    check_content(folder, _FILE, content, decoders=decoders, check_rules=check_rules)
    return after, content


def _settings(folder: Path, body: object, problems: list[Problem]) -> CalendarSettings:
    settings = validated(CalendarSettings, body, _FILE, problems)
    if settings is None or problems:
        raise FolderProblems(str(folder), sorted(problems))
    return settings


def _content(folder: Path, before: CalendarSettings, after: CalendarSettings) -> bytes:
    """The file's text with every setting that differs edited; judged by reading it again."""
    path = folder / _FILE
    raw = path.read_bytes() if path.exists() else b""
    mark = "\ufeff" if raw.startswith(b"\xef\xbb\xbf") else ""
    text = raw.decode("utf-8-sig")
    try:
        text = _edited(text, plain(before), plain(after))
        same = CalendarSettings.model_validate(parse_yaml(text.encode(), _FILE, []) or {}) == after
    except (yaml.YAMLError, ValueError, RecursionError):
        same = False
    if not same:
        expected = "plain lists and mappings; edit this file by hand"
        raise FolderProblems(str(folder), [Problem(_FILE, 0, "", "a text too intricate to edit", expected)])
    return (mark + text).encode()


def _edited(text: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    for key, usual in CalendarSettings().model_dump(mode="json", by_alias=True).items():
        was, shall = old.get(key, usual), new.get(key, usual)
        if was != shall:
            text = with_setting(text, key, was, shall)
    return text
