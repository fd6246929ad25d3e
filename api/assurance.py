"""Whether the duty page may say that all is well: only with its ground, which is devices that are heard."""

from __future__ import annotations

import msgspec

from api.ports import Condition, Health
from api.services import Services
from campus.clock import DAY_MS, HOUR_MS, SECOND_MS
from campus.device import Device, Kind
from campus.drill import is_drill

#: a device is not heard after three of its intervals, and never before an hour (DOMAIN.md 1.6, SILENT)
_INTERVALS = 3
_LEAST_MS = HOUR_MS
#: where the register names no interval: battery sensors that speak once a day are common
_UNKNOWN_MS = DAY_MS


class Assurance(msgspec.Struct, frozen=True):
    """How many devices there are, how many of them are heard within their interval, and whether the service does its work."""

    devices: int
    heard: int
    service_well: bool

    @property
    def silent(self) -> int:
        """Devices that were never heard, or not for too long: nobody sees what is wrong there."""
        return self.devices - self.heard

    @property
    def all_well(self) -> bool:
        """Whether there is ground to say so, as far as there is no alert."""
        return self.devices > 0 and not self.silent and self.service_well


def assurance(services: Services, health: Health) -> Assurance:
    """What is known at this moment; gateways say nothing of their own, and an exercise's devices do not count."""
    devices = [
        device
        for device in services.campus().devices.values()
        if device.kind is not Kind.GATEWAY and not is_drill(device.id)
    ]
    now_ms = services.now_ms()
    heard = sum(_is_heard(services, device, now_ms) for device in devices)
    return Assurance(len(devices), heard, health.condition is Condition.OK)


def _is_heard(services: Services, device: Device, now_ms: int) -> bool:
    span_ms = max(_LEAST_MS, device.interval_s * _INTERVALS * SECOND_MS) if device.interval_s else _UNKNOWN_MS
    points = services.board.device(device.id).values()
    return any(now_ms - point.time_ms <= span_ms for point in points)
