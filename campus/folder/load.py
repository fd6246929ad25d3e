"""Loads a campus folder."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from campus.calendar.calendar import CalendarSettings, SchoolCalendar
from campus.campus import Campus
from campus.clock import SHANGHAI
from campus.errors import FolderProblems
from campus.folder.crosscheck import building_ids, check_calendar, check_site
from campus.folder.document import read_yaml
from campus.folder.expected import validated
from campus.folder.secret import Secrets
from campus.folder.tables.register import Surroundings, read_register
from campus.folder.tables.roster import read_roster
from campus.folder.tables.staff import Staff, read_staff
from campus.folder.tables.swaps import with_swaps
from campus.person import PersonRole, Shift
from campus.problem import Problem
from campus.site import Site

_SITE, _CALENDAR, _RULES = "site.yaml", "calendar.yaml", "rules.yaml"
#: checks that other rooms add: the content of rules.yaml
RulesCheck = Callable[[Mapping[str, object], Campus], Iterable[Problem]]


def _no_check(_rules: Mapping[str, object], _campus: Campus) -> Iterable[Problem]:
    return ()


def load_campus(folder: Path, *, decoders: Iterable[str] = (), check_rules: RulesCheck = _no_check) -> Campus:
    """The campus of *folder*; raises :class:`FolderProblems` with every mistake there is. Warnings do not hinder."""
    problems: list[Problem] = []
    campus = _read(folder, frozenset(decoders), check_rules, problems)
    errors = [one for one in problems if not one.warning]
    if campus is None or errors:
        raise FolderProblems(str(folder), sorted(errors))
    return campus


def check_folder(
    folder: Path, *, decoders: Iterable[str] = (), check_rules: RulesCheck = _no_check
) -> list[Problem]:
    """Every mistake and warning, in the order of files and rows.

    *decoders* are the names there are, *check_rules* judges the content of rules.yaml; without them neither is checked.
    """
    problems: list[Problem] = []
    _read(folder, frozenset(decoders), check_rules, problems)
    return sorted(problems)


def _read(
    folder: Path, decoders: frozenset[str], check_rules: RulesCheck, problems: list[Problem]
) -> Campus | None:
    """None without a site; all files are read all the same, so that their mistakes are told in the same go."""
    body = Secrets(folder, _SITE, problems).resolved(read_yaml(folder, _SITE, problems, required=True))
    # A file that could not be read has its problem; one that says nothing has none yet.
    site = None if problems and not body else validated(Site, body, _SITE, problems)
    zone = site.zone if site is not None else _zone(body)
    buildings = building_ids(body)
    staff = read_staff(folder, problems)
    around = Surroundings(
        site=site.id if site is not None else "", buildings=buildings, keepers=staff.ids, decoders=decoders
    )
    devices = with_swaps(folder, zone, read_register(folder, around, problems), problems)
    roster = read_roster(folder, zone, staff.ids, problems)
    rules = read_yaml(folder, _RULES, problems)
    calendar = validated(CalendarSettings, read_yaml(folder, _CALENDAR, problems), _CALENDAR, problems)
    recipients = {"group", "duty", *staff.ids.values(), *PersonRole}
    problems.extend(check_site(body, recipients, decoders))
    problems.extend(_check_duty(site, roster))
    problems.extend(_check_phones(site, staff, roster))
    if calendar is not None:
        problems.extend(check_calendar(calendar, None if buildings is None else set(buildings.values())))
    if site is None:
        return None
    campus = Campus(
        site=site,
        devices=devices,
        people=staff.people,
        roster=roster,
        hours=_hours(calendar, site),
        rules=rules,
    )
    problems.extend(check_rules(rules, campus))
    return campus


def _zone(body: Mapping[str, Any]) -> zoneinfo.ZoneInfo:
    """The zone to read the roster in where site.yaml as a whole is no site."""
    try:
        return zoneinfo.ZoneInfo(str(body.get("timezone", SHANGHAI.key)))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return SHANGHAI


def _hours(calendar: CalendarSettings | None, site: Site) -> SchoolCalendar | None:
    if calendar is None or not calendar.terms:
        return None
    return SchoolCalendar(calendar, {building.id: building.use for building in site.buildings}, site.zone)


def _check_duty(site: Site | None, roster: Sequence[Shift]) -> Iterator[Problem]:
    for index, route in enumerate(site.routes if site is not None else ()):
        if "duty" in route.to and not roster:
            expected = "shifts in roster.csv, else nobody is told"
            yield Problem(_SITE, 0, f"routes[{index}].to", "duty", expected, warning=True)


def _check_phones(site: Site | None, staff: Staff, roster: Sequence[Shift]) -> Iterator[Problem]:
    """Whoever a route tells by text message has a number to send it to."""
    on_duty = {shift.person for shift in roster}
    warned: set[str] = set()
    for index, route in enumerate(site.routes if site is not None else ()):
        texting = [name for name in (*route.channels, *route.fallback) if _sends_texts(site, name)]
        for person in staff.people if texting else ():
            meant = {person.id, str(person.role), *(["duty"] if person.id in on_duty else [])}
            if person.phone or person.id in warned or not meant & set(route.to):
                continue
            warned.add(person.id)
            expected = f"a phone number, as routes[{index}] tells {person.name} over {texting[0]}"
            yield Problem("people.csv", staff.rows[person.id], "phone", "nothing", expected, warning=True)


def _sends_texts(site: Site | None, channel: str) -> bool:
    settings = site.channels.get(channel) if site is not None else None
    return settings is not None and settings.kind.startswith("sms_")
