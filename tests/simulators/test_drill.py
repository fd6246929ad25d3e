"""Drill devices beside real ones: every format takes their addresses, and nothing is said in a real device's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from campus.campus import Campus
from campus.clock import HOUR_MS, parse_iso
from campus.errors import UnknownDevice
from campus.folder import load_campus
from ingest.message import Message
from ingest.message_reader import MessageReader
from simulators.campus.world import World
from simulators.drills.copies import drill_campus, is_drill
from simulators.faults.scenario import read_scenarios

START_MS = parse_iso("2026-11-23T10:00:00+08:00")


@pytest.fixture(scope="module")
def school():
    return load_campus(Path(__file__).parents[2] / "examples" / "school")


def test_drill_devices_go_the_real_road(school):
    """Each copy's messages are read as its own, with the register of the school and the drill together."""
    speaking = [one.id for one in school.devices.values() if one.decoder]
    drill = drill_campus(school, speaking)
    both = Campus(site=school.site, devices=[*school.devices.values(), *drill.devices.values()])
    judge, seen = MessageReader(lambda: both), set()
    for report in World(drill, seed=1).everyone(START_MS):
        for one in report.publications(drill.site):
            judgement = judge(Message(one.topic, one.payload, START_MS))
            assert judgement.held == (), one
            seen |= {reading.series.device for reading in judgement.readings}
    assert seen == {f"drill-{one}" for one in speaking}
    assert all(is_drill(one) for one in seen)
    assert not any(is_drill(one) for one in school.devices)
    assert drill.device("drill-water-dorm-1f").parent == "drill-water-dorm"


def test_a_scenario_happens_to_the_copy(school):
    """Found on the real campus, run on drill devices: the labels name them, and the freezer warms up."""
    scenario = read_scenarios()["freezer_door_open"]
    (meant,) = World(school, seed=1).begin(scenario, START_MS)
    drill = drill_campus(school, meant.devices)
    world = World(drill, seed=1)
    (label,) = world.begin(scenario, START_MS)
    assert label.devices == tuple(f"drill-{one}" for one in meant.devices)
    assert label.expect[0].subjects == label.devices
    warm = [
        reading.value
        for reading in world.readings(START_MS, START_MS + 3 * HOUR_MS)
        if reading.series.quantity == "temperature"
    ]
    assert warm[0] < -17
    assert max(warm) > -8


def test_only_devices_of_the_register(school):
    """What is not in the register cannot be shadowed."""
    with pytest.raises(UnknownDevice):
        drill_campus(school, ["freezer-99"])
