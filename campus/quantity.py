"""What can be measured: each quantity, its one canonical unit, and what values are physically possible.

Ranges are wide on purpose: they say "no sensor here can mean this", not "this is normal". They come from
the instruments' own ranges and the sentinels of real devices (DOMAIN.md 2.4 and 4).
"""

from __future__ import annotations

import enum
import math

import msgspec

from campus.errors import UnknownQuantity


class Quantity(enum.StrEnum):
    """The names by which series are stored; they never change meaning."""

    WATER_VOLUME = "water_volume"
    WATER_BACKFLOW_VOLUME = "water_backflow_volume"
    WATER_FLOW = "water_flow"
    WATER_PRESSURE = "water_pressure"
    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    ENERGY = "energy"
    ACTIVE_POWER = "active_power"
    VOLTAGE = "voltage"
    CURRENT = "current"
    RESIDUAL_CURRENT = "residual_current"
    POWER_FACTOR = "power_factor"
    FREQUENCY = "frequency"
    GAS_VOLUME = "gas_volume"
    PRESSURE = "pressure"
    DOOR_OPEN = "door_open"
    LEAK_DETECTED = "leak_detected"
    SWITCH = "switch"
    PULSE_COUNT = "pulse_count"
    CHARGE_TOTAL = "charge_total"
    BATTERY_LEVEL = "battery_level"
    BATTERY_VOLTAGE = "battery_voltage"
    SIGNAL_STRENGTH = "signal_strength"


class QuantitySpec(msgspec.Struct, frozen=True):
    """A quantity's unit, whether it only counts up, and the values that are physically possible."""

    unit: str
    counter: bool = False
    low: float = -math.inf
    high: float = math.inf
    label: str = ""


SPECS: dict[Quantity, QuantitySpec] = {
    Quantity.WATER_VOLUME: QuantitySpec("m3", counter=True, low=0, high=1e9, label="累计水量"),
    Quantity.WATER_BACKFLOW_VOLUME: QuantitySpec("m3", counter=True, low=0, high=1e9, label="倒流水量"),
    Quantity.WATER_FLOW: QuantitySpec("m3/h", low=-10_000, high=10_000, label="瞬时流量"),
    Quantity.WATER_PRESSURE: QuantitySpec("kPa", low=-100, high=10_000, label="水压"),
    Quantity.TEMPERATURE: QuantitySpec("°C", low=-80, high=250, label="温度"),
    Quantity.HUMIDITY: QuantitySpec("%", low=0, high=100, label="湿度"),
    Quantity.ENERGY: QuantitySpec("kWh", counter=True, low=0, high=1e10, label="累计电量"),
    Quantity.ACTIVE_POWER: QuantitySpec("kW", low=-10_000, high=10_000, label="有功功率"),
    Quantity.VOLTAGE: QuantitySpec("V", low=0, high=1_000, label="电压"),
    Quantity.CURRENT: QuantitySpec("A", low=-6_000, high=6_000, label="电流"),
    Quantity.RESIDUAL_CURRENT: QuantitySpec("mA", low=0, high=30_000, label="剩余电流"),
    Quantity.POWER_FACTOR: QuantitySpec("1", low=-1, high=1, label="功率因数"),
    Quantity.FREQUENCY: QuantitySpec("Hz", low=0, high=100, label="频率"),
    Quantity.GAS_VOLUME: QuantitySpec("m3", counter=True, low=0, high=1e9, label="累计燃气量"),
    Quantity.PRESSURE: QuantitySpec("kPa", low=-100, high=50_000, label="压力"),
    Quantity.DOOR_OPEN: QuantitySpec("bool", low=0, high=1, label="门"),
    Quantity.LEAK_DETECTED: QuantitySpec("bool", low=0, high=1, label="漏水"),
    Quantity.SWITCH: QuantitySpec("bool", low=0, high=1, label="开关"),
    Quantity.PULSE_COUNT: QuantitySpec("count", counter=True, low=0, high=1e12, label="脉冲数"),
    Quantity.CHARGE_TOTAL: QuantitySpec("Ah", counter=True, low=0, high=1e10, label="累计安时"),
    Quantity.BATTERY_LEVEL: QuantitySpec("%", low=0, high=100, label="电池电量"),
    Quantity.BATTERY_VOLTAGE: QuantitySpec("V", low=0, high=60, label="电池电压"),
    Quantity.SIGNAL_STRENGTH: QuantitySpec("dBm", low=-200, high=50, label="信号强度"),
}


def quantity_of(name: str) -> Quantity:
    """The quantity of that name; raises :class:`UnknownQuantity`."""
    try:
        return Quantity(name)
    except ValueError as error:
        raise UnknownQuantity(name) from error
