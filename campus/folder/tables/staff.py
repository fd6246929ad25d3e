"""people.csv: who there is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from campus.folder.expected import validated
from campus.folder.tables.alias import PEOPLE_HEADERS, PERSON_ROLES, choices, meant
from campus.folder.tables.table import Row, read_table
from campus.person import Person, PersonRole
from campus.problem import Problem


class Staff(msgspec.Struct, frozen=True):
    """Everybody in people.csv. *ids* also knows, by id and by name, those whose own row has a mistake."""

    people: list[Person]
    ids: dict[str, str]
    #: the row each id stands in
    rows: dict[str, int]


def read_staff(folder: Path, problems: list[Problem]) -> Staff:
    """Everybody in people.csv."""
    table = read_table(folder, "people", PEOPLE_HEADERS, ("id", "name"), problems)
    people: dict[str, Person] = {}
    first: dict[str, int] = {}
    names: dict[str, str] = {}
    for row in table.rows:
        person = _person(row, problems)
        person_id = row.text("id")
        if person_id in first:
            problems.append(row.problem("id", f"an id used once; row {first[person_id]} has it, too"))
            continue
        if person_id:
            first[person_id] = row.number
            names.setdefault(row.text("name"), person_id)
        if person is not None:
            people[person_id] = person
    names.pop("", None)
    return Staff(list(people.values()), names | {one: one for one in first}, first)


def _person(row: Row, problems: list[Problem]) -> Person | None:
    before = len(problems)
    body: dict[str, str] = {key: value for key, value in row.values.items() if value}
    role = meant(PERSON_ROLES, body.pop("role", PersonRole.DUTY))
    if role is None:
        problems.append(row.problem("role", f"one of {choices(PERSON_ROLES, PersonRole)}"))
    person = validated(Person, body | {"role": role or PersonRole.DUTY}, row.file, problems, row=row.number)
    return person if len(problems) == before else None
