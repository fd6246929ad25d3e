"""Boilers out of their band, detectors of water and gas, rooms without heat."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from campus.text import marked as _
from rules.limit import NEVER, Bounds, LimitParams, LimitRule
from rules.rule import Context
from rules.words.advice import Advice
from rules.words.shared import LIMIT_PRESSURE, LIMIT_TEMPERATURE, PRESSURE, TEMPERATURE


class DetectorParams(LimitParams):
    """A detector's word counts at once."""

    for_s: float = Field(default=0, ge=0)
    critical_for_s: float = Field(default=0, ge=0)
    keep_firing_for_s: float = Field(default=300, ge=0)


class WaterDetected(LimitRule[DetectorParams]):
    """``water.detected``: a leak detector is wet."""

    name: ClassVar[str] = "water.detected"
    title = _("{place}「{device}」检测到漏水")
    advice = (
        Advice(
            "water.detected", _("先关上游阀门、切断附近插座电源,再找漏点;确认是误报的,擦干探头即可恢复。")
        ),
    )
    Params = DetectorParams
    quantity = Quantity.LEAK_DETECTED
    value_fact, limit_fact = "detected", "limit_detected"

    def applies(self, device: Device) -> bool:
        """Any leak detector but those of gas."""
        return device.profile != "gas"

    def bounds(self, context: Context[DetectorParams]) -> Bounds:
        """1 is detected, 0 not."""
        return Bounds((NEVER, NEVER, 0.5))


class GasDetected(WaterDetected):
    """``gas.detected``: a detector of profile ``gas`` smells gas."""

    name: ClassVar[str] = "gas.detected"
    title = _("{place}「{device}」检测到燃气泄漏")
    advice = (Advice("gas.detected", _("不要开关任何电器:关燃气总阀、开门窗、疏散人员,到室外再打电话。")),)
    value_fact, limit_fact = "detected", "limit_detected"

    def applies(self, device: Device) -> bool:
        """A detector of profile ``gas``."""
        return device.kind is Kind.LEAK_DETECTOR and device.profile == "gas"


class SupplyParams(LimitParams):
    """The heating's supply: too hot for the net, or too cool to heat. Set it to the site's heating curve."""

    high_c: float = 95.0
    low_c: float = 35.0
    dead_band_k: float = Field(default=3.0, ge=0)
    for_s: float = Field(default=1800, ge=0)
    critical_for_s: float = Field(default=600, ge=0)
    keep_firing_for_s: float = Field(default=1800, ge=0)
    #: outside the heating season the supply is cold, and that is right
    low_matters: bool = False


class SupplyTemperature(LimitRule[SupplyParams]):
    """``boiler.supply``: the supply temperature leaves its band. The lower end counts where it was asked for."""

    name: ClassVar[str] = "boiler.supply"
    title = _("{place}「{device}」供水温度超出范围")
    advice = (Advice("boiler.supply", _("到锅炉房核对设定和燃烧器;过热时先停炉。")),)
    lines = (TEMPERATURE, LIMIT_TEMPERATURE)
    Params = SupplyParams
    quantity = Quantity.TEMPERATURE
    value_fact, limit_fact = "temperature_c", "limit_c"

    def applies(self, device: Device) -> bool:
        """The probe on the heating's supply."""
        return device.role is Role.HEATING_SUPPLY

    def bounds(self, context: Context[SupplyParams]) -> Bounds:
        """Too hot for the net, critical; too cool, where that matters, a warning; °C."""
        params = context.params
        low_c = params.low_c if params.low_matters else -NEVER
        return Bounds((NEVER, NEVER, params.high_c), (-NEVER, low_c, -NEVER), params.dead_band_k)


class PressureParams(LimitParams):
    """A closed heating circuit: below, it draws air and boils; above, the safety valve opens. Set it to the plant."""

    low_kpa: float = 80.0
    high_kpa: float = 600.0
    dead_band_kpa: float = Field(default=10.0, ge=0)
    for_s: float = Field(default=600, ge=0)
    critical_for_s: float = Field(default=300, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)

    def contradiction(self) -> tuple[str, str] | None:
        """The band has a width."""
        if self.low_kpa >= self.high_kpa:
            return "low_kpa", f"less than high_kpa ({self.high_kpa:g} kPa)"
        return None


class BoilerPressure(LimitRule[PressureParams]):
    """``boiler.pressure``: the pressure of a boiler or its circuit leaves its band."""

    name: ClassVar[str] = "boiler.pressure"
    title = _("{place}「{device}」压力超出范围")
    advice = (Advice("boiler.pressure", _("压力低先查漏和补水,压力高先查膨胀罐和安全阀。")),)
    lines = (PRESSURE, LIMIT_PRESSURE)
    Params = PressureParams
    quantity = Quantity.PRESSURE
    value_fact, limit_fact = "pressure_kpa", "limit_kpa"

    def applies(self, device: Device) -> bool:
        """A boiler or its circuit."""
        return device.kind is Kind.BOILER

    def bounds(self, context: Context[PressureParams]) -> Bounds:
        """Too high, critical; too low, a warning; kPa."""
        params = context.params
        return Bounds((NEVER, NEVER, params.high_kpa), (-NEVER, params.low_kpa, -NEVER), params.dead_band_kpa)


class RoomParams(LimitParams):
    """5 °C is the duty heating of a building not in use (值班供暖, GB 50736; not verified)."""

    warning_below_c: float = 5.0
    critical_below_c: float = 2.0
    dead_band_k: float = Field(default=1.0, ge=0)
    for_s: float = Field(default=3600, ge=0)
    critical_for_s: float = Field(default=3600, ge=0)
    keep_firing_for_s: float = Field(default=3600, ge=0)


class RoomCold(LimitRule[RoomParams]):
    """``pipe.room_cold``: a room of a building that holds water is no longer heated."""

    name: ClassVar[str] = "pipe.room_cold"
    title = _("{place}「{device}」室温过低,楼里可能没有供暖")
    advice = (Advice("pipe.room_cold", _("检查该楼供暖阀门和门窗;恢复不了就关水放空,先保消防管和卫生间。")),)
    lines = (TEMPERATURE, LIMIT_TEMPERATURE)
    Params = RoomParams
    quantity = Quantity.TEMPERATURE
    value_fact, limit_fact = "temperature_c", "limit_c"

    def applies(self, device: Device) -> bool:
        """The climate sensor of a room."""
        return device.kind is Kind.CLIMATE and device.role is Role.ROOM

    def bounds(self, context: Context[RoomParams]) -> Bounds:
        """Below the warning and the critical limit, °C."""
        params = context.params
        below = (-NEVER, params.warning_below_c, params.critical_below_c)
        return Bounds(below=below, dead_band=params.dead_band_k)
