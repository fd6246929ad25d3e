"""A whole service whose machine's clock was set back while it was stopped."""

from __future__ import annotations

import pytest
from tests_support import wait_until

from alerts.own.service import CLOCK_JUMP
from api.ports import Condition
from campus.clock import HOUR_MS, MINUTE_MS
from campus.text import marked
from service.clock import wall_ms
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings


@pytest.fixture
def start(live_campus, tmp_path):
    started = []

    def make(ahead_ms):
        settings = ServiceSettings(data=tmp_path / "data")
        runtime = Runtime(live_campus, settings, wall=lambda: wall_ms() + ahead_ms, write=lambda _text: None)
        runtime.start()
        started.append(runtime)
        return runtime

    yield make
    started[-1].stop()


def condition(runtime):
    (part,) = [one for one in runtime.health(marked).parts if one.name == "clock"]
    return part.condition


def test_a_clock_set_back_while_stopped(start):
    """The service goes by the right time at once, the journal grows, an alert says it, and health is not OK."""
    ahead = start(HOUR_MS)
    wait_until(lambda: ahead.journal.last_time_ms() > wall_ms() + HOUR_MS - MINUTE_MS)
    ahead.stop()
    right = start(0)
    assert abs(right.now_ms() - wall_ms()) < MINUTE_MS
    wait_until(lambda: any(one.rule == CLOCK_JUMP for one in right.book.open_alerts()))
    wait_until(lambda: condition(right) is Condition.DEGRADED)
    wait_until(lambda: right.journal.last_time_ms() < wall_ms() + MINUTE_MS)
    wait_until(lambda: right.rules.seq == right.journal.last_seq())
