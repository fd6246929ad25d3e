"""A fridge that freezes, and a door left open (DOMAIN.md 3.1)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from campus.device import Device, Kind
from campus.quantity import Quantity
from rules.limit import NEVER, Bounds, LimitParams, LimitRule
from rules.rule import Context

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
    Params = TooColdParams
    quantity = Quantity.TEMPERATURE
    value_fact, limit_fact, advice = "temperature_c", "limit_c", "cold.too_cold"

    def applies(self, device: Device) -> bool:
        return device.kind is Kind.COLD_STORAGE and device.profile in _COOLED

    def bounds(self, context: Context[TooColdParams]) -> Bounds:
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
    Params = DoorParams
    quantity = Quantity.DOOR_OPEN
    value_fact, limit_fact, advice = "door_open", "limit_open", "cold.door_open"

    def applies(self, device: Device) -> bool:
        return device.kind is Kind.COLD_STORAGE

    def bounds(self, context: Context[DoorParams]) -> Bounds:
        return Bounds((NEVER, 0.5, NEVER))
