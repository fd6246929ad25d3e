"""Conversion of a source's unit into a quantity's canonical one, done once at the edge.

Factors are exact by definition (US gallon 3.785411784 L, psi 6.894757293168 kPa, cubic foot 28.316846592 L).
"""

from __future__ import annotations

from campus.errors import UnknownUnit
from campus.quantity import SPECS, Quantity

_VOLUME_M3 = {
    "m3": 1.0, "m³": 1.0, "l": 1e-3, "dl": 1e-4, "ml": 1e-6, "gal": 3.785411784e-3, "ft3": 28.316846592e-3, "ccf": 2.8316846592,
}  # fmt: skip
_PRESSURE_KPA = {
    "kpa": 1.0, "pa": 1e-3, "hpa": 0.1, "mbar": 0.1, "bar": 100.0, "mpa": 1000.0, "psi": 6.894757293168,
    "mh2o": 9.80665, "mmhg": 0.133322387415, "inhg": 3.386388640341,
}  # fmt: skip
_BOOL = {"bool": 1.0, "": 1.0}

_FACTORS: dict[Quantity, dict[str, float]] = {
    Quantity.WATER_VOLUME: _VOLUME_M3,
    Quantity.WATER_BACKFLOW_VOLUME: _VOLUME_M3,
    Quantity.GAS_VOLUME: _VOLUME_M3,
    Quantity.WATER_FLOW: {
        "m3/h": 1.0, "m³/h": 1.0, "l/h": 1e-3, "l/min": 0.06, "l/s": 3.6, "m3/s": 3600.0, "gal/min": 0.2271247070400,
        "m3/min": 60.0,
    },
    Quantity.WATER_PRESSURE: _PRESSURE_KPA,
    Quantity.PRESSURE: _PRESSURE_KPA,
    Quantity.HUMIDITY: {"%": 1.0, "%rh": 1.0, "1": 100.0},
    Quantity.ENERGY: {"kwh": 1.0, "wh": 1e-3, "mwh": 1e3, "wmin": 1 / 60_000, "j": 1 / 3.6e6, "mj": 1 / 3.6, "gj": 1000 / 3.6, "kvah": 1.0},
    Quantity.ACTIVE_POWER: {"kw": 1.0, "w": 1e-3, "mw": 1e3},
    Quantity.VOLTAGE: {"v": 1.0, "mv": 1e-3, "kv": 1e3, "0.1v": 0.1},
    Quantity.CURRENT: {"a": 1.0, "ma": 1e-3},
    Quantity.RESIDUAL_CURRENT: {"ma": 1.0, "a": 1e3},
    Quantity.POWER_FACTOR: {"1": 1.0, "": 1.0, "%": 0.01},
    Quantity.FREQUENCY: {"hz": 1.0},
    Quantity.DOOR_OPEN: _BOOL,
    Quantity.LEAK_DETECTED: _BOOL,
    Quantity.SWITCH: _BOOL,
    Quantity.PULSE_COUNT: {"count": 1.0, "": 1.0},
    Quantity.CHARGE_TOTAL: {"ah": 1.0, "mah": 1e-3},
    Quantity.BATTERY_LEVEL: {"%": 1.0, "1": 100.0},
    Quantity.BATTERY_VOLTAGE: {"v": 1.0, "mv": 1e-3},
    Quantity.SIGNAL_STRENGTH: {"dbm": 1.0, "db": 1.0},
}  # fmt: skip
_CELSIUS = {"°c", "c", "℃", "degc", "celsius"}
_FAHRENHEIT = {"°f", "f", "℉", "degf", "fahrenheit"}
_KELVIN = {"k", "kelvin"}


def to_canonical(quantity: Quantity, value: float, unit: str) -> float:
    """*value* in the canonical unit of *quantity*; raises :class:`UnknownUnit`.

    Case is ignored, but for the one pair in which it carries meaning: ``mWh``/``mW`` are thousandths,
    ``MWh``/``MW`` millions.
    """
    if unit == SPECS[quantity].unit:
        return value
    if quantity is Quantity.TEMPERATURE:
        return _to_celsius(value, unit)
    if unit in {"mWh", "mW"}:
        return value * 1e-6
    factor = _FACTORS[quantity].get(unit.strip().lower())
    if factor is None:
        raise UnknownUnit(quantity, unit, sorted(_FACTORS[quantity]))
    return value * factor


def _to_celsius(value: float, unit: str) -> float:
    folded = unit.strip().lower()
    if folded in _CELSIUS:
        return value
    if folded in _FAHRENHEIT:
        return (value - 32.0) / 1.8
    if folded in _KELVIN:
        return value - 273.15
    raise UnknownUnit(Quantity.TEMPERATURE, unit, ["°C", "°F", "K"])
