"""A known consumption through a meter that wraps, resets, trembles, misreads, is replaced, and loses its messages."""

import itertools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from campus.clock import MINUTE_MS
from campus.device import MeterSwap
from campus.meter.consumption import consumption
from campus.meter.meter import Meter
from campus.meter.register import Register

START_MS = 1_795_233_600_000
MODULUS_STEPS = 1_000_000

#: what happens at a reading, and what passed before it in tenths of a step: less than the meter can pass
ACTIONS = ("", "", "", "", "", "", "lost", "twice", "old", "tremble", "misread", "reset", "swap")
HISTORY = st.lists(st.tuples(st.integers(0, 900), st.sampled_from(ACTIONS)), min_size=2, max_size=60)


class Simulated:
    """A meter with a true index in fine units (a tenth of a step), and all that comes of it.

    *unknown* is what passed where no register could tell: between the last reading of one that was reset and the reset;
    *allowed* what a truth may be off by: a step of the register for each time it is read anew.
    """

    def __init__(self, resolution, start, history):
        self.resolution = resolution
        self.points, self.swaps = [], []
        self.used = self.unknown = 0.0
        self.allowed = resolution
        self.true = start * resolution
        self.since_known = 0.0
        self.quiet = True
        for minute, (tenths, action) in enumerate(history):
            self.minute(START_MS + minute * MINUTE_MS, tenths * resolution / 10, action)
        self.end_ms = START_MS + len(history) * MINUTE_MS

    def minute(self, time_ms, used, action):
        # The first two readings and those around a misread are plain: each misread has a good one on either side.
        action = action if len(self.points) > 1 and (self.quiet or action in {"", "twice"}) else ""
        if action == "reset" and self.shown() > self.modulus - 10_000 * self.resolution:
            action = ""  # so close to its end, a register at 0 may as well have wrapped
        self.quiet = action not in {"misread", "reset"}
        if self.points:
            self.used += used
            self.true += used
            self.since_known += used
        if action == "reset":
            self.unknown += self.since_known
            if self.shown() <= 1_000 * self.resolution:  # so close to its start, it may as well have run back
                self.unknown += self.shown()
            self.allowed += 2 * self.resolution
            self.true = 0.0
        elif action == "swap":
            start = 20_000 * self.resolution
            self.swaps.append(MeterSwap(time_ms=time_ms, end=self.shown(), start=start))
            self.true = start
            self.allowed += 2 * self.resolution
        if action == "lost":
            return
        self.send(time_ms, action)

    def send(self, time_ms, action):
        shown = self.shown()
        if action == "misread":
            self.points.append((time_ms, round((shown + 0.43 * self.modulus) % self.modulus, 9)))
            return
        if action == "tremble" and shown > 10 * self.resolution:
            self.allowed = max(self.allowed, 6 * self.resolution)
            shown = round(shown - 4 * self.resolution, 9)
        else:
            self.since_known = 0.0
        self.points.append((time_ms, shown))
        if action == "twice":
            self.points.append((time_ms, shown))
        if action == "old":
            self.points.append(self.points[-2])

    @property
    def modulus(self):
        return MODULUS_STEPS * self.resolution

    def shown(self):
        """The register cut to its step and wrapped."""
        return round(int(self.true / self.resolution + 1e-6) % MODULUS_STEPS * self.resolution, 9)

    def meter(self):
        return Meter(
            step=self.resolution,
            learns=False,
            modulus=self.modulus,
            most_per_hour=100 * 60 * self.resolution,
            tolerance=5 * self.resolution,
            most_backflow=1_000 * self.resolution,
            swaps=tuple(self.swaps),
        )


SIMULATED = st.builds(
    Simulated,
    st.sampled_from([0.0001, 0.001, 0.01, 0.1, 1.0]),
    st.sampled_from([0, 5_000, 123_456, 999_000, 999_990]),
    HISTORY,
)


def fed(register, points, meter):
    return [register.read(value, time_ms, meter) for time_ms, value in points]


@settings(max_examples=300, deadline=None)
@given(SIMULATED)
def test_the_total_is_the_truth(simulated):
    """Within a step an event, and without what no reading could know; never more than truly passed."""
    register = Register()
    fed(register, simulated.points, simulated.meter())
    for minute in (1, 2):  # plain readings settle what was held
        register.read(simulated.shown(), simulated.end_ms + minute * MINUTE_MS, simulated.meter())
    slack = simulated.allowed + 1e-6
    assert register.total <= simulated.used + slack
    assert register.total >= simulated.used - simulated.unknown - slack


@settings(max_examples=200, deadline=None)
@given(SIMULATED)
def test_nothing_is_negative_and_the_sum_never_falls(simulated):
    """Each volume is 0 or more, their sum is the register's total, and told steps follow each other without a hole."""
    register = Register()
    totals, found = [], []
    for time_ms, value in simulated.points:
        found.append(register.read(value, time_ms, simulated.meter()))
        totals.append(register.total)
    assert all(step.volume >= 0 and step.moved >= 0 and step.backflow >= 0 for step in found)
    assert all(a <= b for a, b in itertools.pairwise(totals))
    assert abs(sum(step.volume for step in found) - register.total) < 1e-6
    told = [step for step in found if step.told]
    assert all(a.until_ms == b.since_ms for a, b in itertools.pairwise(told))


@settings(max_examples=200, deadline=None)
@given(SIMULATED, st.integers(0, 60))
def test_a_restart_changes_nothing(simulated, cut):
    """Fed in two parts, with the state stored as JSON between them, the steps are the same."""
    meter = simulated.meter()
    whole, first = Register(), Register()
    expected = fed(whole, simulated.points, meter)
    found = fed(first, simulated.points[:cut], meter)
    stored = msgspec.json.encode(first)
    second = msgspec.json.decode(stored, type=Register)
    found += fed(second, simulated.points[cut:], meter)
    assert found == expected
    assert msgspec.json.encode(second) == msgspec.json.encode(whole)
    assert len(stored) < 400


@settings(max_examples=200, deadline=None)
@given(SIMULATED, st.integers(1, 20))
def test_periods_hold_all_of_it(simulated, minutes):
    """However the time is cut, the periods' sum is the total, and no part of it is inferred twice."""
    register = Register()
    found = fed(register, simulated.points, simulated.meter())
    end_ms = register.time_ms + MINUTE_MS
    edges_ms = list(range(START_MS, end_ms + minutes * MINUTE_MS, minutes * MINUTE_MS))
    uses = consumption(found, edges_ms)
    assert abs(sum(use.volume for use in uses) - register.total) < 1e-6
    assert all(-1e-12 <= use.inferred <= use.volume + 1e-9 for use in uses)
    assert all(use.covered_ms <= use.end_ms - use.start_ms for use in uses)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-5, 300), st.floats(allow_nan=True, allow_infinity=True, width=32)), max_size=40
    ),
    st.sampled_from([Meter(), Meter(modulus=1000), Meter(restarts=True, widths=(655.36,), most_backflow=0)]),
)
def test_no_sequence_breaks_it(readings, meter):
    """Whatever a device sends, in whatever order, no volume is negative or no number, and the state stays JSON."""
    register = Register()
    for minute, value in readings:
        step = register.read(value, START_MS + minute * MINUTE_MS, meter)
        assert step.volume >= 0
    assert register.total < float("inf")
    assert msgspec.json.decode(msgspec.json.encode(register), type=Register) == register
