"""people.csv and roster.csv (值班表)."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from campus.clock import to_ms
from campus.folder.document import similar
from campus.folder.table import read_table
from campus.person import Person, PersonRole, Shift
from campus.problem import Problem

_PEOPLE = {
    alias: name
    for name, aliases in {
        "id": ("编号", "工号"),
        "name": ("姓名",),
        "role": ("岗位",),
        "phone": ("手机", "电话"),
        "wecom_id": ("企业微信",),
    }.items()
    for alias in (name, *aliases)
}
_ROSTER = {
    alias: name
    for name, aliases in {"person": ("值班人", "人员"), "from": ("开始",), "to": ("结束",)}.items()
    for alias in (name, *aliases)
}
_ROLES = {
    "主任": PersonRole.DIRECTOR,
    "值班员": PersonRole.DUTY,
    "电工": PersonRole.ELECTRICIAN,
    "水工": PersonRole.PLUMBER,
    "食堂": PersonRole.CANTEEN,
    "查看": PersonRole.OBSERVER,
}


def read_people(folder: Path, problems: list[Problem]) -> list[Person]:
    """Everybody in people.csv."""
    file, rows = read_table(folder, "people", _PEOPLE, problems)
    people: dict[str, Person] = {}
    for row, values in rows:
        body = {key: value for key, value in values.items() if value}
        body["role"] = _ROLES.get(body.get("role", ""), body.get("role", "duty"))
        try:
            person = Person.model_validate(body)
        except ValidationError as error:
            problems.extend(
                Problem(file, row, ".".join(map(str, one["loc"])), str(one.get("input", ""))[:80], one["msg"])
                for one in error.errors()
            )
            continue
        if person.id in people:
            problems.append(Problem(file, row, "id", person.id, "an id used once"))
        people[person.id] = person
    return list(people.values())


def read_roster(
    folder: Path, zone: zoneinfo.ZoneInfo, people: Sequence[Person], problems: list[Problem]
) -> list[Shift]:
    """Every shift: whole days (``2026-11-21``) or moments (``2026-11-21 18:00``), local time; the end is not included."""
    file, rows = read_table(folder, "roster", _ROSTER, problems)
    ids = {person.id: person.id for person in people} | {person.name: person.id for person in people}
    shifts = []
    for row, values in rows:
        person = ids.get(values.get("person", ""))
        if person is None:
            found = values.get("person", "")
            problems.append(
                Problem(file, row, "person", found, f"somebody in people.csv{similar(found, ids)}")
            )
        start, end = (_moment(file, row, key, values.get(key, ""), zone, problems) for key in ("from", "to"))
        if person is None or start is None or end is None:
            continue
        if end <= start:
            problems.append(Problem(file, row, "to", values.get("to", ""), "a moment after from"))
            continue
        shifts.append(Shift(person=person, from_ms=start, to_ms=end))
    return shifts


def _moment(
    file: str, row: int, key: str, text: str, zone: zoneinfo.ZoneInfo, problems: list[Problem]
) -> int | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        problems.append(Problem(file, row, key, text, "a date or a date and time, such as 2026-11-21 18:00"))
        return None
    return to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))
