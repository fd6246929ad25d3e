"""One register read over time: the state between its readings, and what each new one means."""

from __future__ import annotations

import math

import msgspec

from campus.clock import DAY_MS, HOUR_MS
from campus.device import MeterSwap
from campus.meter.meter import Meter
from campus.meter.movement import Movement, bounded, movement
from campus.meter.step import Event, Reason, Step
from campus.meter.swap import between, near

#: a register that comes back to where it was within so long was misread in between (a digit of a camera)
_MISREAD_MS = DAY_MS
#: two rates are alike within this factor
_ALIKE = 2.0


class Held(msgspec.Struct, frozen=True, gc=False):
    """A reading that is not believed alone."""

    value: float
    time_ms: int


class Former(msgspec.Struct, frozen=True, gc=False):
    """Where the register was when it was left for another, and the total then."""

    value: float
    time_ms: int
    total: float


class Register(msgspec.Struct):
    """The memory of one register, small and JSON; fed in two parts with its state stored between, it says the same.

    *total* is what has passed since the first reading; it never falls. *owed* is how far the register lies below the
    highest it has been: that much has to pass before anything counts again, so nothing counts twice.
    """

    value: float | None = None
    time_ms: int = 0
    total: float = 0.0
    owed: float = 0.0
    #: the smallest step seen
    finest: float = 0.0
    held: Held | None = None
    former: Former | None = None
    swapped_ms: int = 0

    def read(self, value: float, time_ms: int, meter: Meter) -> Step:
        """Moves on to *value*. The common case is written out here, as every counter's reading passes it."""
        last = self.value
        if last is not None and self.held is None and not self.owed and not meter.swaps:
            since_ms = self.time_ms
            elapsed_ms, moved = time_ms - since_ms, value - last
            if (
                moved >= 0.0
                and 0 < elapsed_ms <= meter.gap_ms
                and (moved - meter.tolerance) * HOUR_MS <= meter.most_per_hour * elapsed_ms
            ):
                if moved and (moved < self.finest or not self.finest):
                    self.finest = moved
                self.value, self.time_ms = value, time_ms
                self.total += moved
                return Step(Event.NORMAL, moved, since_ms, time_ms, None, moved)
        return self._judge(value, time_ms, meter)

    def resolution(self, meter: Meter) -> float:
        """The register's step: given, else the smallest one seen."""
        return round(self.finest, 9) if meter.learns and self.finest else meter.step

    def _judge(self, value: float, time_ms: int, meter: Meter) -> Step:
        if not math.isfinite(value):
            return Step(Event.STALE)
        last = self.value
        if last is None:
            self.value, self.time_ms = value, time_ms
            return Step(Event.FIRST, 0.0, time_ms, time_ms)
        if time_ms <= (self.held.time_ms if self.held else self.time_ms):
            return Step(Event.STALE)
        own = movement(last, value, time_ms - self.time_ms, meter, self.owed)
        for swap in near(meter.swaps, self.swapped_ms, self.time_ms, time_ms):
            swapped = self._swap(swap, value, time_ms, own, meter)
            if swapped is not None:
                return swapped
        if self.held is not None:
            return self._settle(self.held, own, value, time_ms, meter)
        if own is not None:
            return self._go(own, value, time_ms, meter)
        return self._hold(value, time_ms)

    def _go(
        self, own: Movement, value: float, time_ms: int, meter: Meter, event: Event | None = None
    ) -> Step:
        """On along the same register, forward or back."""
        amount, owed = own.amount, self.owed
        volume = max(0.0, amount - owed)
        self.owed = max(0.0, owed - amount)
        if own.event is Event.NORMAL and amount and (amount < self.finest or not self.finest):
            self.finest = amount
        moved = max(0.0, amount) if owed > meter.tolerance else volume
        backflow = -amount if own.event is Event.BACKFLOW else 0.0
        reason = Reason.GAP if time_ms - self.time_ms > meter.gap_ms else None
        return self._take(
            Step(event or own.event, volume, self.time_ms, time_ms, reason, moved, backflow), value
        )

    def _hold(self, value: float, time_ms: int) -> Step:
        self.held = Held(value, time_ms)
        return Step(Event.HELD, 0.0, self.time_ms, time_ms)

    def _settle(self, held: Held, own: Movement | None, value: float, time_ms: int, meter: Meter) -> Step:
        """One more reading decides whether the held one was a misread or the register's new place.

        Over a gap much can have passed: there a reading above a held higher one confirms that, as a misread would not
        have been followed up.
        """
        last = self.value or 0.0
        other = movement(held.value, value, time_ms - held.time_ms, meter)
        after_gap = held.value > last and time_ms - self.time_ms > meter.gap_ms
        if own is not None and (other is None or not (after_gap or own.event is Event.BACKFLOW)):
            plain = own.event is Event.NORMAL and not last <= held.value <= value
            return self._go(own, value, time_ms, meter, Event.GLITCH if plain else None)
        if other is not None:
            return self._confirm(held, other, value, time_ms, meter)
        if self._rises_on(last, held, value, time_ms):
            volume = max(0.0, value - last - self.owed)
            self.owed = 0.0
            step = Step(Event.ABOVE_MOST, volume, self.time_ms, time_ms, Reason.ABOVE_MOST, value - last, 0.0)
            return self._take(step, value)
        return self._hold(value, time_ms)

    def _rises_on(self, last: float, held: Held, value: float, time_ms: int) -> bool:
        """Whether it climbs twice at the like rate: then more flows than the meter is said to pass."""
        if not last < held.value < value:
            return False
        before = (held.value - last) / (held.time_ms - self.time_ms)
        since = (value - held.value) / (time_ms - held.time_ms)
        return before <= _ALIKE * since and since <= _ALIKE * before

    def _confirm(self, held: Held, other: Movement, value: float, time_ms: int, meter: Meter) -> Step:
        """The register stands elsewhere now. What passed before it did is not known, so it is not invented."""
        last = self.value or 0.0
        returned = self._returned(held, other, value, time_ms, meter)
        if returned is not None:
            return returned
        anew = held.value < last
        volume = max(0.0, other.amount)
        if anew and meter.restarts and bounded(held.value, held.time_ms - self.time_ms, meter):
            volume += max(0.0, held.value)  # counted since the device began again at 0
        self.former = Former(last + self.owed, self.time_ms, self.total)
        self.owed = max(0.0, -other.amount)
        event, reason = (Event.RESET, Reason.RESET) if anew else (Event.JUMP, Reason.JUMP)
        return self._take(Step(event, volume, self.time_ms, time_ms, reason, volume), value)

    def _returned(self, held: Held, other: Movement, value: float, time_ms: int, meter: Meter) -> Step | None:
        """Back on the register it was on before: what it moved meanwhile is known after all."""
        former, self.former = self.former, None
        if former is None or held.time_ms - former.time_ms > _MISREAD_MS:
            return None
        passed = held.value - former.value
        if not bounded(passed, held.time_ms - former.time_ms, meter):
            return None
        ahead = passed + other.amount - (self.total - former.total)
        volume, self.owed = max(0.0, ahead), max(0.0, -ahead)
        return self._take(Step(Event.GLITCH, volume, self.time_ms, time_ms, Reason.JUMP, volume), value)

    def _swap(
        self, swap: MeterSwap, value: float, time_ms: int, own: Movement | None, meter: Meter
    ) -> Step | None:
        """The swap, where the readings bear it out: the old register up to its end, the new one from its start."""
        last, elapsed_ms = self.value or 0.0, time_ms - min(self.time_ms, swap.time_ms)
        old = movement(last, swap.end, elapsed_ms, meter, self.owed)
        new = movement(swap.start, value, elapsed_ms, meter)
        as_written = old is not None and between(swap, self.time_ms, time_ms)
        if new is None or not (as_written or own is None):
            return None
        volume = max(0.0, new.amount) + (max(0.0, old.amount - self.owed) if old is not None else 0.0)
        reason = Reason.SWAP if old is None else None
        if reason is None and time_ms - self.time_ms > meter.gap_ms:
            reason = Reason.GAP
        self.owed, self.swapped_ms = max(0.0, -new.amount), swap.time_ms
        return self._take(Step(Event.SWAP, volume, self.time_ms, time_ms, reason, volume), value)

    def _take(self, step: Step, value: float) -> Step:
        self.value, self.time_ms, self.held = value, step.until_ms, None
        self.total += step.volume
        return step
