"""How a register can have come from one value to another within a time, if it can at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from campus.clock import HOUR_MS
from campus.meter.meter import Meter
from campus.meter.step import Event

#: a register wraps from its last tenth into its first (DOMAIN.md 1.1)
_LAST, _FIRST = 0.9, 0.1
#: where the width is guessed, only from its last thousandth: a reboot by chance there is one in a thousand
_GUESSED_LAST = 0.999


class Movement(NamedTuple):
    """*amount* the register went: forward, or back where negative."""

    event: Event
    amount: float


def movement(last: float, value: float, elapsed_ms: int, meter: Meter, owed: float = 0.0) -> Movement | None:
    """The likeliest way from *last* to *value*, None where there is no believable one.

    *owed* is how far *last* already lies below the highest the register has been: many small steps back together are
    judged as one large one.
    """
    bound = meter.most_per_hour * elapsed_ms / HOUR_MS + meter.tolerance
    moved = value - last
    if 0.0 <= moved <= bound:
        return Movement(Event.NORMAL, moved)
    if moved < 0.0:
        return _around(last, value, bound, meter) or _back(-moved, value, bound, meter, owed)
    return _below_zero(last, value, bound, meter, owed)


def bounded(amount: float, elapsed_ms: int, meter: Meter) -> bool:
    """Whether *amount* can have passed within *elapsed_ms*."""
    return -meter.tolerance <= amount <= meter.most_per_hour * elapsed_ms / HOUR_MS + meter.tolerance


def _around(last: float, value: float, bound: float, meter: Meter) -> Movement | None:
    for modulus, share in _moduli(meter):
        if share * modulus < last <= modulus and value < _FIRST * modulus:
            amount = modulus - last + value
            if amount <= bound:
                return Movement(Event.ROLLOVER, amount)
    return None


def _moduli(meter: Meter) -> Iterator[tuple[float, float]]:
    if meter.modulus:
        yield meter.modulus, _LAST
    else:
        for width in meter.widths:
            yield width, _GUESSED_LAST


def _back(down: float, value: float, bound: float, meter: Meter, owed: float) -> Movement | None:
    if owed + down <= meter.tolerance:
        return Movement(Event.JITTER, -down)
    near_zero = value <= meter.tolerance  # there a register begins anew; water flowing back seldom ends there
    if not near_zero and owed + down <= meter.most_backflow and down <= bound:
        return Movement(Event.BACKFLOW, -down)
    return None


def _below_zero(last: float, value: float, bound: float, meter: Meter, owed: float) -> Movement | None:
    """A new meter turned back a litre shows 99999.999."""
    modulus = meter.modulus
    if modulus and last < _FIRST * modulus and _LAST * modulus < value <= modulus:
        down = modulus - value + last
        if owed + down <= max(meter.most_backflow, meter.tolerance) and down <= bound:
            return Movement(Event.BACKFLOW, -down)
    return None
