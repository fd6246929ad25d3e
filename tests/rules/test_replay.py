"""A replay of some devices only: whose readings it needs, and that it says of them what a replay of all says."""

from __future__ import annotations

import pytest

from campus.errors import UnknownDevice
from campus.quantity import Quantity
from campus.reading import Reading, Series
from rules.engine.engine import Engine
from rules.engine.replay import devices_read, replay
from rules.engine.settings import RuleSettings

MINUTE_MS = 60_000
START_MS = 1_795_233_600_000


def test_the_neighbours_a_rule_reads_are_needed_too(campus):
    """A pipe in the frost is judged with the outdoor probe; a freezer stands alone; a stranger is refused."""
    assert {"pipe", "outdoor"} <= devices_read(["pipe"], campus)
    assert "meter" not in devices_read(["freezer"], campus)
    with pytest.raises(UnknownDevice, match="nobody"):
        devices_read(["nobody"], campus)


def test_judging_some_devices_changes_nothing_about_them(campus):
    """What an engine for two devices finds is what the engine for all finds of these two."""
    readings = [
        Reading(Series(device, quantity), value + sign * n / 20, time_ms, time_ms)
        for n in range(600)
        for time_ms in [START_MS + n * MINUTE_MS]
        for device, quantity, value, sign in (
            ("freezer", Quantity.TEMPERATURE, -20, 1),
            ("pipe", Quantity.TEMPERATURE, 8, -1),
            ("outdoor", Quantity.TEMPERATURE, -5, 0),
            ("meter", Quantity.WATER_VOLUME, 10, 1),
        )
    ]
    wanted = {"freezer", "pipe"}
    found = list(replay(Engine(campus, RuleSettings()), readings))
    some = list(replay(Engine(campus, RuleSettings(), subjects=wanted), readings))
    assert some == [one for one in found if one.subject in wanted]
    assert {one.subject for one in some} == wanted
    assert {one.subject for one in found} > wanted
