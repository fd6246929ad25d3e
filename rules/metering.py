"""Meters as the rules see them: what passed between two readings of a device, and what a loss costs.

This is the one place that knows how a register's values become volumes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from pydantic import Field

from campus.clock import HOUR_MS, MINUTE_MS
from campus.device import Device, Kind
from campus.meter.meter import Meter, meter_of
from campus.meter.register import Register
from campus.meter.step import Step
from campus.quantity import Quantity
from campus.reading import Reading
from rules.level import Level
from rules.rule import Context, Input, Quiet, RuleParams, next_look_ms
from rules.verdict import Evidence, Facts, Verdict, Witness
from rules.words.shared import LEAK

#: what a meter shows at the finest where the register does not say (a 1 L step)
_FINEST_M3 = 0.001
#: more than this between two looks is looked at closely
_WILD_M3 = 50.0
#: hourly meters do not report on the second; so much of an hour stands for it
HOUR_SPAN_MS = 50 * MINUTE_MS


class MeterParams(RuleParams):
    """*most_m3h* is what the meter can pass at all, its overload flow Q4 (DOMAIN.md 1.1)."""

    most_m3h: float = Field(default=200, gt=0)


def usage_of(register: Register, reading: Reading, device: Device, most_m3h: float) -> Step:
    """What passed since the register's last value, by the one arithmetic of :mod:`campus.meter`."""
    return register.read(reading.value, reading.time_ms, _meter(device, reading.series.quantity, most_m3h))


def _meter(device: Device, quantity: Quantity, most_m3h: float) -> Meter:
    return meter_of(device, quantity, most_per_hour=most_m3h)


def step_m3(device: Device) -> float:
    """The finest volume the meter shows."""
    return device.pulse_weight or _FINEST_M3


def loss_word(
    level: Level, facts: Facts, since_ms: int, reading: Reading, context: Context[RuleParams], flow_m3h: float
) -> Verdict:
    """A verdict on water that is lost at *flow_m3h*, with what that comes to a day and, where known, in yuan."""
    price = context.campus.site.tariffs.water_yuan_m3
    if level is not Level.OK:
        facts["loss_m3_day"] = round(flow_m3h * 24, 2)
        if price:
            facts["cost_yuan_day"] = round(flow_m3h * 24 * price, 1)
    witness = Witness.of(reading)
    return Verdict(level, Evidence(facts, since_ms, (witness,), LEAK.key))


class Span(msgspec.Struct, frozen=True):
    """What passed from one moment to another."""

    start_ms: int
    end_ms: int
    volume_m3: float

    @property
    def flow_m3h(self) -> float:
        """The mean rate of flow."""
        return self.volume_m3 * HOUR_MS / (self.end_ms - self.start_ms)


class Spans(msgspec.Struct):
    """A register's volumes, collected over spans of a least length: as much as many rules need to see of a meter."""

    register: Register = msgspec.field(default_factory=Register)
    start_ms: int = 0
    volume_m3: float = 0.0
    covered_ms: int = 0
    #: what the last reading was: a gap, a reset, a first one tell nothing of what passed
    broken: bool = False

    def add(self, reading: Reading, context: Context[MeterParams], least_ms: int) -> Span | None:
        """Takes a reading of a volume; the span it closes, if any."""
        usage = usage_of(self.register, reading, context.device, context.params.most_m3h)
        self.broken = usage.told and not usage.flows
        if self.broken:
            self.start_ms, self.volume_m3, self.covered_ms = reading.time_ms, 0.0, 0
            return None
        if not usage.told:
            return None
        self.volume_m3 += usage.moved
        self.covered_ms += usage.elapsed_ms
        if self.covered_ms < least_ms:
            return None
        span = Span(reading.time_ms - self.covered_ms, reading.time_ms, self.volume_m3)
        self.start_ms, self.volume_m3, self.covered_ms = reading.time_ms, 0.0, 0
        return span

    def quiet(self, least_ms: int) -> Quiet | None:
        """A counter need not be seen until its span is full, unless it goes backwards or wildly on."""
        value = self.register.value
        if value is None or self.register.held is not None:
            return None
        full_ms = self.register.time_ms + least_ms - self.covered_ms
        return Quiet(value, value + _WILD_M3, next_look_ms(full_ms - 1, 10 * MINUTE_MS))


def meter_inputs(device: Device) -> Sequence[Input]:
    """The volume of a water meter; nothing for any other device."""
    return (Input(device.id, Quantity.WATER_VOLUME),) if device.kind is Kind.WATER_METER else ()
