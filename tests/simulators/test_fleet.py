"""The simulated school: the same seed gives the same messages, and every one is understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from campus.folder import load_campus
from campus.quantity import Quantity
from ingest.message import Message
from ingest.message_reader import MessageReader
from service.runtime.demo import DRILL_FREEZER, demo_campus
from simulators.campus.world import World
from simulators.drills.copies import is_drill
from simulators.drills.freezer import DrillFreezer

START_MS = 1_795_233_600_000


@pytest.fixture(scope="module")
def school():
    return load_campus(Path(__file__).parents[2] / "examples" / "school")


def published(school, seed, minutes=30):
    world = World(school, seed=seed)
    return [
        (report.sent_ms, one)
        for report in world.run(START_MS, START_MS + minutes * MINUTE_MS)
        for one in report.publications(school.site)
    ]


def test_the_same_seed_gives_the_same_campus(school):
    """To the byte; another seed gives another one."""
    assert published(school, 1, 5) == published(school, 1, 5)
    assert published(school, 1, 5) != published(school, 2, 5)


def test_every_message_is_understood(school):
    """Each device speaks its real format, and every value comes through ingest as it was meant."""
    judge = MessageReader(lambda: school)
    seen = set()
    world = World(school, seed=3)
    for report in world.run(START_MS, START_MS + 10 * MINUTE_MS):
        found = {}
        for one in report.publications(school.site):
            judgement = judge(Message(one.topic, one.payload, report.sent_ms))
            assert judgement.held == (), one
            assert judgement.readings
            found |= {reading.series: reading.value for reading in judgement.readings}
        for reading in report.readings():
            if reading.series in found:
                assert found[reading.series] == pytest.approx(reading.value, rel=0.02, abs=0.06), reading
        seen |= {series.device for series in found}
    assert seen == {device.id for device in school.devices.values() if device.decoder}


def test_physics_stay_plausible(school):
    """Over a day registers only count up, freezers stay cold, the parent meter is the sum of its children."""
    world = World(school, seed=5)
    totals, coldest, warmest = {}, 100.0, -100.0
    for reading in world.readings(START_MS, START_MS + 24 * HOUR_MS):
        device, quantity = reading.series.device, reading.series.quantity
        if quantity is Quantity.WATER_VOLUME and reading.received_ms == reading.time_ms:
            assert reading.value >= totals.get(device, 0)
            totals[device] = reading.value
        if device == "freezer-1" and quantity is Quantity.TEMPERATURE:
            coldest, warmest = min(coldest, reading.value), max(warmest, reading.value)
    parent = world.fleet.devices["water-main"].model
    children = [world.fleet.devices[one.id].model for one in school.children("water-main")]
    assert all(one.total_m3 > 0 for one in children)
    assert parent.total_m3 == pytest.approx(sum(one.total_m3 for one in children), abs=0.2)
    assert coldest > -26
    assert warmest < 6


def test_the_drill_freezer_warms_up_soon():
    """Within ten seconds of the start the drill's freezer is too warm, and minutes later cold again."""
    campus = demo_campus()
    drill = DrillFreezer(campus.device(DRILL_FREEZER), campus.site, seed=1, start_ms=START_MS)
    judge = MessageReader(lambda: campus)
    temperatures = {}
    for one in drill.publications(START_MS, START_MS + 6 * MINUTE_MS):
        (reading,) = [
            r
            for r in judge(Message(one.topic, one.payload, START_MS)).readings
            if r.series.quantity is Quantity.TEMPERATURE
        ]
        temperatures[len(temperatures) * 2] = reading.value
    assert temperatures[0] < -19
    assert temperatures[10] > -7
    assert temperatures[300] < -19
    assert is_drill(DRILL_FREEZER)
    assert not is_drill("freezer-1")
