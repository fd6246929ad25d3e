"""A session that another takes, or that the broker loses, becomes an alert of the service with advice."""

from __future__ import annotations

import pytest
from tests_support import wait_until

from alerts.own import service as own
from campus.campus import Campus
from campus.site import Site
from campus.text import marked
from service.broker.embedded import EmbeddedBroker
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings


@pytest.fixture
def start(site, devices, tmp_path):
    """Starts a service at a broker that is not its own."""
    started = []

    def begin(port, data):
        body = site.model_dump(mode="json") | {"broker": {"url": f"mqtt://127.0.0.1:{port}"}}
        campus = Campus(site=Site.model_validate(body), devices=devices)
        runtime = Runtime(campus, ServiceSettings(data=tmp_path / data), write=lambda _text: None)
        started.append(runtime)
        runtime.start()
        return runtime

    yield begin
    for runtime in started:
        runtime.stop()


def alert(runtime, rule):
    return next((one for one in runtime.book.open_alerts() if one.rule == rule), None)


def test_two_services_of_one_name_are_told(start, broker):
    """Two services that push each other out both open an alert that says what to do."""
    pair = [start(broker.port, "one"), start(broker.port, "two")]
    for runtime in pair:
        wait_until(lambda runtime=runtime: alert(runtime, own.SESSION_TAKEN))
        words = own.texts_for(own.SESSION_TAKEN, "broker", {}, runtime.campus(), marked)
        assert "client_id" in words.advice


def test_a_lost_session_is_told(start, broker_program, tmp_path):
    """A broker that comes back with nothing of ours in it is told as having lost what it kept."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    runtime = start(broker.port, "data")
    wait_until(lambda: runtime.brokers.connected)
    broker.stop()
    wait_until(lambda: not runtime.brokers.connected)
    forgetful = EmbeddedBroker(tmp_path / "another", program=broker_program, port=broker.port)
    forgetful.start()
    wait_until(lambda: alert(runtime, own.SESSION_LOST))
    forgetful.stop()


def test_a_session_lost_while_we_were_away_is_told(start, broker_program, tmp_path):
    """What an earlier run knew counts: the loss is noticed at the first connection after a start."""
    broker = EmbeddedBroker(tmp_path / "broker", program=broker_program)
    broker.start()
    runtime = start(broker.port, "data")
    wait_until(lambda: runtime.brokers.connected)
    runtime.stop()
    broker.stop()
    forgetful = EmbeddedBroker(tmp_path / "another", program=broker_program, port=broker.port)
    forgetful.start()
    again = start(broker.port, "data")
    wait_until(lambda: alert(again, own.SESSION_LOST))
    again.brokers.stop_receiving()
    forgetful.stop()
