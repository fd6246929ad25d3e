"""Measures the arithmetic of registers: readings a second on one core, for a plain register and for a troubled one."""

from __future__ import annotations

import random
import time

from campus.meter.consumption import consumption, steps
from campus.meter.flow import Flow
from campus.meter.meter import Meter
from campus.meter.register import Register

READINGS = 300_000
METER = Meter(modulus=10_000, most_per_hour=5)


def plain(rng):
    """A register in steps of a litre, every minute, wrapping now and then."""
    total, readings = 9_990.0, []
    for minute in range(READINGS):
        total += rng.choice((0.0, 0.0, 0.001, 0.012, 0.03))
        readings.append((minute * 60_000 + 1, round(total % 10_000, 3)))
    return readings


def troubled(rng):
    """The same before a camera: one reading in five trembles, one in fifty is misread."""
    return [
        (time_ms, round(rng.choice((value,) * 40 + (max(0.0, value - 0.003),) * 10 + (value / 2,)), 3))
        for time_ms, value in plain(rng)
    ]


def timed(name, call):
    rates = []
    for _ in range(3):
        begin = time.perf_counter()
        call()
        rates.append(READINGS / (time.perf_counter() - begin))
    print(f"{name:<28}" + "".join(f"{rate:>12,.0f}" for rate in rates) + "  readings/s")


def read(readings):
    register = Register()
    for time_ms, value in readings:
        register.read(value, time_ms, METER)


def with_flow(readings):
    register, flow = Register(), Flow()
    for time_ms, value in readings:
        flow.add(register.read(value, time_ms, METER))
        flow.against(1.0, 0.001)


def by_hour(readings):
    edges_ms = list(range(0, readings[-1][0] + 3_600_000, 3_600_000))
    consumption(steps(Register(), readings, METER), edges_ms)


def main():
    rng = random.Random(1)
    good, bad = plain(rng), troubled(rng)
    timed("register", lambda: read(good))
    timed("register, troubled", lambda: read(bad))
    timed("register and flow", lambda: with_flow(good))
    timed("consumption by hour", lambda: by_hour(good))


if __name__ == "__main__":
    main()
