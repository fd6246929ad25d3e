"""Devices that date their readings themselves show when it is our clock that is wrong."""

from __future__ import annotations

import pytest

from campus.clock import HOUR_MS, MINUTE_MS
from campus.reading import Quality
from ingest.device_clocks import DeviceClocks
from ingest.message import Report, Value
from ingest.normalise import Normaliser

DEVICES = ("freezer", "fridge", "pipe", "outdoor")


class Rig:
    def __init__(self, campus, clock):
        self.campus, self.clock = campus, clock
        self.clocks = DeviceClocks()
        self.normalise = Normaliser(self.clocks)

    def say(self, device, behind_ms):
        """One reading of *device*, dated by itself; what it becomes."""
        now_ms = self.clock.now_ms
        report = Report("d", now_ms - behind_ms, (Value("temperature", 1.0, "°C"),))
        (reading,) = self.normalise(report, self.campus.device(device), now_ms).readings
        return reading

    def minutes(self, count, behind_ms, devices=DEVICES, on_time=()):
        found = []
        for _ in range(count):
            self.clock.forward(60)
            found += [self.say(device, behind_ms) for device in devices]
            for device in on_time:
                self.say(device, 0)
        return found


@pytest.fixture
def rig(campus, clock):
    return Rig(campus, clock)


@pytest.mark.parametrize("ahead_ms", [2 * HOUR_MS, 3 * 365 * 24 * HOUR_MS])
def test_our_clock_is_ahead(rig, ahead_ms):
    """After ten minutes in which all are behind by as much, what they say is of now, and can raise alarms."""
    assert rig.minutes(2, ahead_ms)[-1].quality is Quality.LATE
    reading = rig.minutes(12, ahead_ms)[-1]
    assert (reading.quality, reading.time_ms) == (Quality.GOOD, rig.clock.now_ms)
    assert rig.clocks.ahead_ms == ahead_ms


def test_it_ends_when_the_clock_is_right(rig):
    """Once devices agree with our clock again, nothing is held against it, and what is late is late."""
    rig.minutes(15, 2 * HOUR_MS)
    rig.clock.now_ms -= 2 * HOUR_MS
    assert rig.minutes(1, 0)[-1].quality is Quality.GOOD
    assert rig.clocks.ahead_ms == 0
    assert rig.minutes(1, 2 * HOUR_MS)[-1].quality is Quality.LATE


def test_some_devices_behind_are_their_own_trouble(rig):
    """Two of four, or any number against as many that agree with us, are late as they say."""
    assert rig.minutes(30, 2 * HOUR_MS, ("freezer", "fridge"))[-1].quality is Quality.LATE
    assert (
        rig.minutes(30, 2 * HOUR_MS, DEVICES[:3], on_time=("outdoor", "meter", "circuit"))[-1].quality
        is Quality.LATE
    )
    assert rig.clocks.ahead_ms == 0


def test_a_backlog_is_late(rig):
    """Hours of readings delivered within minutes, all devices' in order of time, stay history."""
    found = []
    for minute in range(240, 0, -2):
        rig.clock.forward(15)
        found += [rig.say(device, minute * MINUTE_MS) for device in DEVICES]
    assert {one.quality for one in found if one.received_ms - one.time_ms > HOUR_MS} == {Quality.LATE}
    assert rig.clocks.ahead_ms == 0
