"""The contract of every time-series store."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from campus.reading import Quality, Reading, Series


class Aggregate(enum.StrEnum):
    """How the readings of one step become one point."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    COUNT = "count"
    FIRST = "first"
    LAST = "last"


class Point(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value at a time; for aggregates *time_ms* is the step's start."""

    time_ms: int
    value: float
    quality: Quality = Quality.GOOD


class StoreInfo(msgspec.Struct, frozen=True):
    """What is in a store; None where it cannot say, or where nothing is in it."""

    series: int
    readings: int | None
    first_ms: int | None
    last_ms: int | None
    size_bytes: int | None


class TimeSeriesStore(Protocol):
    """Where readings are kept. Writing is idempotent on (series, time): a replayed batch changes nothing.

    Steps are aligned to *origin_ms*, so a caller gets local days by passing local midnight; empty steps give no
    point. Every method may raise :class:`store.errors.StoreUnavailable` (try again later).
    """

    def write(self, readings: Sequence[Reading]) -> None:
        """Stores *readings*; of several of one series and time the last wins.

        A reading that will never be taken does not hold up the others: they are stored, then each refused one is
        told to the hook the store was made with, or, without a hook, one
        :class:`store.errors.PointRefused` is raised that carries them all.
        """
        ...

    def latest(self, series: Iterable[Series] | None = None) -> dict[Series, Point]:
        """The newest point of each series asked for; of all series where None."""
        ...

    def series(self, device: str | None = None) -> list[Series]:
        """Every series stored (of one device), sorted."""
        ...

    def query(
        self,
        series: Series,
        start_ms: int,
        end_ms: int,
        *,
        step_ms: int = 0,
        aggregate: Aggregate = Aggregate.MEAN,
        origin_ms: int = 0,
        limit: int = 100_000,
    ) -> list[Point]:
        """Points with ``start_ms <= time_ms < end_ms``, raw where *step_ms* is 0, oldest first."""
        ...

    def delete_before(self, time_ms: int) -> int:
        """Forgets all readings older than *time_ms*; returns how many (0 where the store cannot count).

        Raises :class:`store.errors.Unsupported` where the store's server alone decides what it keeps.
        """
        ...

    def info(self) -> StoreInfo:
        """How much is in it, and of which time."""
        ...

    def close(self) -> None: ...
