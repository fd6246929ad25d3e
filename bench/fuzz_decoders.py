"""Throws broken messages at every decoder: random bytes, and mutated messages of our own and of others where present.

Prints cases, rejections by code, the slowest case and the peak memory. Exits with 1 on any exception that is not a
decoder's own rejection, a value it should not give, a case of more than a second of CPU, or memory without bound.
A case is told by its number alone: ``--case NUMBER`` runs one again and shows it.
"""

from __future__ import annotations

import argparse
import base64
import multiprocessing
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field

from fuzzing.cases import case
from fuzzing.verdict import verdict

from ingest.decoding.contract import Hints

try:
    import resource
except ImportError:  # Windows; memory is then not measured
    resource = None

LONGEST_S = 1.0
MOST_MEMORY_MB = 512
#: cases a process takes at a time
CHUNK = 2_000


@dataclass
class Tally:
    """What became of some cases."""

    cases: Counter = field(default_factory=Counter)
    outcomes: Counter = field(default_factory=Counter)
    slowest: tuple = (0.0, "", -1)
    memory_mb: float = 0.0
    foreign: list = field(default_factory=list)

    def add(self, other):
        self.cases += other.cases
        self.outcomes += other.outcomes
        self.slowest = max(self.slowest, other.slowest)
        self.memory_mb = max(self.memory_mb, other.memory_mb)
        self.foreign += other.foreign


def run_many(numbers):
    """A tally of the cases of those numbers."""
    tally, hints = Tally(), Hints()
    if hasattr(signal, "SIGVTALRM"):
        signal.signal(signal.SIGVTALRM, _too_long)
    for number in numbers:
        name, message = case(number)
        _alarm(LONGEST_S * 5)
        began_s = time.thread_time()
        try:
            outcome = verdict(name, message, hints)
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            outcome = "FOREIGN"
            tally.foreign.append((number, name, traceback.format_exc(limit=-3)))
        finally:
            _alarm(0)
        tally.slowest = max(tally.slowest, (time.thread_time() - began_s, name or "(chosen)", number))
        tally.cases[name or "(chosen)"] += 1
        tally.outcomes[outcome] += 1
    if resource is not None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tally.memory_mb = peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return tally


def _alarm(seconds):
    if hasattr(signal, "SIGVTALRM"):
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def _too_long(_signal, _frame):
    raise TimeoutError(f"more than {LONGEST_S * 5:g} s of CPU")


def table(tally, seconds):
    print(f"{'decoder':<16}{'cases':>10}")
    for name in sorted(tally.cases):
        print(f"{name:<16}{tally.cases[name]:>10,}")
    print(f"{'all':<16}{tally.cases.total():>10,}")
    print(f"\n{'outcome':<22}{'cases':>10}")
    for name, count in tally.outcomes.most_common():
        print(f"{name:<22}{count:>10,}")
    cpu_s, name, number = tally.slowest
    print(f"\nslowest case      {cpu_s * 1000:.1f} ms of CPU ({name}, case {number})")
    print(f"peak memory       {tally.memory_mb:.0f} MiB a process")
    print(f"took              {seconds:.1f} s, {tally.cases.total() / seconds:,.0f} cases/s")


def show(number):
    name, message = case(number)
    print(
        f"case {number}: decoder {name or '(chosen)'}, topic {message.topic!r}, {len(message.payload)} bytes"
    )
    print(base64.b64encode(message.payload[:3000]).decode())
    print(message.payload[:1000])
    print(verdict(name, message, Hints()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--case", type=int, help="run one case again and show it")
    given = parser.parse_args()
    if given.case is not None:
        show(given.case)
        return 0
    tally, began_s, end = Tally(), time.monotonic(), given.seed + given.cases
    chunks = [range(at, min(at + CHUNK, end)) for at in range(given.seed, end, CHUNK)]
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for one in pool.imap_unordered(run_many, chunks):
            tally.add(one)
    table(tally, time.monotonic() - began_s)
    for number, name, trace in sorted(tally.foreign)[:5]:
        print(f"\ncase {number}, decoder {name or '(chosen)'}:\n{trace}")
    bad = tally.foreign or tally.slowest[0] > LONGEST_S or tally.memory_mb > MOST_MEMORY_MB
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
