"""Batteries and radio that will soon fail; water pressure that has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.text import marked as _
from rules.limit import NEVER, Bounds, LimitParams, LimitRule
from rules.rule import Context
from rules.words.advice import Advice
from rules.words.fact import Fact
from rules.words.shared import LIMIT_PRESSURE, PRESSURE


class BatteryParams(LimitParams):
    """Per cent of charge; a coin cell at 20 % has weeks, and cold takes the rest."""

    notice_percent: float = Field(default=20, ge=0, le=100)
    warning_percent: float = Field(default=8, ge=0, le=100)
    for_s: float = Field(default=3 * 3600, ge=0)
    max_gap_s: float = Field(default=48 * 3600, gt=0)
    keep_firing_for_s: float = Field(default=24 * 3600, ge=0)
    least_confirmations: int = Field(default=2, ge=1, le=20)


class BatteryLow(LimitRule[BatteryParams]):
    """``sensor.battery_low``: a battery to change at the next round."""

    name: ClassVar[str] = "sensor.battery_low"
    title = _("{place}「{device}」电池电量低")
    advice = (Advice("sensor.battery_low", _("下次巡检时更换电池;天冷时电量掉得更快。")),)
    lines = (Fact("battery_percent", _("电量 {value:.0f} %")),)
    Params = BatteryParams
    quantity = Quantity.BATTERY_LEVEL
    value_fact, limit_fact = "battery_percent", "limit_percent"

    def applies(self, device: Device) -> bool:
        """All that has a battery; a gateway hangs on the mains."""
        return device.kind is not Kind.GATEWAY

    def bounds(self, context: Context[BatteryParams]) -> Bounds:
        """Below the limits of notice and warning, per cent; over 5 points above them."""
        params = context.params
        return Bounds(below=(params.notice_percent, params.warning_percent, -NEVER), dead_band=5.0)


class SignalParams(LimitParams):
    """Below −118 dBm a LoRa packet at SF12 is near what receivers can hear (about −137 dBm in quiet air)."""

    notice_dbm: float = -118.0
    dead_band_db: float = Field(default=3.0, ge=0)
    for_s: float = Field(default=12 * 3600, ge=0)
    max_gap_s: float = Field(default=24 * 3600, gt=0)
    keep_firing_for_s: float = Field(default=12 * 3600, ge=0)
    least_confirmations: int = Field(default=3, ge=1, le=20)


class SignalWeak(LimitRule[SignalParams]):
    """``sensor.signal_weak``: radio so weak for half a day that readings will be lost."""

    name: ClassVar[str] = "sensor.signal_weak"
    title = _("{place}「{device}」信号弱")
    advice = (Advice("sensor.signal_weak", _("把天线移到高处或离开金属,或在附近加一个网关。")),)
    lines = (Fact("signal_dbm", _("信号 {value:.0f} dBm")),)
    Params = SignalParams
    quantity = Quantity.SIGNAL_STRENGTH
    value_fact, limit_fact = "signal_dbm", "limit_dbm"

    def applies(self, device: Device) -> bool:
        """All that speaks by radio; a gateway is on the other end of it."""
        return device.kind is not Kind.GATEWAY

    def defaults(self, device: Device, use: str) -> Mapping[str, float]:
        """Wi-Fi and Zigbee lose packets below −88 dBm already."""
        return {"notice_dbm": -88.0} if device.decoder in _SHORT_RANGE else {}

    def bounds(self, context: Context[SignalParams]) -> Bounds:
        """Below the limit of notice, dBm."""
        params = context.params
        return Bounds(below=(params.notice_dbm, -NEVER, -NEVER), dead_band=params.dead_band_db)


_SHORT_RANGE = {"tasmota", "shelly_gen1", "shelly_gen2", "zigbee2mqtt"}


class PressureLowParams(LimitParams):
    """Water pressure at the inlet: 0.1 MPa reaches about the second floor. Set it to the building (assumed)."""

    low_kpa: float = Field(default=100, ge=0)
    dead_band_kpa: float = Field(default=15, ge=0)
    for_s: float = Field(default=300, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)


class WaterPressureLow(LimitRule[PressureLowParams]):
    """``water.pressure_low``: no pressure in the main, or a burst before the gauge."""

    name: ClassVar[str] = "water.pressure_low"
    title = _("{place}「{device}」水压过低")
    advice = (Advice("water.pressure_low", _("先看是否停水或泵停了,再查是否爆管;二次供水的看水箱水位。")),)
    lines = (PRESSURE, LIMIT_PRESSURE)
    Params = PressureLowParams
    quantity = Quantity.WATER_PRESSURE
    value_fact, limit_fact = "pressure_kpa", "limit_kpa"

    def applies(self, device: Device) -> bool:
        """A meter or pipe probe with a gauge."""
        return device.kind in {Kind.WATER_METER, Kind.PIPE_PROBE}

    def bounds(self, context: Context[PressureLowParams]) -> Bounds:
        """Below the limit a warning, kPa."""
        params = context.params
        return Bounds(below=(-NEVER, params.low_kpa, -NEVER), dead_band=params.dead_band_kpa)
