"""Values that mean "no value" (PAYLOADS.md 1, quirk 11), per canonical quantity."""

from __future__ import annotations

from campus.quantity import Quantity

#: never a measurement: invalid markers of ZCL, Modbus and BLE sensors cut to their scale
_DROPPED: dict[str, tuple[float, ...]] = {
    Quantity.TEMPERATURE: (
        -327.68,
        327.67,
        -3276.8,
        3276.7,
        655.35,
        6553.5,
        -127.99,
        -127.0,
        327.66,
        -32768.0,
        32767.0,
    ),
    Quantity.HUMIDITY: (655.35, 6553.5, 6553.4),
    Quantity.CURRENT: (6553.5, 655.35, 65535.0),
    Quantity.ACTIVE_POWER: (-32768.0, -3276.8),
    Quantity.VOLTAGE: (6553.5, 65535.0),
}
#: real as numbers, but what a DS18B20 says with no probe or after a brown-out
_SUSPECT: dict[str, tuple[float, ...]] = {Quantity.TEMPERATURE: (85.0, 0.0)}
_NEAR = 1e-6


def is_sentinel(quantity: str, value: float) -> bool:
    """Whether *value* (in the source's unit) is a marker for an invalid measurement."""
    return any(abs(value - one) < _NEAR for one in _DROPPED.get(quantity, ()))


def is_probe_fault(quantity: str, value: float) -> bool:
    """Whether *value* is what a one-wire probe says when it is not there or just came up."""
    return any(abs(value - one) < _NEAR for one in _SUSPECT.get(quantity, ()))
