"""The simulated school: the same seed gives the same messages, and every one is understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from campus.folder import load_campus
from campus.quantity import Quantity
from ingest.judge import Judge
from ingest.message import Message
from service.demo import DRILL_FREEZER, demo_campus, is_drill
from simulators.drill_freezer import DrillFreezer
from simulators.fleet import Fleet

START_MS = 1_795_233_600_000


@pytest.fixture(scope="module")
def school():
    return load_campus(Path(__file__).parents[2] / "examples" / "school")


def published(school, seed, minutes=30):
    fleet = Fleet(school, seed=seed)
    return [
        (moment, one)
        for moment, device in fleet.due(START_MS, START_MS + minutes * MINUTE_MS)
        for one in fleet.publications(moment, device)
    ]


def test_the_same_seed_gives_the_same_campus(school):
    """To the byte; another seed gives another one."""
    assert published(school, 1, 5) == published(school, 1, 5)
    assert published(school, 1, 5) != published(school, 2, 5)


def test_every_message_is_understood(school):
    """Each device speaks its real format, and every value comes through ingest."""
    judge = Judge(lambda: school)
    seen = set()
    for moment, one in published(school, 3, 10):
        judgement = judge(Message(one.topic, one.payload, moment))
        assert judgement.held == (), one
        assert judgement.readings
        seen |= {reading.series.device for reading in judgement.readings}
    assert seen == {device.id for device in school.devices.values() if device.decoder}


def test_physics_stay_plausible(school):
    """Over a day registers only count up, freezers stay cold, the parent meter is the sum of its children."""
    fleet = Fleet(school, seed=5)
    freezer, parent, child = (fleet.devices[name].model for name in ("freezer-1", "water-main", "water-t1"))
    last, lowest, highest = 0.0, 100.0, -100.0
    children = [fleet.devices[device.id].model for device in school.children("water-main")]
    for moment in range(START_MS, START_MS + 24 * HOUR_MS, 5 * MINUTE_MS):
        for device in fleet.devices.values():
            if device.model not in (*children, parent, freezer):
                device.model.step(moment, fleet.world)
        values = [model.step(moment, fleet.world) for model in children]
        values = [next(iter(one.values())) for one in values]
        temperature = freezer.step(moment, fleet.world)[Quantity.TEMPERATURE, ""]
        total = parent.step(moment, fleet.world)[Quantity.WATER_VOLUME, ""]
        lowest, highest = min(lowest, temperature), max(highest, temperature)
        assert total >= last
        last = total
        assert total == pytest.approx(sum(values), abs=0.02 * len(values))
    assert lowest > -26
    assert highest < -11
    assert child.total_m3 > 0


def test_the_drill_freezer_warms_up_soon():
    """Within ten seconds of the start the drill's freezer is too warm, and minutes later cold again."""
    campus = demo_campus()
    drill = DrillFreezer(campus.device(DRILL_FREEZER), campus.site, seed=1, start_ms=START_MS)
    judge = Judge(lambda: campus)
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
