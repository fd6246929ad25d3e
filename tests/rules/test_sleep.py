"""Clocks that wait for a device: they stand until it is heard, and nobody can tell that they did."""

from __future__ import annotations

import msgspec
import pytest

from campus.clock import MINUTE_MS
from campus.quantity import Quantity
from campus.reading import Reading, Series
from rules.engine.engine import Engine
from rules.engine.settings import RuleSettings
from rules.rule import Input, ReadingRule, RuleParams

START_MS = 1_795_233_600_000
MINUTES = 600


class Look(msgspec.Struct):
    next_ms: int = 0


class Watch(ReadingRule):
    """Looks every five minutes when the pipe was last heard."""

    name = "test.watch"
    Params = RuleParams
    Memory = Look

    def __init__(self, wakers):
        self.wakers, self.looks = wakers, []

    def inputs(self, device, campus):
        wanted = {"freezer": Quantity.DOOR_OPEN, "pipe": Quantity.TEMPERATURE}.get(device.id)
        return (Input(device.id, wanted),) if wanted else ()

    def wakes_on(self, device, campus):
        return self.wakers if device.id == "freezer" else ()

    def on_reading(self, state, reading, context):
        """Nothing: it is the clock that matters here."""

    def on_time(self, state, context):
        state.next_ms = context.now_ms + 5 * MINUTE_MS
        if context.device.id == "freezer":
            self.looks.append((context.now_ms, context.heard_ms("pipe")))

    def due_ms(self, state, params):
        return state.next_ms


def looked(campus, wakers, heard, *, batch, restart=0):
    """When a watch looked, and what it saw, where the freezer speaks every minute and the pipe at minutes *heard*."""
    rule = Watch(wakers)
    times = [("freezer", minute) for minute in range(MINUTES)]
    for at, minute in heard:  # after the freezer's reading of minute *at* comes one of minute *minute*
        times.insert(times.index(("freezer", at)) + 1, ("pipe", minute))
    readings = [
        Reading(Series(device, Quantity.TEMPERATURE), 5.0, time_ms, time_ms)
        for device, minute in times
        for time_ms in [START_MS + minute * MINUTE_MS]
    ]
    engine, now_ms = Engine(campus, RuleSettings(), rules={rule.name: rule}), 0
    for number in range(0, len(readings), batch):
        some = readings[number : number + batch]
        now_ms = max(now_ms, *(one.time_ms for one in some))
        engine.advance(now_ms, some)
        if restart and number // batch % restart == 1:
            stored = engine.snapshot()
            engine = Engine(campus, RuleSettings(), rules={rule.name: rule})
            engine.restore(stored)
    assert not engine.faults
    return rule.looks


@pytest.mark.parametrize("batch", [1, 7, 512])
@pytest.mark.parametrize("heard", [[(0, 0)], [(333, 333), (340, 340)], [(400, 371), (500, 500)]])
def test_it_looks_when_it_would_have(campus, batch, heard):
    """Whenever the pipe is heard first, even with an older time than others' readings: the same looks, the same seen."""
    slept, awake = looked(campus, ["pipe"], heard, batch=batch), looked(campus, [], heard, batch=batch)
    assert slept == awake
    assert len(awake) == MINUTES // 5


def test_it_sleeps_while_nobody_is_heard(campus):
    """One look, and no more before the pipe speaks; after a restart it is the same."""
    assert looked(campus, ["pipe"], [], batch=7) == [(START_MS, 0)]
    slept = looked(campus, ["pipe"], [(333, 333)], batch=7, restart=9)
    assert slept == looked(campus, [], [(333, 333)], batch=7, restart=9)
