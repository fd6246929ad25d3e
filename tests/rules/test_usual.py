"""What is usual for a value: that summing up as it goes says what summing up anew would."""

from __future__ import annotations

import random

import msgspec
import pytest

from campus.clock import HOUR_MS
from rules.usual import Hourly, quantile


@pytest.mark.parametrize("restart_every", [1000, 7, 1])
def test_quantiles_are_those_of_the_kept_hours(restart_every):
    """After every hour they are those of the last days' means sorted anew, however often the state was stored."""
    chance, usual, means = random.Random(4), Hourly(), []
    for hour in range(1, 200):
        values = [chance.choice([-1.5, 0.0, 2.25, chance.gauss(0, 3)]) for _ in range(3)]
        for minute, value in enumerate(values):
            usual.add(hour * HOUR_MS + minute, value, learn=True, days=2)
        ordered = sorted(means[-48:])
        if ordered:
            expected = tuple(quantile(ordered, share) for share in (0.1, 0.5, 0.9))
            assert (usual.low, usual.middle, usual.high) == expected
        means.append(round(sum(values) / 3, 3))
        if hour % restart_every == 0:
            usual = msgspec.json.decode(msgspec.json.encode(usual), type=Hourly)
    assert usual.means == means[-49:-1]


def test_fewer_days_forget_at_once():
    """Where the settings keep fewer days than before, the next hour leaves only those."""
    usual = Hourly()
    for hour in range(1, 100):
        usual.add(hour * HOUR_MS, float(hour % 13), learn=True, days=3)
    usual.add(100 * HOUR_MS, 5.0, learn=True, days=1)
    assert usual.means == [float(hour % 13) for hour in range(76, 100)]
    assert usual.middle == quantile(sorted(usual.means), 0.5)
