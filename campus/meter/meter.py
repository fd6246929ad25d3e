"""What is known of one register before its first reading: its unit step, where it wraps, what it can pass at most."""

from __future__ import annotations

import msgspec

from campus.clock import HOUR_MS, SECOND_MS
from campus.device import Device, MeterSwap
from campus.quantity import Quantity

#: a step back of up to so many steps of the register is noise ("a few steps", DOMAIN.md 1.1)
_JITTER_STEPS = 5
#: one of up to so many steps is water that flowed back; more is another register (assumed: 1 m3 at 1 L)
_BACKFLOW_STEPS = 1_000
#: a distance longer than this, or than three reporting intervals, is a gap
_SHORTEST_GAP_MS = 2 * HOUR_MS
#: counters in pulse loggers are unsigned 16, 24 (Dragino CPL03) or 32 bit wide
_COUNTER_WIDTHS = (2.0**16, 2.0**24, 2.0**32)
_VOLTS_KV = 0.23
_PHASES = 3


class _Usual(msgspec.Struct, frozen=True):
    """What holds for a quantity where the device does not say: the finest step, and the most in an hour."""

    step: float
    most_per_hour: float


#: *step*: what such meters show at the finest. *most_per_hour*: more than any one meter of a school passes (assumed):
#: water DN150 with Q4 200 m3/h, gas G250, a 2,000 kVA transformer, 16 pulses a second (30 ms each, DIN 43864), 6,000 A.
_USUAL = {
    Quantity.WATER_VOLUME: _Usual(0.001, 200.0),
    Quantity.WATER_BACKFLOW_VOLUME: _Usual(0.001, 200.0),
    Quantity.GAS_VOLUME: _Usual(0.001, 400.0),
    Quantity.ENERGY: _Usual(0.01, 2_000.0),
    Quantity.PULSE_COUNT: _Usual(1.0, 57_600.0),
    Quantity.CHARGE_TOTAL: _Usual(0.01, 6_000.0),
}


class Meter(msgspec.Struct, frozen=True):
    """How to read one register, in its canonical unit.

    *step* is its smallest step, or where nobody said so (*learns*) the usual one until the register shows its own;
    *modulus* where it starts again at 0 (0: not known); *most_per_hour* what can pass at most (Q4 of ISO 4064 for
    water, the connected load for energy); *tolerance* the step back that is noise; *most_backflow* the one that can
    be real; *gap_ms* the distance of two readings from which their difference is no flow any more. *restarts* says
    that it counts pulses in a device that begins again at 0 with a new battery; *widths* are where such a counter may
    wrap without anybody having said so.
    """

    step: float = 0.001
    learns: bool = True
    modulus: float = 0.0
    most_per_hour: float = 200.0
    tolerance: float = 0.005
    most_backflow: float = 1.0
    gap_ms: int = _SHORTEST_GAP_MS
    restarts: bool = False
    widths: tuple[float, ...] = ()
    swaps: tuple[MeterSwap, ...] = ()


def meter_of(device: Device, quantity: Quantity, *, most_per_hour: float = 0.0) -> Meter:
    """The register behind *quantity* of *device*; *most_per_hour* bounds it where the device says nothing."""
    usual = _USUAL.get(quantity, _Usual(0.001, 1e9))
    pulses = device.pulse_weight > 0 or quantity is Quantity.PULSE_COUNT
    weight = 1.0 if quantity is Quantity.PULSE_COUNT else device.pulse_weight
    step = weight or usual.step
    return Meter(
        step=step,
        learns=not weight,
        modulus=device.register_modulus,
        most_per_hour=device.most_per_hour
        or most_per_hour
        or _load_kw(device, quantity)
        or usual.most_per_hour,
        tolerance=_JITTER_STEPS * step,
        most_backflow=0.0 if pulses else _BACKFLOW_STEPS * step,
        gap_ms=max(_SHORTEST_GAP_MS, int(3 * device.interval_s * SECOND_MS)),
        restarts=pulses,
        widths=tuple(width * weight for width in _COUNTER_WIDTHS) if pulses else (),
        swaps=device.swaps,
    )


def counts(quantity: Quantity) -> bool:
    """Whether this arithmetic applies to *quantity*."""
    return quantity in _USUAL


def _load_kw(device: Device, quantity: Quantity) -> float:
    """Three phases at twice the rated current: more than a breaker carries for long."""
    return 2 * _PHASES * _VOLTS_KV * device.rated_current_a if quantity is Quantity.ENERGY else 0.0
