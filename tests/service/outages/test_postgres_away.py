"""A real PostgreSQL that goes and comes back under a running service."""

from __future__ import annotations

import json
import time

import pytest
from postgres_support import needs_postgres, postgres
from service_fixtures import Running
from tests_support import wait_until

from alerts.alert import AlertState

__all__ = ["postgres"]
pytestmark = needs_postgres
OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)


@pytest.fixture
def service(live_campus, tmp_path, postgres):
    running = Running(live_campus, tmp_path / "data", database_url=postgres.url)
    yield running
    running.stop()


def say(service, celsius):
    service.publish("zigbee2mqtt/Freezer", json.dumps({"temperature": celsius}))


def rules_of(service):
    return [one.rule for one in service.runtime.book.find(states=OPEN, subject="freezer")]


def outage(service, postgres, celsius):
    """The server goes, and the rules have noticed by what they cannot keep."""
    postgres.stop()
    before = service.runtime.rules.worker.progress().failures
    say(service, celsius)
    wait_until(lambda: service.runtime.rules.worker.progress().failures > before + 1)


def test_alerts_go_on_after_the_outage(service, postgres):
    """Open before, well during the outage: it resolves after it; what rises during the outage is told after it."""
    say(service, -2.0)
    wait_until(lambda: rules_of(service) == ["cold.above_limit"])
    outage(service, postgres, -18.0)
    assert service.http.get("/health/ready").status_code in {200, 503}
    assert "shouyuan_journal_seq" in service.http.get("/metrics").text
    postgres.start()
    wait_until(lambda: rules_of(service) == [])
    outage(service, postgres, -1.0)
    postgres.start()
    wait_until(lambda: rules_of(service) == ["cold.above_limit"])


def test_it_stops_within_seconds_while_the_database_is_away(service, postgres):
    """A stop waits for no database, and the next start finds the alert as it was."""
    say(service, -2.0)
    wait_until(lambda: rules_of(service) == ["cold.above_limit"])
    outage(service, postgres, -18.0)
    began = time.monotonic()
    service.runtime.stop()
    took_s = time.monotonic() - began
    service.runtime.stop = lambda: None
    assert took_s < 20
