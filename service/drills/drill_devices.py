"""The drill devices on the campus of the moment: known to ingest and pages while an exercise lasts, to the real rules never."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from campus.campus import Campus
from campus.device import Device
from simulators.drills.copies import drill_device


class DrillDevices:
    """*real* gives the campus of the register; :meth:`campus` is that with the drill devices, the same as long as both are."""

    def __init__(self, real: Callable[[], Campus]) -> None:
        self._real = real
        self._lock = threading.Lock()
        self._devices: dict[str, Device] = {}
        self._people: tuple[str, ...] = ()
        self._made: tuple[Campus, dict[str, Device], Campus] | None = None

    def campus(self) -> Campus:
        """The campus of the moment for everybody but the rules."""
        real = self._real()
        with self._lock:
            if not self._devices:
                return real
            if self._made is None or self._made[0] is not real or self._made[1] is not self._devices:
                self._made = (real, self._devices, _together(real, self._devices))
            return self._made[2]

    def enter(self, devices: Mapping[str, Device], people: Sequence[str]) -> None:
        """Puts drill devices onto the campus; *people* are notified of their alerts."""
        with self._lock:
            self._devices, self._people = dict(devices), tuple(people)

    def mute(self) -> None:
        """What is still said of them reaches nobody."""
        with self._lock:
            self._people = ()

    def leave(self) -> None:
        """Takes them off the campus."""
        with self._lock:
            self._devices, self._people, self._made = {}, (), None

    def audience(self, subject: str) -> Sequence[str] | None:
        """Who is notified of a drill device's alerts; None for one that is not of an exercise (the demonstration's)."""
        with self._lock:
            return self._people if subject in self._devices else None


def copied(campus: Campus, copies: Mapping[str, str], speed: int) -> dict[str, Device]:
    """The drill devices of *copies* as ingest and rules shall know them: they speak as much oftener as time runs faster."""
    ids = set(copies.values())
    devices: dict[str, Device] = {}
    for copy, real in copies.items():
        device = campus.devices.get(real)
        if device is None:  # it left the register meanwhile
            continue
        parent = next((one for one, of in copies.items() if of == device.parent), "")
        made = drill_device(device, parent=parent if device.parent in ids else "")
        devices[copy] = made.model_copy(update={"interval_s": device.interval_s / speed})
    return devices


def _together(real: Campus, devices: Mapping[str, Device]) -> Campus:
    return Campus(
        site=real.site,
        devices=[*real.devices.values(), *devices.values()],
        people=real.people.values(),
        roster=real.roster,
        hours=real.hours,
        rules=real.rules,
    )
