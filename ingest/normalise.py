"""From what a source says to readings: the register's meaning, canonical units, plausible values and times."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from campus.clock import HOUR_MS
from campus.device import Device, Kind
from campus.errors import UnknownUnit
from campus.quantity import SPECS, Quantity
from campus.reading import Quality, Reading, Series
from campus.unit import to_canonical
from ingest.decoding.timestamp import plausible
from ingest.message import Report, Value

#: a reading older than this at its receipt is history: stored, never an emergency (DESIGN.md, Time)
ALLOWED_LATENESS_MS = HOUR_MS

_PULSED = {
    Kind.WATER_METER: Quantity.WATER_VOLUME,
    Kind.GAS_METER: Quantity.GAS_VOLUME,
    Kind.ELECTRICITY_METER: Quantity.ENERGY,
}
_CALIBRATED = {Quantity.TEMPERATURE, Quantity.HUMIDITY, Quantity.WATER_PRESSURE, Quantity.PRESSURE}


class Normalised(msgspec.Struct, frozen=True):
    """The readings of one report, and why other values are none."""

    readings: tuple[Reading, ...]
    refused: tuple[str, ...] = ()


def normalise(report: Report, device: Device, received_ms: int) -> Normalised:
    """*report* as readings of *device*. Values that cannot be are named in ``refused``, the others are kept."""
    readings: list[Reading] = []
    refused: list[str] = []
    for value in report.values:
        try:
            quantity, amount = _meant(value, device)
        except (UnknownUnit, ValueError) as error:
            refused.append(f"{value.field or value.quantity}: {error}")
            continue
        spec = SPECS[quantity]
        if not (math.isfinite(amount) and spec.low <= amount <= spec.high):
            refused.append(
                f"{value.field or quantity}: {amount:g} {spec.unit} is outside {spec.low:g} to {spec.high:g}"
            )
            continue
        readings.append(_reading(report, value, device, quantity, amount, received_ms))
    return Normalised(tuple(readings), tuple(refused))


def quantities(report: Report) -> tuple[str, ...]:
    """What an unregistered device seems to measure, for its adoption."""
    return tuple(sorted({str(value.quantity) for value in report.values}))


def _reading(
    report: Report, value: Value, device: Device, quantity: Quantity, amount: float, received_ms: int
) -> Reading:
    own_ms = value.time_ms if value.time_ms is not None else report.time_ms
    time_ms = plausible(own_ms, received_ms)
    if time_ms is None:
        time_ms = received_ms
    quality = value.quality
    if received_ms - time_ms > ALLOWED_LATENESS_MS:
        quality = Quality.LATE
    return Reading(Series(device.id, quantity, value.channel), amount, time_ms, received_ms, quality)


def _meant(value: Value, device: Device) -> tuple[Quantity, float]:
    """The quantity and canonical amount; raises ValueError for a name that is no quantity."""
    quantity = Quantity(value.quantity)
    amount = round(to_canonical(quantity, value.value, value.unit), 9)  # 0.01 m3 × 88467 is 884.67
    if quantity is Quantity.PULSE_COUNT and device.pulse_weight and device.kind in _PULSED:
        return _PULSED[device.kind], round(amount * device.pulse_weight, 9)
    if device.calibration_offset and quantity in _CALIBRATED and value.channel != "device":
        amount += device.calibration_offset
    return quantity, amount


def without_time(reports: Iterable[Report]) -> bool:
    """Whether any report leaves its time to the receiver."""
    return any(
        report.time_ms is None and any(value.time_ms is None for value in report.values) for report in reports
    )
