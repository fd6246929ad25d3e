"""A campus as everyone else sees it: the register, the places, the people and the calendar, looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TypeVar

from campus.calendar.opening import AlwaysUnknown, OpeningHours
from campus.device import Device, Kind
from campus.errors import UnknownDevice
from campus.person import Person, Shift
from campus.site import Site

Key = TypeVar("Key")


class Campus:
    """One immutable state of a campus folder; a reload makes a new one.

    *rules* holds the layers of rules.yaml as read; the rules room gives them their meaning.
    """

    def __init__(
        self,
        *,
        site: Site,
        devices: Iterable[Device] = (),
        people: Iterable[Person] = (),
        roster: Iterable[Shift] = (),
        hours: OpeningHours | None = None,
        rules: Mapping[str, object] | None = None,
    ) -> None:
        self.site = site
        self.devices: dict[str, Device] = {device.id: device for device in devices}
        self.people: dict[str, Person] = {person.id: person for person in people}
        self.roster = tuple(sorted(roster, key=lambda shift: shift.from_ms))
        self.hours: OpeningHours = hours if hours is not None else AlwaysUnknown()
        self.rules: Mapping[str, object] = rules or {}

    def device(self, device_id: str) -> Device:
        """The device of that id; raises :class:`UnknownDevice`."""
        try:
            return self.devices[device_id]
        except KeyError as error:
            raise UnknownDevice(device_id) from error

    def device_at(self, address: str) -> Device | None:
        """The device whose source address is *address*; case is ignored, as DevEUIs come in both."""
        return self._by_address.get(address) or self._by_address.get(address.lower())

    def children(self, device_id: str) -> tuple[Device, ...]:
        """The devices whose parent is *device_id*."""
        return self._children.get(device_id, ())

    def behind(self, gateway_id: str) -> tuple[Device, ...]:
        """The devices heard through the gateway of that id."""
        return self._behind.get(gateway_id, ())

    def of_kind(self, kind: Kind, building: str) -> tuple[Device, ...]:
        """The devices of a kind in a building."""
        return self._by_kind.get((kind, building), ())

    def on_duty(self, time_ms: int) -> tuple[Person, ...]:
        """Who the roster names for *time_ms*, in its order."""
        ids = [shift.person for shift in self.roster if shift.from_ms <= time_ms < shift.to_ms]
        return tuple(self.people[one] for one in dict.fromkeys(ids) if one in self.people)

    @cached_property
    def _by_address(self) -> dict[str, Device]:
        found = {(device.address or device.id): device for device in self.devices.values()}
        return found | {
            address.lower(): device for address, device in found.items() if address.lower() not in found
        }

    @cached_property
    def _children(self) -> dict[str, tuple[Device, ...]]:
        return _grouped((device.parent, device) for device in self.devices.values() if device.parent)

    @cached_property
    def _behind(self) -> dict[str, tuple[Device, ...]]:
        return _grouped((device.gateway, device) for device in self.devices.values() if device.gateway)

    @cached_property
    def _by_kind(self) -> dict[tuple[Kind, str], tuple[Device, ...]]:
        return _grouped(((device.kind, device.place.building), device) for device in self.devices.values())


def _grouped(pairs: Iterable[tuple[Key, Device]]) -> dict[Key, tuple[Device, ...]]:
    found: dict[Key, list[Device]] = defaultdict(list)
    for key, device in pairs:
        found[key].append(device)
    return {key: tuple(devices) for key, devices in found.items()}
