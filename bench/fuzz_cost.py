"""Searches for slow messages: every place of one blown up in some fifty ways, for every decoder, and topics and names, too.

Prints what a byte costs at worst in time and memory, and how the cost grows as the size doubles. Exits with 1 where it
grows faster than the size, or where a message of the size given takes more than a second.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from bench.fuzzing.cost import peak_bytes, seconds
from bench.fuzzing.shapes import LEVELS, VALUES, shapes
from ingest.decoding.reading.lexicon import words
from ingest.decoding.reading.names import loosely, meaning
from ingest.decoding.registry import decoder_names

LONGEST_S = 1.0
#: twice the size costs twice as much; what grows with the square costs four times as much
GROWTH = 3.2
#: less is not measured well enough to be compared
LEAST_S = 0.02
#: memory is measured where the time is, at least, this much a byte, as measuring it takes long
WORTH_A_LOOK_S = 2e-7


@dataclass
class Row:
    """The worst of one decoder."""

    decoder: str
    shapes: int = 0
    cost_s: float = 0.0
    slowest: str = ""
    growth: float = 0.0
    growing: str = ""
    memory: float = 0.0
    hungriest: str = ""
    longest_s: float = 0.0


def measured(decoder, size):
    """What the shapes of *decoder* cost at *size* bytes, and at half of it."""
    row = Row(decoder)
    for shape in shapes(decoder):
        row.shapes += 1
        message = shape.make(size)
        length = len(message.payload) + len(message.topic)
        cost_s = seconds(shape, message)
        row.longest_s = max(row.longest_s, cost_s)
        if cost_s / length > row.cost_s and length > size // 10:
            row.cost_s, row.slowest = cost_s / length, f"{shape.place} {shape.what}"
        if cost_s > LEAST_S:
            growth = seconds(shape, message, times=3) / seconds(shape, shape.make(size // 2), times=3)
            if growth > row.growth:
                row.growth, row.growing = growth, f"{shape.place} {shape.what}"
        if cost_s / length > WORTH_A_LOOK_S and length > size // 10:
            peak = peak_bytes(shape, message) / length
            if peak > row.memory:
                row.memory, row.hungriest = peak, f"{shape.place} {shape.what}"
    return row


def names_cost():
    """What the longest names cost, in µs a name, for each way to make one."""
    for what, make in (LEVELS | {key: VALUES[key] for key in ("text of words", "text of dates")}).items():
        for size in (64, 160, 500):
            name = str(make(size))[:size]
            began_s = time.thread_time()
            for _ in range(20):
                words(name)
                meaning.__wrapped__(name)
                loosely.__wrapped__(name)
            yield what, size, (time.thread_time() - began_s) / 20 * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=32_000, help="bytes of what is blown up")
    parser.add_argument("--decoder", help="only this one")
    given = parser.parse_args()
    bad = False
    print(f"{'decoder':<19}{'shapes':>7}{'µs/byte':>9}{'growth':>8}{'bytes/byte':>12}  slowest; hungriest")
    for decoder in [given.decoder] if given.decoder else decoder_names():
        row = measured(decoder, given.size)
        print(
            f"{decoder:<19}{row.shapes:>7}{row.cost_s * 1e6:>9.2f}{row.growth:>8.2f}{row.memory:>12.0f}"
            f"  {row.slowest}; {row.hungriest}",
            flush=True,
        )
        if row.growth > GROWTH:
            print(f"{'':<19}grows faster than the size: {row.growing}")
        bad = bad or row.growth > GROWTH or row.longest_s > LONGEST_S
    print(f"\n{'name of':<26}{'64':>8}{'160':>8}{'500 characters, µs':>22}")
    by_kind = {}
    for what, _, cost_us in names_cost():
        by_kind.setdefault(what, []).append(cost_us)
    for what, costs in by_kind.items():
        print(f"{what:<26}{costs[0]:>8.0f}{costs[1]:>8.0f}{costs[2]:>22.0f}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
