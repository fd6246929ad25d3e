"""What the keys of a wmbusmeters telegram mean, by the medium the meter counts.

The names are those of the drivers' field lists (github.com/wmbusmeters/wmbusmeters, drivers). Registers at a billing
date (``target_*``), of a month (``*_at_history_n_*``, ``January_total_m3``), by tariff, and statistics are left: each is a
past value or a part of the one register.
"""

from __future__ import annotations

import enum
import functools
import re

from campus.quantity import Quantity as Q  # noqa: N817 - a table of many names reads better so
from ingest.decoding.reading.names import Meaning


class Media(enum.Enum):
    """What a meter counts, as far as its fields differ by it."""

    WATER = "water"
    GAS = "gas"
    HEAT = "heat"
    ELECTRICITY = "electricity"
    OTHER = "other"


_PHASES = {"1": "a", "2": "b", "3": "c"}
_PHASE = r"(?:_(?:at_)?(?:phase_?|l)?([123]))?"
_UNIT_SPELLINGS = {"kwh": "kWh", "mwh": "MWh", "wh": "Wh", "mj": "MJ", "gj": "GJ", "kw": "kW", "w": "W", "m3": "m3", "l": "L",
                   "m3h": "m3/h", "lh": "L/h", "c": "°C", "f": "°F", "bar": "bar", "pa": "Pa"}  # fmt: skip
_VOLUME, _FLOW = r"_(m3|l)", r"_(m3h|lh)"
_ENERGY, _POWER, _DEGREES = r"_(kwh|mwh|wh|mj|gj)", r"_(kw|w)", r"_(c|f)"

_REGISTERS = (
    "total|total_energy|total_energy_consumption|total_heating|total_heat_energy|heat|energy|total_consumption"
    "|positive_total_active_energy|total_active_positive_3phase"
)
_POWERS = (
    "(?:current_)?power(?:_consumption)?|active_consumption|active_power(?:_overall)?"
    "|three_phase_total_active_power|active_positive_3phase"
)
#: pattern, quantity and channel; group 1 of the first kind is the unit, of a phased one the phase and then the unit
_FIELDS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), quantity, channel)
    for pattern, quantity, channel in (
        (rf"(?:total|total_water|total_consumption|volume|total_volume){_VOLUME}", Q.WATER_VOLUME, ""),
        (
            rf"(?:total_)?(?:back|reverse)(?:ward|wards|flow)?(?:_flow|_volume)?{_VOLUME}",
            Q.WATER_BACKFLOW_VOLUME,
            "",
        ),
        (rf"(?:volume_|current_|current_volume_|water_)?flow(?:_water)?{_FLOW}", Q.WATER_FLOW, ""),
        (rf"max_flow{_FLOW}|flow_max{_FLOW}", Q.WATER_FLOW, "max"),
        (rf"min_flow{_FLOW}", Q.WATER_FLOW, "min"),
        (
            rf"(?:{_REGISTERS}){_ENERGY}",
            Q.ENERGY,
            "",
        ),
        (
            rf"(?:total_energy_production|negative_total_active_energy|total_energy_backward){_ENERGY}",
            Q.ENERGY,
            "produced",
        ),
        (
            rf"total_(?:cooling|cooling_energy|energy_cooling|cooling_consumption|cooling_energy_consumption){_ENERGY}",
            Q.ENERGY,
            "cooling",
        ),
        (rf"(?:total_)?heating{_VOLUME}", Q.WATER_VOLUME, "heating"),
        (
            rf"(?:total_)?cooling(?:_volume)?{_VOLUME}|total_volume_cooling{_VOLUME}",
            Q.WATER_VOLUME,
            "cooling",
        ),
        (
            rf"(?:{_POWERS}){_POWER}",
            Q.ACTIVE_POWER,
            "",
        ),
        (rf"current_power_production{_POWER}|active_negative_3phase{_POWER}", Q.ACTIVE_POWER, "produced"),
        (rf"(?:forward|supply|t1)(?:_temperature)?{_DEGREES}", Q.TEMPERATURE, "supply"),
        (rf"(?:return|t2)(?:_temperature)?{_DEGREES}", Q.TEMPERATURE, "return"),
        (rf"flow(?:_temperature)?{_DEGREES}", Q.TEMPERATURE, "supply"),
        (rf"(?:external|ambient)_temperature{_DEGREES}", Q.TEMPERATURE, "ambient"),
        (rf"water_temperature{_DEGREES}", Q.TEMPERATURE, "water"),
        (
            rf"(?:current_)?(?:room_)?temp(?:erature)?{_DEGREES}|temp_room{_DEGREES}|room_temperature{_DEGREES}",
            Q.TEMPERATURE,
            "",
        ),
        (r"pressure_(bar|pa)", Q.WATER_PRESSURE, ""),
    )
)
_PHASED: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), quantity, unit)
    for pattern, quantity, unit in (
        (rf"voltage{_PHASE}(?:_n)?_v", Q.VOLTAGE, "V"),
        (rf"(?:current|amperage){_PHASE}_a", Q.CURRENT, "A"),
        (
            rf"(?:current_power_consumption|active_consumption|active_power|power){_PHASE}_kw",
            Q.ACTIVE_POWER,
            "kW",
        ),
        (rf"total_energy_consumption{_PHASE}_kwh", Q.ENERGY, "kWh"),
        (rf"power{_PHASE}_factor|power_factor{_PHASE}", Q.POWER_FACTOR, "1"),
    )
)
_PLAIN: dict[str, Meaning] = {
    "frequency_hz": Meaning(Q.FREQUENCY, "Hz"),
    "current_in_neutral_a": Meaning(Q.CURRENT, "A", "n"),
    "battery_v": Meaning(Q.BATTERY_VOLTAGE, "V"),
    "battery_voltage_v": Meaning(Q.BATTERY_VOLTAGE, "V"),
    "battery_pct": Meaning(Q.BATTERY_LEVEL, "%"),
    "humidity_rh": Meaning(Q.HUMIDITY, "%"),
    "relative_humidity_rh": Meaning(Q.HUMIDITY, "%"),
    "current_relative_humidity_rh": Meaning(Q.HUMIDITY, "%"),
    "rssi_dbm": Meaning(Q.SIGNAL_STRENGTH, "dBm"),
}
#: electricity meters whose telegrams do not name their medium
_ELECTRIC_DRIVERS = re.compile(
    r"amiplus|abbb23|em24|ebzwmbe|esyswm|eltako|iem3000|gransystems|nemo|nzr|ime|eurisii"
)


def media_of(media: str, driver: str) -> Media:
    """The medium of a telegram that says *media*, by the driver's name where that leaves it open."""
    said = media.lower()
    if "electric" in said or _ELECTRIC_DRIVERS.fullmatch(driver):
        return Media.ELECTRICITY
    if "gas" in said:
        return Media.GAS
    if "heat" in said or "cool" in said:
        return Media.HEAT
    return Media.WATER if "water" in said else Media.OTHER


@functools.lru_cache(maxsize=2048)
def meaning_of(key: str, media: Media) -> Meaning | None:
    """What *key* measures on a meter of *media*, or None."""
    if len(key) > 64:
        return None
    if key == "voltage_v" and media is not Media.ELECTRICITY:
        # a water or heat meter has no mains: its volts are the battery's
        return Meaning(Q.BATTERY_VOLTAGE, "V")
    plain = _PLAIN.get(key)
    if plain is not None:
        return plain
    for pattern, quantity, channel in _FIELDS:
        match = pattern.fullmatch(key)
        if match is not None:
            unit = next(group for group in match.groups() if group is not None)
            return _of_media(Meaning(quantity, _UNIT_SPELLINGS[unit], channel), media)
    for pattern, quantity, unit in _PHASED:
        match = pattern.fullmatch(key)
        if match is not None:
            phase = next((group for group in match.groups() if group is not None), "")
            return Meaning(quantity, unit, _PHASES.get(phase, ""))
    return None


def _of_media(found: Meaning, media: Media) -> Meaning:
    """*found* as *media* means it: gas volumes; the water a heat meter circulates; a water meter's own temperature."""
    if found.quantity == Q.WATER_VOLUME and not found.channel:
        if media is Media.GAS:
            return Meaning(Q.GAS_VOLUME, found.unit)
        if media is Media.HEAT:
            return Meaning(Q.WATER_VOLUME, found.unit, "heating")
    if found.quantity == Q.WATER_FLOW and media is Media.HEAT:
        return found._replace(channel=f"heating_{found.channel}".rstrip("_"))
    if found.quantity == Q.TEMPERATURE and found.channel == "supply" and media is Media.WATER:
        return found._replace(channel="water")
    return found
