"""From what a source says to readings: the register's meaning, canonical units, plausible values and times."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from campus.clock import HOUR_MS
from campus.device import Device, Kind
from campus.errors import UnknownUnit
from campus.quantity import SPECS, Quantity, QuantitySpec
from campus.reading import Quality, Reading, Series
from campus.unit import to_canonical
from ingest.decoding.reading.timestamp import plausible
from ingest.device_clocks import SUSPECT_MS, DeviceClocks
from ingest.message import Report, Value

#: a reading older than this at its receipt is history: stored, never an emergency (DESIGN.md, Time)
ALLOWED_LATENESS_MS = HOUR_MS

_DIGITS = 9
_REMEMBERED_FIELDS = 50_000
_PULSED = {
    Kind.WATER_METER: Quantity.WATER_VOLUME,
    Kind.GAS_METER: Quantity.GAS_VOLUME,
    Kind.ELECTRICITY_METER: Quantity.ENERGY,
}
_CALIBRATED = {Quantity.TEMPERATURE, Quantity.HUMIDITY, Quantity.WATER_PRESSURE, Quantity.PRESSURE}


class Normalised(msgspec.Struct, frozen=True, gc=False):
    """The readings of one report, and why other values are none."""

    readings: tuple[Reading, ...]
    refused: tuple[str, ...] = ()


class _Meaning(NamedTuple):
    """What a field of a device means: canonical = value × *factor* + *offset*; *convert* stands for the factor where
    a unit is more than a factor (°F).
    """

    series: Series
    spec: QuantitySpec
    factor: float
    offset: float
    convert: Callable[[float], float] | None


class Normaliser:
    """Reports as readings of their devices. What a field means is worked out once, as fields hardly ever change.

    Made for one campus: a device that was edited needs a new one.
    """

    def __init__(self, clocks: DeviceClocks | None = None) -> None:
        self._clocks = clocks or DeviceClocks()
        self._meanings: dict[tuple[str, str, str, str], _Meaning] = {}

    def __call__(self, report: Report, device: Device, received_ms: int) -> Normalised:
        """*report* as readings of *device*. Values that cannot be are named in ``refused``, the others are kept."""
        readings: list[Reading] = []
        refused: list[str] = []
        device_id, meanings = device.id, self._meanings
        report_ms = (
            received_ms if report.time_ms is None else self._dated(device_id, report.time_ms, received_ms)
        )
        for value in report.values:
            meaning = meanings.get((device_id, value.quantity, value.unit, value.channel))
            if meaning is None:
                try:
                    meaning = self._learned(value, device)
                except (UnknownUnit, ValueError) as error:
                    refused.append(f"{value.field or value.quantity}: {error}")
                    continue
            series, spec, factor, offset, convert = meaning
            amount = value.value
            if convert is not None:
                amount = round(convert(amount), _DIGITS)
            elif factor != 1.0:
                amount = round(amount * factor, _DIGITS)  # 0.01 m3 × 88467 is 884.67
            amount += offset
            if not (spec.low <= amount <= spec.high and math.isfinite(amount)):
                name = value.field or series.quantity
                refused.append(f"{name}: {amount:g} {spec.unit} is outside {spec.low:g} to {spec.high:g}")
                continue
            time_ms = report_ms
            if value.time_ms is not None:
                time_ms = self._dated(device_id, value.time_ms, received_ms)
            quality = value.quality if received_ms - time_ms <= ALLOWED_LATENESS_MS else Quality.LATE
            readings.append(Reading(series, amount, time_ms, received_ms, quality))
        return Normalised(tuple(readings), tuple(refused))

    def _dated(self, device: str, own_ms: int, received_ms: int) -> int:
        """When a reading was taken: by the device's own clock, where that or ours can be right; else on its receipt."""
        time_ms = _moment(own_ms, received_ms)
        behind_ms = received_ms - time_ms
        if behind_ms < SUSPECT_MS:
            self._clocks.on_time(device, received_ms)
        elif self._clocks.is_ours(device, behind_ms, received_ms):
            return received_ms
        return time_ms

    def _learned(self, value: Value, device: Device) -> _Meaning:
        found = _meant(value, device)
        if len(self._meanings) >= _REMEMBERED_FIELDS:
            self._meanings.clear()
        self._meanings[device.id, value.quantity, value.unit, value.channel] = found
        return found


def quantities(report: Report) -> tuple[str, ...]:
    """What an unregistered device seems to measure, for its adoption."""
    return tuple(sorted({str(value.quantity) for value in report.values}))


def _moment(own_ms: int | None, received_ms: int) -> int:
    found = plausible(own_ms, received_ms)
    return received_ms if found is None else found


def _meant(value: Value, device: Device) -> _Meaning:
    """What *value* means at *device*; raises ValueError for a name that is no quantity, :class:`UnknownUnit`."""
    quantity = Quantity(value.quantity)
    factor = to_canonical(quantity, 1.0, value.unit)
    convert = None
    if to_canonical(quantity, 0.0, value.unit) != 0.0:
        convert = functools.partial(_converted, quantity, value.unit)
    offset = 0.0
    if quantity is Quantity.PULSE_COUNT and device.pulse_weight and device.kind in _PULSED:
        quantity, factor = _PULSED[device.kind], factor * device.pulse_weight
    elif device.calibration_offset and quantity in _CALIBRATED and value.channel != "device":
        offset = device.calibration_offset
    series = Series(device.id, quantity, value.channel)
    return _Meaning(series, SPECS[quantity], factor, offset, convert)


def _converted(quantity: Quantity, unit: str, amount: float) -> float:
    return to_canonical(quantity, amount, unit)


def without_time(reports: Iterable[Report]) -> bool:
    """Whether any report leaves its time to the receiver."""
    return any(
        report.time_ms is None and any(value.time_ms is None for value in report.values) for report in reports
    )
