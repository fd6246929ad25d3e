"""What freely named fields mean: codecs and gateways name temperature, water and volts in many ways.

A name is brought to English words (``lexicon``). A word that says setting, limit, statistic or derived figure ends it: such
a field is no measurement. Then the first rule whose words are all there decides, and the words left over must be
qualifiers we know (a phase, a number, a place): a name that says more than we understand is left to the register.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from campus.errors import UnknownUnit
from campus.quantity import SPECS
from campus.quantity import Quantity as Q  # noqa: N817 - a table of many names reads better so
from campus.unit import to_canonical
from ingest.decoding.reading.lexicon import words


class Meaning(NamedTuple):
    """A field's quantity, the unit it has when it does not say, its channel, and the register's factor."""

    quantity: str
    unit: str
    channel: str = ""
    scale: float = 1.0


#: words that make a field a setting, a limit, a statistic, a state in words or a derived figure
_NO_MEASUREMENT = frozenset({
    "setpoint", "set", "calibration", "offset", "alarm", "alert", "warning", "threshold", "limit", "schedule",
    "interval", "preset", "target", "dew", "delta", "difference", "diff", "correction", "min", "max", "average",
    "yesterday", "today", "day", "daily", "week", "weekly", "month", "monthly", "year", "yearly", "hourly", "last",
    "previous", "prev", "history", "version", "time", "timer", "timestamp", "date", "datetime", "duration",
    "sensitivity", "precision", "resolution", "comfort", "eco", "holiday", "away", "boost", "frost", "antifrost",
    "hysteresis", "deadzone", "mode", "color", "colour", "startup", "behavior", "source", "type", "trend", "low",
    "high", "config", "enable", "enabled", "reporting", "report", "period", "periodic", "reset", "feels",
    "heatindex", "chill", "wind", "apparent", "reactive", "raw", "outage", "shortage", "abnormal", "firmware",
    "error", "fault", "unit", "label", "name", "id", "index", "conv", "factor2", "weather", "forecast",
    "input_temperature", "open_window", "compensation", "protection", "overload", "heating", "cooling", "manual",
    "auto", "fan", "speed", "cost", "price",
})  # fmt: skip
_RULES: tuple[tuple[frozenset[str], Meaning], ...] = tuple(
    (frozenset(required.split()), meaning)
    for required, meaning in (
        ("battery voltage", Meaning(Q.BATTERY_VOLTAGE, "V")),
        ("battery", Meaning(Q.BATTERY_LEVEL, "%")),
        ("temperature", Meaning(Q.TEMPERATURE, "°C")),
        ("humidity", Meaning(Q.HUMIDITY, "%")),
        ("rh", Meaning(Q.HUMIDITY, "%")),
        ("residual current", Meaning(Q.RESIDUAL_CURRENT, "mA")),
        ("leak current", Meaning(Q.RESIDUAL_CURRENT, "mA")),
        ("earth current", Meaning(Q.RESIDUAL_CURRENT, "mA")),
        ("power factor", Meaning(Q.POWER_FACTOR, "1")),
        ("pf", Meaning(Q.POWER_FACTOR, "1")),
        ("cos phi", Meaning(Q.POWER_FACTOR, "1")),
        ("power consumption", Meaning(Q.ENERGY, "Wh")),
        ("energy", Meaning(Q.ENERGY, "kWh")),
        ("electric read", Meaning(Q.ENERGY, "kWh")),
        ("electric total", Meaning(Q.ENERGY, "kWh")),
        ("electric consumption", Meaning(Q.ENERGY, "kWh")),
        ("power", Meaning(Q.ACTIVE_POWER, "W")),
        ("apower", Meaning(Q.ACTIVE_POWER, "W")),
        ("frequency", Meaning(Q.FREQUENCY, "Hz")),
        ("water pressure", Meaning(Q.WATER_PRESSURE, "kPa")),
        ("pipe pressure", Meaning(Q.WATER_PRESSURE, "kPa")),
        ("pressure", Meaning(Q.PRESSURE, "hPa")),
        ("leak", Meaning(Q.LEAK_DETECTED, "bool")),
        ("door", Meaning(Q.DOOR_OPEN, "bool")),
        ("magnet", Meaning(Q.DOOR_OPEN, "bool")),
        ("reverse flow total", Meaning(Q.WATER_BACKFLOW_VOLUME, "m3")),
        ("negative flow total", Meaning(Q.WATER_BACKFLOW_VOLUME, "m3")),
        ("flow total", Meaning(Q.WATER_VOLUME, "m3")),
        ("flow", Meaning(Q.WATER_FLOW, "m3/h")),
        ("gas volume", Meaning(Q.GAS_VOLUME, "m3")),
        ("gas consumption", Meaning(Q.GAS_VOLUME, "m3")),
        ("gas total", Meaning(Q.GAS_VOLUME, "m3")),
        ("backflow volume", Meaning(Q.WATER_BACKFLOW_VOLUME, "m3")),
        ("reverse volume", Meaning(Q.WATER_BACKFLOW_VOLUME, "m3")),
        ("water volume", Meaning(Q.WATER_VOLUME, "m3")),
        ("water total", Meaning(Q.WATER_VOLUME, "m3")),
        ("water consumption", Meaning(Q.WATER_VOLUME, "m3")),
        ("water meter", Meaning(Q.WATER_VOLUME, "m3")),
        ("water reading", Meaning(Q.WATER_VOLUME, "m3")),
        ("volume", Meaning(Q.WATER_VOLUME, "m3")),
        ("pulse", Meaning(Q.PULSE_COUNT, "count")),
        ("counter", Meaning(Q.PULSE_COUNT, "count")),
        ("count", Meaning(Q.PULSE_COUNT, "count")),
        ("voltage", Meaning(Q.VOLTAGE, "V")),
        ("current", Meaning(Q.CURRENT, "A")),
        ("rssi", Meaning(Q.SIGNAL_STRENGTH, "dBm")),
        ("signal strength", Meaning(Q.SIGNAL_STRENGTH, "dBm")),
        ("wifi signal", Meaning(Q.SIGNAL_STRENGTH, "dBm")),
        ("water", Meaning(Q.WATER_VOLUME, "L")),
    )
)
#: whole names whose words say something else than the maker means
_WHOLE: dict[tuple[str, ...], Meaning] = {
    ("total", "current"): Meaning(Q.CHARGE_TOTAL, "Ah"),  # Milesight CT: ampere-hours
    ("leak", "status"): Meaning(Q.LEAK_DETECTED, "bool"),
    ("water", "leak", "status"): Meaning(Q.LEAK_DETECTED, "bool"),
    ("leak", "alarm"): Meaning(Q.LEAK_DETECTED, "bool"),
    ("door", "status"): Meaning(Q.DOOR_OPEN, "bool"),
    ("door", "open", "status"): Meaning(Q.DOOR_OPEN, "bool"),
    ("magnet", "status"): Meaning(Q.DOOR_OPEN, "bool"),
    ("door", "contact", "state"): Meaning(Q.DOOR_OPEN, "bool"),
    ("water", "sensor", "state"): Meaning(Q.LEAK_DETECTED, "bool"),
    ("leak", "read"): Meaning(Q.RESIDUAL_CURRENT, "mA"),  # breakers, beside voltage_read and current_read
    ("leak", "value"): Meaning(Q.RESIDUAL_CURRENT, "mA"),
    ("water", "flow", "value"): Meaning(Q.WATER_VOLUME, "L"),  # Dragino SW3L: litres since the start
    ("vdd",): Meaning(Q.BATTERY_VOLTAGE, "mV"),  # Elsys
    ("switch", "state"): Meaning(Q.SWITCH, "bool"),
    ("switch", "status"): Meaning(Q.SWITCH, "bool"),
    ("power", "state"): Meaning(Q.SWITCH, "bool"),
    ("relay", "state"): Meaning(Q.SWITCH, "bool"),
    ("relay", "status"): Meaning(Q.SWITCH, "bool"),
    **{("switch", str(number)): Meaning(Q.SWITCH, "bool", str(number)) for number in range(1, 9)},
    # as every three-phase meter of the Chinese market names them
    **{(f"u{phase}",): Meaning(Q.VOLTAGE, "V", phase) for phase in "abc"},
    **{(f"i{phase}",): Meaning(Q.CURRENT, "A", phase) for phase in "abc"},
    ("socket", "status"): Meaning(Q.SWITCH, "bool"),
    ("switch",): Meaning(Q.SWITCH, "bool"),
    ("relay",): Meaning(Q.SWITCH, "bool"),
    ("power", "switch"): Meaning(Q.SWITCH, "bool"),
    ("valve",): Meaning(Q.SWITCH, "bool", "valve"),
    ("hygro",): Meaning(Q.HUMIDITY, "%"),
}
#: beside nothing but these, "current" is the adjective: the meter's present reading, of whatever it counts
_PRESENT = frozenset({"reading", "value", "index", "consumption", "usage", "count", "meter", "number"})
_ELECTRICAL = frozenset(
    {Q.VOLTAGE, Q.CURRENT, Q.ACTIVE_POWER, Q.ENERGY, Q.POWER_FACTOR, Q.FREQUENCY, Q.CHARGE_TOTAL}
)
#: quantities whose word means one thing only, whatever stands beside it
_PLAIN = _ELECTRICAL | {
    Q.TEMPERATURE,
    Q.HUMIDITY,
    Q.BATTERY_LEVEL,
    Q.BATTERY_VOLTAGE,
    Q.LEAK_DETECTED,
    Q.DOOR_OPEN,
}
_PHASES = {"a": "a", "b": "b", "c": "c", "n": "n", "l1": "a", "l2": "b", "l3": "c", "neutral": "n"}
#: L1-N is a phase like L1
_AGAINST_NEUTRAL = {"a_n": "a", "b_n": "b", "c_n": "c"}
_NUMBERED_PHASES = {"1": "a", "2": "b", "3": "c"}
#: say nothing that would tell two series of a device apart
_NOISE = frozenset({
    "sensor", "value", "reading", "read", "measured", "measurement", "relative", "air", "ambient", "local", "room",
    "indoor", "sht", "sht20", "sht30", "sht31", "sht40", "dht", "dht22", "am2301", "bme280", "ac", "dc", "rms",
    "mains", "instant", "instantaneous", "meter", "channel", "phase", "total", "barometric", "atmospheric",
    "present", "actual", "of", "at", "the", "active", "consumption", "consumed", "import", "imported", "positive",
    "electric",
})  # fmt: skip
_STATES = frozenset({"state", "status", "detected", "detection", "open"})
_COUNTED = frozenset({"count", "counter", "index", "usage", "used"})
#: and what does so for one quantity only
_NOISE_OF: dict[str, frozenset[str]] = {
    Q.BATTERY_LEVEL: frozenset({"level", "percent", "remaining", "capacity", "status"}),
    Q.WATER_FLOW: frozenset({"rate"}),
    Q.LEAK_DETECTED: _STATES,
    Q.DOOR_OPEN: _STATES,
    Q.PULSE_COUNT: _COUNTED,
    Q.WATER_VOLUME: _COUNTED,
    Q.GAS_VOLUME: _COUNTED,
    Q.ENERGY: _COUNTED | {"power"},
}
#: the device's own case or chip, never the room's
_INSIDE = frozenset(
    {"device", "chip", "cpu", "mcu", "board", "onboard", "core", "processor", "die", "enclosure"}
)
_PLACES = frozenset({
    "external", "internal", "outdoor", "probe", "supply", "return", "inlet", "outlet", "hot", "cold", "soil",
    "water", "cable", "input", "output", "main", "produced", "exported", "valve", "pipe", "fridge", "freezer",
    "cabinet", "floor", "surface", "cycle", "wall", "heater", "boiler", "tank",
})  # fmt: skip
_BARE_WATER = frozenset({"cold", "hot", "main", "used", "usage", "consumed", "sensor", "value"})
_PRODUCED = frozenset(
    {"produced", "production", "export", "exported", "returned", "negative", "reverse", "delivered"}
)
_UNITS = {
    "c": "°C", "celsius": "°C", "degc": "°C", "f": "°F", "fahrenheit": "°F", "degf": "°F", "percent": "%",
    "v": "V", "mv": "mV", "a": "A", "ma": "mA", "w": "W", "kw": "kW", "kwh": "kWh", "wh": "Wh", "mwh": "MWh",
    "l": "L", "litre": "L", "litres": "L", "liter": "L", "liters": "L", "ml": "mL", "m3": "m3", "m3h": "m3/h", "m3/h": "m3/h",
    "lmin": "L/min", "lpm": "L/min", "l/min": "L/min", "l_min": "L/min", "l/s": "L/s", "l_s": "L/s",
    "l/h": "L/h", "l_h": "L/h", "m3_h": "m3/h", "lh": "L/h", "lph": "L/h", "gal": "gal", "pa": "Pa", "hpa": "hPa",
    "kpa": "kPa", "mpa": "MPa", "mbar": "mbar", "bar": "bar", "psi": "psi", "hz": "Hz", "ah": "Ah", "mah": "mAh",
    "dbm": "dBm",
}  # fmt: skip
_BY_UNIT_ALONE = {"kWh": Q.ENERGY, "Wh": Q.ENERGY, "MWh": Q.ENERGY}


@functools.lru_cache(maxsize=4096)
def meaning(name: str) -> Meaning | None:
    """What a field of that name measures, or None."""
    if len(name) > 64:
        return None
    found = words(name)
    whole = _WHOLE.get(tuple(found))
    if whole is not None:
        return whole
    if not found or len(found) > 6 or not _NO_MEASUREMENT.isdisjoint(found):
        return None
    if "current" in found and len(found) > 1 and _PRESENT.issuperset(set(found) - {"current"}):
        return None
    for required, what in _RULES:
        if required.issubset(found):
            return _qualified(what, required, found)
    return _by_unit(found)


@functools.lru_cache(maxsize=4096)
def loosely(name: str) -> Meaning | None:
    """What a value of that name measures where the name itself tells it from others (``inverter0_power_demand``).

    Words we do not know are let pass for quantities whose name means one thing only; the meaning has no channel.
    """
    strict = meaning(name)
    if strict is not None:
        return Meaning(strict.quantity, strict.unit)
    found = words(name[:64])
    if not found or not _NO_MEASUREMENT.isdisjoint(found):
        return None
    for required, what in _RULES:
        if required.issubset(found):
            last = _UNITS.get(found[-1], "")
            unit = last if last and fits(what.quantity, last) else what.unit
            return Meaning(what.quantity, unit) if what.quantity in _PLAIN else None
    return None


@functools.lru_cache(maxsize=4096)
def is_setting(name: str) -> bool:
    """Whether a word of *name* says it is a setting, a limit, a statistic or a derived figure."""
    return not _NO_MEASUREMENT.isdisjoint(words(name))


def _qualified(what: Meaning, required: frozenset[str], found: list[str]) -> Meaning | None:
    """*what* with the unit and channel the words left over say; None when they say more than we understand."""
    left = [word for word in found if word not in required]
    # "current" beside another quantity is the adjective
    left = [word for word in left if word != "current" or what.quantity == Q.CURRENT]
    unit = what.unit
    if what.quantity == Q.TEMPERATURE:  # TempC_DS, TempF_1
        after = found.index("temperature") + 1
        if after < len(found) - 1 and found[after] in {"c", "f"}:
            unit = _UNITS[found[after]]
            left.remove(found[after])
    if required == {"water"} and not all(
        word in _BARE_WATER or word.isdecimal() or word in _UNITS for word in left
    ):
        return None  # water in the soil, the water's level in a tank
    phases = [word for word in left if word in _PHASES]
    if left and left[-1] in _UNITS and fits(what.quantity, _UNITS[left[-1]]):
        electrical = what.quantity in _ELECTRICAL
        if not (electrical and left[-1] in {"a", "c"} and len(phases) == 1):
            unit = _UNITS[left.pop()]
            left = [  # 有功功率(kW) says it twice
                word for word in left if _UNITS.get(word) != unit or word in _PHASES
            ]
    if what.quantity == Q.BATTERY_LEVEL and left and left[-1] in {"v", "mv"}:
        return Meaning(Q.BATTERY_VOLTAGE, _UNITS[left[-1]])
    channel = _channel(what, left)
    return None if channel is None else Meaning(what.quantity, unit, _AGAINST_NEUTRAL.get(channel, channel))


def _channel(what: Meaning, left: list[str]) -> str | None:
    if not _INSIDE.isdisjoint(left):
        return "device" if what.quantity == Q.TEMPERATURE else None
    electrical = what.quantity in _ELECTRICAL
    parts: list[str] = []
    numbered_phase = "phase" in left
    for word in left:
        if electrical and word in _PHASES:
            parts.append(_PHASES[word])
        elif word.isdecimal() and len(word) <= 2:
            parts.append(_NUMBERED_PHASES.get(word, word) if numbered_phase else word)
        elif word in _PRODUCED and what.quantity == Q.ENERGY:
            parts.append("produced")
        elif word in _PLACES or (what.quantity == Q.TEMPERATURE and word not in _NOISE):
            parts.append(word)
        elif word == "water" or word in _NOISE or word in _NOISE_OF.get(what.quantity, ()):
            continue
        else:
            return None
    if what.quantity in {Q.WATER_VOLUME, Q.WATER_FLOW, Q.LEAK_DETECTED, Q.WATER_PRESSURE}:
        parts = [part for part in parts if part not in {"water", "pipe"}]
    if not parts and electrical and "total" in left and what.quantity in {Q.ACTIVE_POWER, Q.CURRENT}:
        return "total"
    return "_".join(parts)[:24]


def fits(quantity: str, unit: str) -> bool:
    """Whether *quantity* can be measured in *unit*."""
    if quantity not in SPECS:
        return False
    try:
        to_canonical(Q(quantity), 1.0, unit)
    except UnknownUnit:
        return False
    return True


def _by_unit(found: list[str]) -> Meaning | None:
    """``consumption_kwh``, ``total_kWh``: the unit alone says it is energy."""
    unit = _UNITS.get(found[-1], "")
    quantity = _BY_UNIT_ALONE.get(unit)
    left = [word for word in found[:-1] if word not in _NOISE]
    return Meaning(quantity, unit) if quantity is not None and not left else None


def is_no_measurement(words_of_name: list[str]) -> bool:
    """Whether one of the words says setting, limit, statistic or derived figure, in the plural as well."""
    return any(one in _NO_MEASUREMENT or one.removesuffix("s") in _NO_MEASUREMENT for one in words_of_name)
