"""The register as the API sees it, and guesses at what an unregistered device is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from api.ports import Guess, RegisterProblem, RegisterRefused
from campus.calendar.calendar import SchoolCalendar
from campus.calendar.change import CalendarChange
from campus.device import Kind
from campus.errors import FolderProblems, RegisterNotText
from campus.problem import Problem
from campus.quantity import Quantity
from service.desks.register import Register
from service.errors import NoCampusFolder
from store.operations.register_log import RegisterLog
from store.quarantine import Quarantine, Selection

_SHOWN_CHARACTERS = 4_000
_NOT_ID = re.compile(r"[^\w.\-]+")
#: the first of these that a device measures says what it is
_KINDS: tuple[tuple[frozenset[str], Kind], ...] = (
    (frozenset({Quantity.WATER_VOLUME, Quantity.WATER_FLOW, "water_volume_raw"}), Kind.WATER_METER),
    (frozenset({Quantity.GAS_VOLUME, "gas_volume_raw"}), Kind.GAS_METER),
    (frozenset({Quantity.ENERGY, Quantity.ACTIVE_POWER, Quantity.CURRENT}), Kind.ELECTRICITY_METER),
    (frozenset({Quantity.LEAK_DETECTED}), Kind.LEAK_DETECTOR),
    (frozenset({Quantity.PULSE_COUNT}), Kind.WATER_METER),
    (frozenset({Quantity.TEMPERATURE, Quantity.HUMIDITY}), Kind.CLIMATE),
)
#: parts of a name that say more than the measured quantity
_NAMES: tuple[tuple[re.Pattern[str], dict[str, str]], ...] = (
    (re.compile(r"freezer|冷冻|冰柜", re.IGNORECASE), {"kind": Kind.COLD_STORAGE, "profile": "freezer"}),
    (re.compile(r"fridge|冷藏|冰箱", re.IGNORECASE), {"kind": Kind.COLD_STORAGE, "profile": "fridge"}),
    (re.compile(r"留样"), {"kind": Kind.COLD_STORAGE, "profile": "sample_cabinet"}),
    (re.compile(r"pipe|管", re.IGNORECASE), {"kind": Kind.PIPE_PROBE, "role": "pipe_wall"}),
    (re.compile(r"outdoor|室外", re.IGNORECASE), {"kind": Kind.CLIMATE, "role": "outdoor"}),
)


class RegisterDesk:
    """Hands changes to the register and its answers back."""

    def __init__(self, register: Register, log: RegisterLog, quarantine: Quarantine) -> None:
        self._register = register
        self._log = log
        self._quarantine = quarantine

    def guess(self, address: str) -> Guess | None:
        source = next((each for each in self._quarantine.unregistered() if each.address == address), None)
        if source is None:
            return None
        held = self._quarantine.select(
            Selection(address=address), limit=1, payload_bytes=4 * _SHOWN_CHARACTERS
        )
        newest = held[0] if held else None
        columns = {
            "id": _id_from(address, set(self._register.campus().devices)),
            "name": address.rpartition("/")[2],
            "address": address,
            "decoder": source.decoder,
            **_nature(address, source.quantities),
        }
        return Guess(
            address,
            {key: str(value) for key, value in columns.items()},
            source.quantities,
            newest.topic if newest is not None else source.topic,
            newest.payload[:_SHOWN_CHARACTERS].decode(errors="replace") if newest is not None else "",
            source.last_ms,
        )

    def put(self, device_id: str, columns: Mapping[str, str], who: str) -> None:
        try:
            self._register.put(device_id, columns, who)
        except FolderProblems as error:
            raise RegisterRefused([_register_problem(problem) for problem in error.problems]) from error
        except (NoCampusFolder, RegisterNotText) as error:
            raise RegisterRefused([RegisterProblem("devices.csv", "-", str(error))]) from error

    def reload(self, who: str) -> Sequence[RegisterProblem]:
        try:
            return [_register_problem(problem) for problem in self._register.reload(who)]
        except NoCampusFolder as error:
            raise RegisterRefused([RegisterProblem("devices.csv", "-", str(error))]) from error

    def preview_calendar(self, change: CalendarChange) -> SchoolCalendar:
        try:
            return self._register.preview_calendar(change)
        except FolderProblems as error:
            raise RegisterRefused([_register_problem(problem) for problem in error.problems]) from error
        except NoCampusFolder as error:
            raise RegisterRefused([RegisterProblem("calendar.yaml", "-", str(error))]) from error

    def put_calendar(self, change: CalendarChange, who: str) -> None:
        try:
            self._register.put_calendar(change, who)
        except FolderProblems as error:
            raise RegisterRefused([_register_problem(problem) for problem in error.problems]) from error
        except NoCampusFolder as error:
            raise RegisterRefused([RegisterProblem("calendar.yaml", "-", str(error))]) from error

    def history(self, device_id: str) -> Sequence[Mapping[str, Any]]:
        return self._log.history(device_id)


def _nature(address: str, quantities: Sequence[str]) -> dict[str, str]:
    measured = set(quantities)
    for pattern, columns in _NAMES:
        if pattern.search(address) and Quantity.TEMPERATURE in measured:
            return columns
    return {"kind": next((kind for wanted, kind in _KINDS if not measured.isdisjoint(wanted)), Kind.CLIMATE)}


def _id_from(address: str, taken: set[str]) -> str:
    """An id like the address, of the letters ids may have, and not taken."""
    base = _NOT_ID.sub("-", address).strip("-").lower()[:60] or "device"
    number = 2
    free = base
    while free in taken:
        free = f"{base}-{number}"
        number += 1
    return free


def _register_problem(problem: Problem) -> RegisterProblem:
    return RegisterProblem(problem.where(), problem.found, problem.expected)
