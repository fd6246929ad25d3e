"""From a cumulative register to consumption, truthfully (DOMAIN.md 1.1)."""

from __future__ import annotations

import enum

import msgspec

from campus.clock import HOUR_MS


class Step(enum.StrEnum):
    """What happened between two readings of a register."""

    FIRST = "first"
    NORMAL = "normal"
    JITTER = "jitter"
    ROLLOVER = "rollover"
    RESET = "reset"
    IMPOSSIBLE = "impossible"
    GAP = "gap"


class Usage(msgspec.Struct, frozen=True):
    """*volume* passed within *elapsed_ms*, and how that is known."""

    kind: Step
    volume: float = 0.0
    elapsed_ms: int = 0

    @property
    def per_hour(self) -> float:
        """The mean rate over the interval."""
        return self.volume * HOUR_MS / self.elapsed_ms if self.elapsed_ms else 0.0


class Register(msgspec.Struct):
    """The last good value of a register, and a higher one that waits to be confirmed."""

    value: float | None = None
    time_ms: int = 0
    doubtful: float | None = None

    def step(
        self,
        value: float,
        time_ms: int,
        *,
        modulus: float,
        tolerance: float,
        most_per_hour: float,
        gap_ms: int,
    ) -> Usage:
        """Moves to *value*; never gives a negative volume, nor one faster than *most_per_hour*."""
        if self.value is None:
            return self._take(Usage(Step.FIRST), value, time_ms)
        elapsed_ms = time_ms - self.time_ms
        if elapsed_ms <= 0:
            return Usage(Step.JITTER)
        if value < self.value:
            return self._backwards(value, time_ms, elapsed_ms, modulus, tolerance, most_per_hour)
        volume = value - self.value
        if volume * HOUR_MS > most_per_hour * elapsed_ms and volume > tolerance:
            return self._jump(value, time_ms)
        kind = Step.GAP if elapsed_ms > gap_ms else Step.NORMAL
        return self._take(Usage(kind, volume, elapsed_ms), value, time_ms)

    def _backwards(
        self,
        value: float,
        time_ms: int,
        elapsed_ms: int,
        modulus: float,
        tolerance: float,
        most_per_hour: float,
    ) -> Usage:
        last = self.value or 0.0
        if last - value <= tolerance:
            return Usage(Step.JITTER)
        around = modulus - last + value
        if (
            modulus
            and last > 0.9 * modulus
            and value < 0.1 * modulus
            and around * HOUR_MS <= most_per_hour * elapsed_ms
        ):
            return self._take(Usage(Step.ROLLOVER, around, elapsed_ms), value, time_ms)
        return self._take(Usage(Step.RESET), value, time_ms)

    def _jump(self, value: float, time_ms: int) -> Usage:
        """A jump counts as a new base once a second reading stands near it; the volume between is not invented."""
        confirmed = self.doubtful is not None and value >= self.doubtful
        if confirmed:
            return self._take(Usage(Step.RESET), value, time_ms)
        self.doubtful = value
        return Usage(Step.IMPOSSIBLE)

    def _take(self, usage: Usage, value: float, time_ms: int) -> Usage:
        self.value, self.time_ms, self.doubtful = value, time_ms, None
        return usage
