"""devices.csv, the register (财产登记), row by row: a row with a mistake is told and left out, the others stay."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from campus.clock import parse_duration
from campus.device import Device, Kind, Place, Role
from campus.drill import PREFIX, is_drill
from campus.errors import BadDuration
from campus.folder.expected import similar, validated
from campus.folder.moment import parse_moment
from campus.folder.tables.alias import DEVICE_HEADERS, KINDS, PROFILES, ROLES, choices, meant
from campus.folder.tables.fields import parse_fields
from campus.folder.tables.link import Entry, check_links
from campus.folder.tables.table import Row, read_table
from campus.problem import Problem

_NUMBERS = ("register_modulus", "pulse_weight", "most_per_hour", "rated_current_a", "calibration_offset")
_TEXTS = ("id", "name", "address", "decoder", "model", "parent", "gateway", "asset_number")
#: what a spreadsheet makes of a long number: 2.4E+15
_ROUNDED = re.compile(r"[+-]?\d(\.\d+)?[eE]\+\d+")
_DURATION_WORDS = (("分钟", "m"), ("小时", "h"), ("分", "m"), ("秒", "s"), ("天", "d"))


class Surroundings(msgspec.Struct, frozen=True):
    """What the register refers to. *buildings* are by id and by name; None where site.yaml does not tell them.

    *keepers* are people by id and by name, *decoders* the names there are; no names, no check.
    """

    site: str
    buildings: Mapping[str, str] | None
    keepers: Mapping[str, str]
    decoders: frozenset[str] = frozenset()


class Registered(msgspec.Struct, frozen=True):
    """The devices of the register. *ids* also holds those whose own row has a mistake."""

    devices: list[Device]
    ids: frozenset[str]


def read_register(folder: Path, around: Surroundings, problems: list[Problem]) -> Registered:
    """The devices of the register."""
    table = read_table(folder, "devices", DEVICE_HEADERS, ("id", "name", "kind"), problems)
    entries = [Entry(row, _Reader(row, around, problems).device()) for row in table.rows]
    repeated = check_links(entries, problems)
    devices = [one.device for one in entries if one.device is not None and one.row.number not in repeated]
    return Registered(devices, frozenset(one.row.text("id") for one in entries))


class _Reader:
    """Reads one row; each mistake in it is told."""

    def __init__(self, row: Row, around: Surroundings, problems: list[Problem]) -> None:
        self._row = row
        self._around = around
        self._problems = problems

    def device(self) -> Device | None:
        row, before = self._row, len(self._problems)
        body: dict[str, object] = {key: row.text(key) for key in _TEXTS if row.text(key)}
        body |= {key: number for key in _NUMBERS if (number := self._number(key)) is not None}
        body["kind"] = self._kind()
        body["role"] = self._role()
        body["profile"] = meant(PROFILES, row.text("profile")) or row.text("profile")
        body["place"] = Place(
            site=self._around.site, building=self._building(), floor=row.text("floor"), room=row.text("room")
        )
        body["interval_s"] = self._interval_s()
        body["calibration_date"] = self._date("calibration_date")
        body["keeper"] = self._keeper()
        body["fields"] = self._fields()
        self._check_source()
        if is_drill(row.text("id")):
            self._report("id", f"an id that does not begin with {PREFIX}, which marks an exercise's devices")
        device = validated(Device, body, row.file, self._problems, row=row.number)
        wrong = any(not one.warning for one in self._problems[before:])
        return None if wrong else device

    def _report(self, key: str, expected: str, *, found: str | None = None, warning: bool = False) -> None:
        self._problems.append(self._row.problem(key, expected, found=found, warning=warning))

    def _kind(self) -> Kind:
        kind = meant(KINDS, self._row.text("kind"))
        if kind is None:
            self._report("kind", f"one of {choices(KINDS, Kind)}{similar(self._row.text('kind'), KINDS)}")
        return kind or Kind.GATEWAY

    def _role(self) -> Role:
        text = self._row.text("role")
        role = meant(ROLES, text) if text else Role.NONE
        if role is None:
            self._report("role", f"one of {choices(ROLES, Role)}{similar(text, ROLES)}")
        return role or Role.NONE

    def _building(self) -> str:
        text, known = self._row.text("building"), self._around.buildings
        if text and known is not None and text not in known:
            ids = ", ".join(dict.fromkeys(known.values())) or "none, as site.yaml has no buildings"
            self._report("building", f"one of {ids}{similar(text, known)}")
        return (known or {}).get(text, text)

    def _keeper(self) -> str:
        text, known = self._row.text("keeper"), self._around.keepers
        if text and text not in known:
            self._report("keeper", f"somebody in people.csv, by id or name{similar(text, known)}")
        return known.get(text, text)

    def _number(self, key: str) -> float | None:
        text = self._row.text(key)
        if not text:
            return None
        try:
            number = float(text.replace(",", ""))
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        self._report(key, "a number")
        return None

    def _interval_s(self) -> float:
        text = self._row.text("interval_s")
        for word, unit in _DURATION_WORDS:
            text = text.replace(word, unit)
        try:
            seconds = (float(text) if _is_number(text) else parse_duration(text) / 1000) if text else 0.0
        except BadDuration:
            seconds = math.nan
        if math.isfinite(seconds):
            return seconds
        self._report("interval_s", "a number of seconds, or such as 5m")
        return 0.0

    def _date(self, key: str) -> str:
        text = self._row.text(key)
        if not text:
            return ""
        try:
            return parse_moment(text).local.date().isoformat()
        except ValueError:
            self._report(key, "a date such as 2026-09-01")
            return ""

    def _fields(self) -> object:
        fields, mistakes = parse_fields(self._row.text("fields"))
        for one in mistakes:
            self._report("fields", one.expected, found=one.part)
        return fields

    def _check_source(self) -> None:
        address, decoder, known = self._row.text("address"), self._row.text("decoder"), self._around.decoders
        if decoder and known and decoder not in known:
            self._report("decoder", f"one of {', '.join(sorted(known))}{similar(decoder, known)}")
        if address and not decoder:
            self._report("decoder", f"the decoder that reads {address}", warning=True)
        if _ROUNDED.fullmatch(address):
            expected = (
                "the address itself; the spreadsheet made a rounded number of it: format the column as text"
            )
            self._report("address", expected)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
