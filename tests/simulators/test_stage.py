"""An exercise on the wall's clock: compressed in time and true in its values, the same every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from campus.clock import HOUR_MS, MINUTE_MS, parse_iso
from campus.folder import load_campus
from campus.quantity import Quantity
from simulators.drills.exercise import WARM_UP_MS, exercise
from simulators.errors import NoSuchPlace
from simulators.faults.scenario import read_scenarios

BEGIN_MS = parse_iso("2026-11-23T10:00:00+08:00")


@pytest.fixture(scope="module")
def school():
    return load_campus(Path(__file__).parents[2] / "examples" / "school")


def of(school, name, **changes):
    given = {"begin_ms": BEGIN_MS, "speed": 1, "seed": 1} | changes
    return exercise(school, read_scenarios()[name], **given)


def test_idle_time_is_cut(school):
    """A fault that waits an hour in its file begins after the warm-up; what is expected keeps its distance from it."""
    found = of(school, "burst_main")
    (label,) = found.labels
    assert label.start_ms == BEGIN_MS + WARM_UP_MS
    assert found.last_ms == label.start_ms + 30 * MINUTE_MS
    assert all(copy == f"drill-{real}" for copy, real in found.copies.items())


def test_a_device_can_be_chosen(school):
    """Shadowing one: the scenario happens to its copy; a device it cannot happen to is refused."""
    assert of(school, "freezer_door_open", device="freezer-2").copies == {"drill-freezer-2": "freezer-2"}
    assert "drill-freezer-2" in of(school, "power_cut", device="freezer-2").copies
    with pytest.raises(NoSuchPlace):
        of(school, "freezer_door_open", device="water-t1")


def test_compressed_flows_are_true(school):
    """Sixty times as fast an hour takes a minute; the register moves so much slower that its flow is the real one."""

    def readings(speed):
        stage = of(school, "burst_main", speed=speed, device="water-t1").stage
        end_ms = BEGIN_MS + HOUR_MS // speed
        return [
            one
            for report in stage.run(BEGIN_MS, end_ms)
            for one in report.readings()
            if one.series.quantity is Quantity.WATER_VOLUME
        ]

    slow, fast = readings(1), readings(60)
    assert len(fast) == len(slow)
    assert fast[-1].time_ms - fast[0].time_ms <= MINUTE_MS
    moved = [last.value - first.value for first, last in ((slow[0], slow[-1]), (fast[0], fast[-1]))]
    assert moved[1] == pytest.approx(moved[0] / 60, rel=1e-6)
    assert moved[0] > 5  # the burst is in it


def test_the_same_again(school):
    """The same order gives the same exercise, so that a rehearsal on paper is the exercise itself."""
    runs = [
        [
            (report.time_ms, dict(report.values))
            for report in of(school, "frozen_pipe", speed=60).stage.run(BEGIN_MS, BEGIN_MS + 5 * MINUTE_MS)
        ]
        for _ in range(2)
    ]
    assert runs[0] == runs[1] != []
