"""A fridge that freezes, and a door left open (DOMAIN.md 3.1)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from campus.device import Device, Kind
from campus.quantity import Quantity
from campus.text import marked as _
from rules.limit import NEVER, Bounds, LimitParams, LimitRule
from rules.rule import Context
from rules.words.advice import Advice
from rules.words.shared import LIMIT_TEMPERATURE, TEMPERATURE

_COOLED = {"fridge", "sample_cabinet"}


class TooColdParams(LimitParams):
    """Cooled food is kept from 0 °C up (餐饮服务食品安全操作规范): below it freezes. Frozen food cannot be too cold."""

    warning_below_c: float = 0.0
    critical_below_c: float = -3.0
    dead_band_k: float = Field(default=0.5, ge=0)
    for_s: float = Field(default=2700, ge=0)
    critical_for_s: float = Field(default=2700, ge=0)
    keep_firing_for_s: float = Field(default=600, ge=0)


class TooCold(LimitRule[TooColdParams]):
    """``cold.too_cold``: a fridge that freezes what is in it."""

    name: ClassVar[str] = "cold.too_cold"
    title = _("{place}「{device}」温度过低,食品会冻坏")
    advice = (Advice("cold.too_cold", _("把温控调高一档;冷藏食品已结冰的要检查能否使用。")),)
    lines = (TEMPERATURE, LIMIT_TEMPERATURE)
    Params = TooColdParams
    quantity = Quantity.TEMPERATURE
    value_fact, limit_fact = "temperature_c", "limit_c"

    def applies(self, device: Device) -> bool:
        """Fridges and sample cabinets; what is frozen cannot be too cold."""
        return device.kind is Kind.COLD_STORAGE and device.profile in _COOLED

    def bounds(self, context: Context[TooColdParams]) -> Bounds:
        """Below the warning and the critical limit, °C."""
        params = context.params
        below = (-NEVER, params.warning_below_c, params.critical_below_c)
        return Bounds(below=below, dead_band=params.dead_band_k)


class DoorParams(LimitParams):
    """A cabinet's door open for so long is forgotten, not used."""

    for_s: float = Field(default=600, ge=0)
    keep_firing_for_s: float = Field(default=0, ge=0)


class DoorOpen(LimitRule[DoorParams]):
    """``cold.door_open``: the door contact of a cabinet."""

    name: ClassVar[str] = "cold.door_open"
    title = _("{place}「{device}」门没有关")
    advice = (Advice("cold.door_open", _("请关好柜门;关不严的检查门封条。")),)
    Params = DoorParams
    quantity = Quantity.DOOR_OPEN
    value_fact, limit_fact = "door_open", "limit_open"

    def applies(self, device: Device) -> bool:
        """A cold storage, where it has a contact."""
        return device.kind is Kind.COLD_STORAGE

    def bounds(self, context: Context[DoorParams]) -> Bounds:
        """1 is open, 0 closed."""
        return Bounds((NEVER, 0.5, NEVER))
