"""Loads a campus folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from campus.calendar import CalendarSettings, SchoolCalendar
from campus.campus import Campus
from campus.errors import FolderProblems
from campus.folder.document import read_yaml, similar, validated, with_secrets
from campus.folder.register import read_register
from campus.folder.staff import read_people, read_roster
from campus.person import Person, PersonRole
from campus.problem import Problem
from campus.quantity import SPECS, Quantity
from campus.site import Site

_SITE = "site.yaml"
#: checks that other rooms add: the content of rules.yaml, the names of decoders
RulesCheck = Callable[[Mapping[str, object], Campus], Iterable[Problem]]


def _no_check(_rules: Mapping[str, object], _campus: Campus) -> Iterable[Problem]:
    return ()


def load_campus(folder: Path, *, decoders: Iterable[str] = (), check_rules: RulesCheck = _no_check) -> Campus:
    """The campus of *folder*; raises :class:`FolderProblems` with every mistake there is."""
    problems: list[Problem] = []
    campus = _read(folder, tuple(decoders), check_rules, problems)
    errors = [one for one in problems if not one.warning]
    if campus is None or errors:
        raise FolderProblems(str(folder), sorted(errors))
    return campus


def check_folder(
    folder: Path, *, decoders: Iterable[str] = (), check_rules: RulesCheck = _no_check
) -> list[Problem]:
    """Every mistake and warning, in the order of files and rows."""
    problems: list[Problem] = []
    _read(folder, tuple(decoders), check_rules, problems)
    return sorted(problems)


def _read(
    folder: Path, decoders: tuple[str, ...], check_rules: RulesCheck, problems: list[Problem]
) -> Campus | None:
    body = with_secrets(
        read_yaml(folder, "site.yaml", problems, required=True), "site.yaml", folder, problems
    )
    site = validated(Site, body, "site.yaml", problems) if body else None
    calendar = validated(
        CalendarSettings, read_yaml(folder, "calendar.yaml", problems), "calendar.yaml", problems
    )
    rules = read_yaml(folder, "rules.yaml", problems)
    people = read_people(folder, problems)
    # Without a site the register is still read, so that its own mistakes are told in the same go.
    reading_site = site or Site(id="unknown", name="unknown")
    unplaced = problems if site is not None else []
    devices = read_register(folder, reading_site, decoders, unplaced)
    roster = read_roster(folder, reading_site.zone, people, problems)
    if site is None:
        return None
    _check_site(site, people, decoders, problems)
    uses = {building.id: building.use for building in site.buildings}
    hours = SchoolCalendar(calendar, uses, site.zone) if calendar is not None and calendar.terms else None
    campus = Campus(site=site, devices=devices, people=people, roster=roster, hours=hours, rules=rules)
    problems.extend(check_rules(rules, campus))
    return campus


def _check_site(site: Site, people: list[Person], decoders: tuple[str, ...], problems: list[Problem]) -> None:
    recipients = {"group", "duty", *(person.id for person in people), *(role.value for role in PersonRole)}
    problems.extend(_check_routes(site, recipients))
    problems.extend(_check_sources(site, decoders))
    problems.extend(_check_mappings(site))
    ids = [building.id for building in site.buildings]
    problems.extend(
        Problem(_SITE, 0, "buildings", one, "an id used once") for one in sorted({*ids}) if ids.count(one) > 1
    )


def _check_routes(site: Site, recipients: set[str]) -> Iterator[Problem]:
    for index, route in enumerate(site.routes):
        for key, names in (("channels", route.channels), ("fallback", route.fallback)):
            for name in names:
                if name not in site.channels:
                    expected = f"a name under channels{similar(name, site.channels)}"
                    yield Problem(_SITE, 0, f"routes[{index}].{key}", name, expected)
        for one in route.to:
            if one not in recipients:
                expected = f"group, duty, a role, or an id of people.csv{similar(one, recipients)}"
                yield Problem(_SITE, 0, f"routes[{index}].to", one, expected)


def _check_sources(site: Site, decoders: tuple[str, ...]) -> Iterator[Problem]:
    for index, source in enumerate(site.sources):
        if decoders and source.decoder not in {"auto", *decoders}:
            expected = f"auto or one of {', '.join(decoders)}{similar(source.decoder, decoders)}"
            yield Problem(_SITE, 0, f"sources[{index}].decoder", source.decoder, expected)
        if source.decoder == "generic" and source.mapping not in site.mappings:
            expected = f"a name under mappings{similar(source.mapping, site.mappings)}"
            yield Problem(_SITE, 0, f"sources[{index}].mapping", source.mapping or "nothing", expected)


def _check_mappings(site: Site) -> Iterator[Problem]:
    for name, mapping in site.mappings.items():
        for field, meant in mapping.fields.items():
            if meant.quantity not in SPECS:
                expected = f"a quantity{similar(meant.quantity, Quantity)}"
                yield Problem(_SITE, 0, f"mappings.{name}.fields.{field}.quantity", meant.quantity, expected)
