"""Values that mean "no value" (PAYLOADS.md 1, quirk 11), per quantity, in the source's own unit."""

from __future__ import annotations

import re

from campus.quantity import Quantity

#: an unsigned 32-bit register of ones, by the usual scales
_ALL_ONES = tuple(0xFFFFFFFF / 10**digits for digits in range(5))
#: never a measurement: invalid markers of ZCL, Modbus and BLE sensors, cut to their scale
_DROPPED: dict[str, tuple[float, ...]] = {
    Quantity.TEMPERATURE: (
        -327.68, 327.67, -3276.8, 3276.7, 655.35, 6553.5, -127.99, -127.0, 327.66, -32768.0, 32767.0, 65535.0,
    ),
    Quantity.HUMIDITY: (655.35, 6553.5, 6553.4, 327.67, 65535.0),
    Quantity.CURRENT: (6553.5, 655.35, 65.535, 65535.0),
    Quantity.ACTIVE_POWER: (-32768.0, -3276.8),
    Quantity.VOLTAGE: (6553.5, 655.35, 65535.0),
    Quantity.PRESSURE: (6553.5, 65535.0, -3276.8, -32768.0),
    Quantity.WATER_PRESSURE: (65535.0, 6553.5),
    Quantity.FREQUENCY: (655.35, 65535.0),
    Quantity.ENERGY: _ALL_ONES,
    Quantity.WATER_VOLUME: _ALL_ONES,
    Quantity.GAS_VOLUME: _ALL_ONES,
    Quantity.PULSE_COUNT: (float(0xFFFFFFFF),),
    Quantity.BATTERY_LEVEL: (255.0,),
}  # fmt: skip
#: a DS18B20 that just came up says 85.0; the LoRaWAN boards that leave its line open say 0.00
_POWER_ON = 85.0
_OPEN_LINE = 0.0
_ONE_WIRE = re.compile(r"ds18", re.IGNORECASE)
_LORAWAN_ONE_WIRE = re.compile(r"temp\w*[_\W](?:ds|ds18b20)", re.IGNORECASE)
_NEAR = 1e-6
_DIGITS = 5
_ROUNDED = {
    quantity: frozenset(round(one, _DIGITS) for one in values) for quantity, values in _DROPPED.items()
}
#: markers are large: what is nearer to zero than all of them, as nearly every value is, need not be looked up
_LEAST = {quantity: min(map(abs, values)) - 1 for quantity, values in _ROUNDED.items()}


def is_sentinel(quantity: str, value: float) -> bool:
    """Whether *value* (in the source's unit) is a marker for an invalid measurement."""
    least = _LEAST.get(quantity)
    return least is not None and abs(value) >= least and round(value, _DIGITS) in _ROUNDED[quantity]


def is_probe_fault(quantity: str, field: str, value: float) -> bool:
    """Whether *value* of *field* may as well mean a one-wire probe that is not there: stored, but suspect."""
    if quantity != Quantity.TEMPERATURE:
        return False
    if abs(value - _OPEN_LINE) < _NEAR:
        return _LORAWAN_ONE_WIRE.fullmatch(field) is not None
    return (
        abs(value - _POWER_ON) < _NEAR
        and (_ONE_WIRE.search(field) or _LORAWAN_ONE_WIRE.fullmatch(field)) is not None
    )
