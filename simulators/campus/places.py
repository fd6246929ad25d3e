"""Which devices and buildings of a campus a fault is about."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from campus.campus import Campus
from campus.device import Device
from campus.folder.expected import similar
from simulators.campus.fleet import Fleet
from simulators.campus.simulated import Simulated
from simulators.errors import NoSuchPlace
from simulators.faults.fault import Where

T = TypeVar("T")
Fits = Callable[[Simulated], bool]


class Places:
    """Looks places up; the same seed and the same question give the same answer."""

    def __init__(self, campus: Campus, fleet: Fleet) -> None:
        self._campus = campus
        self._fleet = fleet

    def devices(
        self,
        where: Where,
        fits: Fits,
        what: str,
        taken: Callable[[str], bool],
        key: tuple[str, str],
        seed: str,
    ) -> list[Simulated]:
        """Simulated devices that are *what* a fault needs; those *taken* by another fault only where nothing else is left."""
        self._check_ids(where, key)
        matching = [
            one for one in self._fleet.devices.values() if fits(one) and self._matches(where, one.device)
        ]
        if not matching:
            raise NoSuchPlace(*key, str(where), f"{what} among its simulated devices")
        matching.sort(key=lambda one: one.device.id)
        free = [one for one in matching if not taken(one.device.id)]
        return _some(free or matching, where, seed)

    def buildings(self, where: Where, key: tuple[str, str], seed: str) -> list[str]:
        """Buildings by id or use."""
        self._check_ids(where, key)
        found = [
            one.id
            for one in self._campus.site.buildings
            if where.building in {"", one.id} and where.use in {"", one.use}
        ]
        if not found:
            raise NoSuchPlace(*key, str(where), "a building of site.yaml")
        return _some(sorted(found), where, seed)

    def gateways(self, where: Where, key: tuple[str, str], seed: str) -> list[str]:
        """Gateways that simulated devices speak through."""
        found = sorted(
            one for one in self._fleet.gateways if where.gateway in {"", one} and where.device in {"", one}
        )
        if not found:
            raise NoSuchPlace(*key, str(where), "a gateway that devices name in the register")
        return _some(found, where, seed)

    def of_building(self, building: str) -> list[Simulated]:
        """Every simulated device of a building."""
        return [one for one in self._fleet.devices.values() if one.device.place.building == building]

    def behind(self, gateway: str) -> list[Simulated]:
        """Every simulated device that speaks through a gateway."""
        return [one for one in self._fleet.devices.values() if one.device.gateway == gateway]

    def _check_ids(self, where: Where, key: tuple[str, str]) -> None:
        """An id that is nowhere is a slip of the pen, and told apart from a campus that lacks such a thing."""
        for name, known in (
            ("device", list(self._campus.devices)),
            ("building", [one.id for one in self._campus.site.buildings]),
        ):
            given = str(getattr(where, name))
            if given and given not in known:
                raise NoSuchPlace(*key, f"{name} {given}", f"a {name} of the campus{similar(given, known)}")

    def _matches(self, where: Where, device: Device) -> bool:
        building = self._campus.site.building(device.place.building)
        use = building.use if building is not None else "other"
        return (
            where.device in {"", device.id}
            and where.building in {"", device.place.building}
            and where.use in {"", use}
            and where.kind in {None, device.kind}
            and where.profile in {"", device.profile}
            and where.role in {None, device.role}
            and where.gateway in {"", device.gateway}
        )


def _some(found: Sequence[T], where: Where, seed: str) -> list[T]:
    if where.count == "all" or where.count >= len(found):
        return list(found)
    return random.Random(seed).sample(list(found), where.count)


def ids(devices: Iterable[Simulated]) -> tuple[str, ...]:
    """Their ids."""
    return tuple(one.device.id for one in devices)
