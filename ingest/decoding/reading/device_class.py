"""What a described value measures: by Home Assistant's device class, by its name, or by its unit alone.

Source: developers.home-assistant.io, sensor and binary sensor entity; the units HA allows for each class are its own.
"""

from __future__ import annotations

from campus.errors import UnknownUnit
from campus.quantity import Quantity as Q  # noqa: N817 - a table of many names reads better so
from campus.unit import to_canonical
from ingest.decoding.reading.descriptions import Described
from ingest.decoding.reading.names import Meaning, is_setting, loosely
from ingest.decoding.reading.unit_spelling import folded_unit

#: with the unit that is meant where none is said
_SENSOR: dict[str, Meaning] = {
    "temperature": Meaning(Q.TEMPERATURE, "°C"),
    "humidity": Meaning(Q.HUMIDITY, "%"),
    "power": Meaning(Q.ACTIVE_POWER, "W"),
    "energy": Meaning(Q.ENERGY, "kWh"),
    "voltage": Meaning(Q.VOLTAGE, "V"),
    "current": Meaning(Q.CURRENT, "A"),
    "power_factor": Meaning(Q.POWER_FACTOR, "1"),
    "frequency": Meaning(Q.FREQUENCY, "Hz"),
    "water": Meaning(Q.WATER_VOLUME, "m3"),
    "gas": Meaning(Q.GAS_VOLUME, "m3"),
    "volume_flow_rate": Meaning(Q.WATER_FLOW, "m3/h"),
    "pressure": Meaning(Q.PRESSURE, "hPa"),
    "atmospheric_pressure": Meaning(Q.PRESSURE, "hPa"),
    "battery": Meaning(Q.BATTERY_LEVEL, "%"),
    "signal_strength": Meaning(Q.SIGNAL_STRENGTH, "dBm"),
}
#: classes of a two-state sensor: on means wet, and open
_TWO_STATE: dict[str, Meaning] = {
    "moisture": Meaning(Q.LEAK_DETECTED, "bool"),
    "door": Meaning(Q.DOOR_OPEN, "bool"),
    "garage_door": Meaning(Q.DOOR_OPEN, "bool"),
    "opening": Meaning(Q.DOOR_OPEN, "bool"),
    "window": Meaning(Q.DOOR_OPEN, "bool"),
}
#: what a unit says by itself; volumes and percent say too little
_BY_UNIT: dict[str, str] = {
    "°C": Q.TEMPERATURE, "°F": Q.TEMPERATURE, "kWh": Q.ENERGY, "Wh": Q.ENERGY, "MWh": Q.ENERGY, "W": Q.ACTIVE_POWER,
    "kW": Q.ACTIVE_POWER, "V": Q.VOLTAGE, "mV": Q.VOLTAGE, "A": Q.CURRENT, "mA": Q.CURRENT, "Hz": Q.FREQUENCY,
    "m3/h": Q.WATER_FLOW, "L/min": Q.WATER_FLOW, "L/h": Q.WATER_FLOW, "dBm": Q.SIGNAL_STRENGTH, "hPa": Q.PRESSURE,
}  # fmt: skip
_NO_NUMBER = {"string", "enum", "color", "datetime", "duration", "json", "boolean"}


def meant(described: Described) -> Meaning | None:
    """The quantity and unit of *described*; None for settings, statistics and what we do not measure."""
    two_state = bool(described.on) or described.datatype == "boolean"
    if two_state:
        return _two_state(described)
    if described.datatype in _NO_NUMBER or is_setting(f"{described.name} {described.field}"):
        return None
    unit = folded_unit(described.unit)
    named = loosely(described.field) or loosely(described.name)
    found = _SENSOR.get(described.device_class)
    if found is None and described.device_class:
        return None  # a class we do not keep: illuminance, carbon dioxide, timestamps
    if found is not None and named is not None and _narrower(found, named):
        found = named
    found = found or (named if named is not None and (not unit or fits(named.quantity, unit)) else None)
    if found is None:
        quantity = _BY_UNIT.get(unit)
        return None if quantity is None else Meaning(quantity, unit)
    if unit and not fits(found.quantity, unit):
        return None
    return Meaning(found.quantity, unit or found.unit)


def fits(quantity: str, unit: str) -> bool:
    """Whether *unit* is one of *quantity*."""
    try:
        to_canonical(Q(quantity), 1.0, unit)
    except UnknownUnit:
        return False
    return True


def _two_state(described: Described) -> Meaning | None:
    if described.device_class:
        return _TWO_STATE.get(described.device_class)
    named = loosely(described.field) or loosely(described.name)
    return named if named is not None and named.unit == "bool" else None


def _narrower(found: Meaning, named: Meaning) -> bool:
    """A voltage named battery, a current named leakage, a pressure named water: the name says more."""
    return (found.quantity, named.quantity) in {
        (Q.VOLTAGE, Q.BATTERY_VOLTAGE),
        (Q.CURRENT, Q.RESIDUAL_CURRENT),
        (Q.PRESSURE, Q.WATER_PRESSURE),
        (Q.WATER_VOLUME, Q.WATER_BACKFLOW_VOLUME),
    }
