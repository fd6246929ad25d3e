"""Who is told of what, over which channel: the routes of site.yaml applied to an alert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from campus.campus import Campus
from campus.person import Person
from campus.site import Route
from rules.level import Level

GROUP = "group"
_DUTY = "duty"


class Recipient(msgspec.Struct, frozen=True):
    """Whom a message is for: a person, or the group behind a channel."""

    id: str
    name: str = ""
    phone: str = ""
    wecom_id: str = ""


class Destination(msgspec.Struct, frozen=True):
    """One message to be sent, and where it goes when that fails for good."""

    channel: str
    recipient: Recipient
    fallback: tuple[str, ...] = ()


def destinations(
    rule: str,
    severity: Level,
    campus: Campus,
    time_ms: int,
    *,
    resolved: bool,
    to: Sequence[str] | None = None,
) -> list[Destination]:
    """Every (channel, recipient) once, in the order of the routes. *to* takes the place of the routes' own recipients:
    an exercise goes over the channels a real alert would take, to the people who were chosen for it.
    """
    found: dict[tuple[str, str], Destination] = {}
    for route in campus.site.routes:
        if not _applies(route, rule, severity) or (resolved and not route.tell_resolved):
            continue
        for channel in route.channels:
            for recipient in _recipients(route.to if to is None else to, campus, time_ms):
                key = (channel, recipient.id)
                found.setdefault(key, Destination(channel, recipient, tuple(route.fallback)))
    return list(found.values())


def _applies(route: Route, rule: str, severity: Level) -> bool:
    named = not route.rules or any(rule == one or rule.startswith(f"{one}.") for one in route.rules)
    return named and severity.rank >= Level(route.severity).rank


def _recipients(to: Sequence[str], campus: Campus, time_ms: int) -> Iterator[Recipient]:
    for one in to:
        if one == GROUP:
            yield Recipient(GROUP)
        elif one == _DUTY:
            yield from map(_person, campus.on_duty(time_ms))
        elif one in campus.people:
            yield _person(campus.people[one])
        else:
            yield from (_person(person) for person in campus.people.values() if person.role == one)


def _person(person: Person) -> Recipient:
    return Recipient(person.id, person.name, person.phone, person.wecom_id)
