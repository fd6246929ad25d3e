"""Electricity beyond its limits: overload, voltage, residual current, hot cables (DOMAIN.md 4)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from campus.device import Device, Kind, Role
from campus.quantity import Quantity
from campus.text import marked as _
from rules.electricity.words import CURRENT, EARTH_LEAK, LIMIT_RESIDUAL, RESIDUAL, VOLTAGE
from rules.limit import NEVER, Bounds, Channel, LimitParams, LimitRule
from rules.rule import Context
from rules.verdict import Facts
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact
from rules.words.shared import LIMIT_TEMPERATURE, TEMPERATURE

_PHASES = {"", "a", "b", "c"}


class OverloadParams(LimitParams):
    """Shares of the breaker's rating: it may trip only at 1.13 to 1.45 of it after minutes to an hour, so act before."""

    warning_share: float = Field(default=0.8, gt=0)
    critical_share: float = Field(default=1.0, gt=0)
    for_s: float = Field(default=600, ge=0)
    critical_for_s: float = Field(default=300, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)

    def contradiction(self) -> tuple[str, str] | None:
        """The critical share is no less than the warning's."""
        if self.critical_share < self.warning_share:
            return "critical_share", f"at least warning_share ({self.warning_share:g})"
        return None


class Overload(LimitRule[OverloadParams]):
    """``electricity.overload``: more current than the breaker of the circuit carries for long."""

    name: ClassVar[str] = "electricity.overload"
    title = _("{place}「{device}」电流接近或超过开关额定")
    advice = (
        Advice("electricity.overload", _("先关掉大功率电器减负荷;反复出现的请电工核对回路和开关容量。")),
    )
    lines = (CURRENT, Fact("rated_a", _("额定 {value:.0f} A"), Ending.KEPT))
    Params = OverloadParams
    quantity = Quantity.CURRENT
    value_fact, limit_fact = "current_a", "limit_a"

    def applies(self, device: Device) -> bool:
        """A meter whose breaker's rating stands in the register."""
        return device.kind is Kind.ELECTRICITY_METER and device.rated_current_a > 0

    def hears(self, channel: str) -> bool:
        """The phases, or a single one."""
        return channel in _PHASES

    def bounds(self, context: Context[OverloadParams]) -> Bounds:
        """Shares of the breaker's rating, A; a level ends a twentieth of the rating below its limit."""
        params = context.params
        rated_a = context.device.rated_current_a
        warning_a, critical_a = params.warning_share * rated_a, params.critical_share * rated_a
        return Bounds((NEVER, warning_a, critical_a), dead_band=0.05 * rated_a)

    def facts(self, one: Channel, context: Context[OverloadParams]) -> Facts:
        """The breaker's rating, A."""
        return {"rated_a": context.device.rated_current_a}


class VoltageParams(LimitParams):
    """198 to 235.4 V is what GB/T 12325 allows at 220 V; below 180 and above 253 V things break. The same for 380 V."""

    low_v: float = 198.0
    high_v: float = 235.4
    critical_low_v: float = 180.0
    critical_high_v: float = 253.0
    dead_band_v: float = Field(default=2.0, ge=0)
    for_s: float = Field(default=600, ge=0)
    critical_for_s: float = Field(default=60, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)

    def contradiction(self) -> tuple[str, str] | None:
        """The band has a width."""
        if self.low_v >= self.high_v:
            return "low_v", f"less than high_v ({self.high_v:g} V)"
        return None


class Voltage(LimitRule[VoltageParams]):
    """``electricity.voltage``: too low or too high, ten minutes on end. No voltage at all is an outage, not a low one."""

    name: ClassVar[str] = "electricity.voltage"
    title = _("{place}「{device}」电压不合格")
    advice = (Advice("electricity.voltage", _("记录时间并报电工;一片区域都这样就联系供电部门。")),)
    lines = (VOLTAGE, Fact("limit_v", _("限值 {value:.1f} V"), Ending.KEPT))
    Params = VoltageParams
    quantity = Quantity.VOLTAGE
    value_fact, limit_fact = "voltage_v", "limit_v"

    def applies(self, device: Device) -> bool:
        """Any electricity meter."""
        return device.kind is Kind.ELECTRICITY_METER

    def hears(self, channel: str) -> bool:
        """The phases, or a single one; voltages between phases are none of these."""
        return channel in _PHASES

    def bounds(self, context: Context[VoltageParams]) -> Bounds:
        """The allowed band and the dangerous one, V."""
        params = context.params
        return Bounds(
            above=(NEVER, params.high_v, params.critical_high_v),
            below=(-NEVER, params.low_v, params.critical_low_v),
            dead_band=params.dead_band_v,
        )


class ResidualParams(LimitParams):
    """300 mA can start a fire, and alarms are set from 300 to 500 mA (GB 50116 9.2.3, explanatory note)."""

    warning_ma: float = Field(default=300, gt=0)
    critical_ma: float = Field(default=500, gt=0)
    for_s: float = Field(default=30, ge=0)
    critical_for_s: float = Field(default=30, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)

    def contradiction(self) -> tuple[str, str] | None:
        """The critical limit is no less than the warning's."""
        if self.critical_ma < self.warning_ma:
            return "critical_ma", f"at least warning_ma ({self.warning_ma:g} mA)"
        return None


class Residual(LimitRule[ResidualParams]):
    """``electricity.residual``: current that does not come back through its own wires."""

    name: ClassVar[str] = "electricity.residual"
    title = _("{place}「{device}」漏电流过大")
    advice = (EARTH_LEAK,)
    lines = (RESIDUAL, LIMIT_RESIDUAL)
    Params = ResidualParams
    quantity = Quantity.RESIDUAL_CURRENT
    value_fact, limit_fact = "residual_ma", "limit_ma"

    def applies(self, device: Device) -> bool:
        """Any electricity meter that measures it."""
        return device.kind is Kind.ELECTRICITY_METER

    def bounds(self, context: Context[ResidualParams]) -> Bounds:
        """Above the warning and the critical limit, mA."""
        params = context.params
        return Bounds((NEVER, params.warning_ma, params.critical_ma), dead_band=30.0)


class CableParams(LimitParams):
    """PVC is made for 70 °C; alarms are commonly set from 60 °C (DOMAIN.md 4, not verified in a standard)."""

    warning_c: float = 60.0
    critical_c: float = 70.0
    dead_band_k: float = Field(default=3.0, ge=0)
    for_s: float = Field(default=300, ge=0)
    critical_for_s: float = Field(default=60, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)

    def contradiction(self) -> tuple[str, str] | None:
        """The critical limit is no less than the warning's."""
        if self.critical_c < self.warning_c:
            return "critical_c", f"at least warning_c ({self.warning_c:g} °C)"
        return None


class CableHot(LimitRule[CableParams]):
    """``electricity.cable_hot``: a cable or terminal about to lose its insulation."""

    name: ClassVar[str] = "electricity.cable_hot"
    title = _("{place}「{device}」线缆过热")
    advice = (Advice("electricity.cable_hot", _("立即减负荷,请电工紧固接线端子;继续升温就断电。")),)
    lines = (TEMPERATURE, LIMIT_TEMPERATURE)
    Params = CableParams
    quantity = Quantity.TEMPERATURE
    value_fact, limit_fact = "temperature_c", "limit_c"

    def applies(self, device: Device) -> bool:
        """A probe on a cable or terminal."""
        return device.role is Role.CABLE

    def bounds(self, context: Context[CableParams]) -> Bounds:
        """Above the warning and the critical limit, °C."""
        params = context.params
        return Bounds((NEVER, params.warning_c, params.critical_c), dead_band=params.dead_band_k)
