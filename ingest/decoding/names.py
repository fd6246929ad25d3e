"""What freely named fields mean: codecs and gateways name temperature, water and volts in many ways.

A name is folded (lower case, no separators) and looked up whole first, then by what it begins with. A name that says it
is a setting, a limit or a derived figure means nothing here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from campus.quantity import Quantity as Q  # noqa: N817 - a table of a hundred names reads better so


class Meaning(NamedTuple):
    """A field's quantity, the unit it has when it does not say, and its channel."""

    quantity: str
    unit: str
    channel: str = ""


_NOT_A_MEASUREMENT = re.compile(
    r"setpoint|calibration|offset|alarm|threshold|limit|unit$|schedule|interval|preset|target|dewpoint|delta|correction"
    r"|_max|_min|^max|^min|maximum|minimum|average|yesterday|today|status|version|time|count(?:er)?_reset|sensitivity"
)
_EXACT: dict[str, Meaning] = {
    "battery": Meaning(Q.BATTERY_LEVEL, "%"),
    "batterylevel": Meaning(Q.BATTERY_LEVEL, "%"),
    "batterypercent": Meaning(Q.BATTERY_LEVEL, "%"),
    "batterypercentage": Meaning(Q.BATTERY_LEVEL, "%"),
    "batpercent": Meaning(Q.BATTERY_LEVEL, "%"),
    "batt": Meaning(Q.BATTERY_LEVEL, "%"),
    "电池电量": Meaning(Q.BATTERY_LEVEL, "%"),
    "bateria": Meaning(Q.BATTERY_LEVEL, "%"),
    "batería": Meaning(Q.BATTERY_LEVEL, "%"),
    "bat": Meaning(Q.BATTERY_VOLTAGE, "V"),
    "batv": Meaning(Q.BATTERY_VOLTAGE, "V"),
    "vbat": Meaning(Q.BATTERY_VOLTAGE, "V"),
    "batteryvoltage": Meaning(Q.BATTERY_VOLTAGE, "V"),
    "batteryv": Meaning(Q.BATTERY_VOLTAGE, "V"),
    "电池电压": Meaning(Q.BATTERY_VOLTAGE, "V"),
    "humidity": Meaning(Q.HUMIDITY, "%"),
    "hum": Meaning(Q.HUMIDITY, "%"),
    "rh": Meaning(Q.HUMIDITY, "%"),
    "relativehumidity": Meaning(Q.HUMIDITY, "%"),
    "humsht": Meaning(Q.HUMIDITY, "%"),
    "humedad": Meaning(Q.HUMIDITY, "%"),
    "airhumidity": Meaning(Q.HUMIDITY, "%"),
    "湿度": Meaning(Q.HUMIDITY, "%"),
    "pressure": Meaning(Q.PRESSURE, "hPa"),
    "barometricpressure": Meaning(Q.PRESSURE, "hPa"),
    "presion": Meaning(Q.PRESSURE, "hPa"),
    "waterpressure": Meaning(Q.WATER_PRESSURE, "kPa"),
    "pulse": Meaning(Q.PULSE_COUNT, "count"),
    "pulses": Meaning(Q.PULSE_COUNT, "count"),
    "pulsecount": Meaning(Q.PULSE_COUNT, "count"),
    "totalpulse": Meaning(Q.PULSE_COUNT, "count"),
    "totalpulses": Meaning(Q.PULSE_COUNT, "count"),
    "counter": Meaning(Q.PULSE_COUNT, "count"),
    "count": Meaning(Q.PULSE_COUNT, "count"),
    "water": Meaning(Q.WATER_VOLUME, "L"),
    "watervolume": Meaning(Q.WATER_VOLUME, "m3"),
    "waterm3": Meaning(Q.WATER_VOLUME, "m3"),
    "volume": Meaning(Q.WATER_VOLUME, "m3"),
    "volumem3": Meaning(Q.WATER_VOLUME, "m3"),
    "totalvolume": Meaning(Q.WATER_VOLUME, "m3"),
    "totalwater": Meaning(Q.WATER_VOLUME, "m3"),
    "totalwaterm3": Meaning(Q.WATER_VOLUME, "m3"),
    "累计水量": Meaning(Q.WATER_VOLUME, "m3"),
    "累计流量": Meaning(Q.WATER_VOLUME, "m3"),
    "waterflow": Meaning(Q.WATER_FLOW, "m3/h"),
    "flow": Meaning(Q.WATER_FLOW, "m3/h"),
    "flowrate": Meaning(Q.WATER_FLOW, "m3/h"),
    "瞬时流量": Meaning(Q.WATER_FLOW, "m3/h"),
    "power": Meaning(Q.ACTIVE_POWER, "W"),
    "activepower": Meaning(Q.ACTIVE_POWER, "W"),
    "totalactivepower": Meaning(Q.ACTIVE_POWER, "W", "total"),
    "有功功率": Meaning(Q.ACTIVE_POWER, "kW"),
    "总有功功率": Meaning(Q.ACTIVE_POWER, "kW", "total"),
    "energy": Meaning(Q.ENERGY, "kWh"),
    "energykwh": Meaning(Q.ENERGY, "kWh"),
    "totalenergy": Meaning(Q.ENERGY, "kWh"),
    "powerconsumption": Meaning(Q.ENERGY, "Wh"),
    "electricread": Meaning(Q.ENERGY, "kWh"),
    "电量": Meaning(Q.ENERGY, "kWh"),
    "累计电量": Meaning(Q.ENERGY, "kWh"),
    "正向有功电能": Meaning(Q.ENERGY, "kWh"),
    "current": Meaning(Q.CURRENT, "A"),
    "电流": Meaning(Q.CURRENT, "A"),
    "residualcurrent": Meaning(Q.RESIDUAL_CURRENT, "mA"),
    "leakagecurrent": Meaning(Q.RESIDUAL_CURRENT, "mA"),
    "剩余电流": Meaning(Q.RESIDUAL_CURRENT, "mA"),
    "漏电流": Meaning(Q.RESIDUAL_CURRENT, "mA"),
    "voltage": Meaning(Q.VOLTAGE, "V"),
    "voltageread": Meaning(Q.VOLTAGE, "V"),
    "电压": Meaning(Q.VOLTAGE, "V"),
    "powerfactor": Meaning(Q.POWER_FACTOR, "1"),
    "pf": Meaning(Q.POWER_FACTOR, "1"),
    "功率因数": Meaning(Q.POWER_FACTOR, "1"),
    "frequency": Meaning(Q.FREQUENCY, "Hz"),
    "acfrequency": Meaning(Q.FREQUENCY, "Hz"),
    "频率": Meaning(Q.FREQUENCY, "Hz"),
    "leak": Meaning(Q.LEAK_DETECTED, "bool"),
    "waterleak": Meaning(Q.LEAK_DETECTED, "bool"),
    "leakage": Meaning(Q.LEAK_DETECTED, "bool"),
    "leakagestatus": Meaning(Q.LEAK_DETECTED, "bool"),
    "flood": Meaning(Q.LEAK_DETECTED, "bool"),
    "door": Meaning(Q.DOOR_OPEN, "bool"),
    "dooropen": Meaning(Q.DOOR_OPEN, "bool"),
    "doorstatus": Meaning(Q.DOOR_OPEN, "bool"),
    "temperature": Meaning(Q.TEMPERATURE, "°C"),
    "temp": Meaning(Q.TEMPERATURE, "°C"),
    "temperatura": Meaning(Q.TEMPERATURE, "°C"),
    "airtemperature": Meaning(Q.TEMPERATURE, "°C"),
    "watertemperature": Meaning(Q.TEMPERATURE, "°C", "water"),
    "温度": Meaning(Q.TEMPERATURE, "°C"),
    "totalcurrent": Meaning(Q.CHARGE_TOTAL, "Ah"),
    "rssi": Meaning(Q.SIGNAL_STRENGTH, "dBm"),
}
_PHASES = {
    "a": "a",
    "b": "b",
    "c": "c",
    "l1": "a",
    "l2": "b",
    "l3": "c",
    "1": "a",
    "2": "b",
    "3": "c",
    "n": "n",
}
_BY_PHASE = re.compile(
    r"(voltage|current|power|activepower|energy|powerfactor)(?:at)?(?:phase|_)?(l?[123]|[abcn])(?:相)?"
    r"|([abc])(?:相|phase)?(voltage|current|power|activepower|电压|电流|有功功率|功率因数)"
    r"|phase([abc])(voltage|current|power|activepower)"
)
_TEMPERATURE = re.compile(r"temp(?:erature)?(c|f)?(.*)|(.*)(?:temp|temperature|温度|temperatura)")
_CHINESE = {"电压": "voltage", "电流": "current", "有功功率": "activepower", "功率因数": "powerfactor"}


def meaning(name: str) -> Meaning | None:
    """What a field of that name measures, or None."""
    if len(name) > 64:
        return None
    if name.strip().lower() in {"leakage_status", "door_status"}:
        return _EXACT[name.strip().lower().replace("_", "")]
    if _NOT_A_MEASUREMENT.search(name.strip().lower()):
        return None
    folded = re.sub(r"[\s_\-./()]", "", name.strip().lower())
    return _EXACT.get(folded) or _phase(folded) or _temperature(folded)


def _phase(folded: str) -> Meaning | None:
    match = _BY_PHASE.fullmatch(folded)
    if match is None:
        return None
    word = match[1] or match[4] or match[6]
    base = _EXACT[_CHINESE.get(word, word)]
    return Meaning(base.quantity, base.unit, _PHASES[match[2] or match[3] or match[5]])


def _temperature(folded: str) -> Meaning | None:
    match = _TEMPERATURE.fullmatch(folded)
    if match is None:
        return None
    scale, after, before = match[1], match[2], match[3]
    rest = after if after is not None else before or ""
    channel = "" if rest in {"", "sht", "celsius", "air"} else rest[:16]
    return Meaning(Q.TEMPERATURE, "°F" if scale == "f" and not rest else "°C", channel)
