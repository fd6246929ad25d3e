"""What is set aside can be tried again: a held message, a rule on a device, a channel; by API and page."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from tests_support import wait_until

from alerts.own import service as own
from campus.quantity import Quantity
from campus.reading import Series
from ingest.message_guard import checksum, item_of
from service.health import watch
from store.operations.tables import OutboxRow
from store.poison.record import Kind, SetAside, Suspect
from store.quarantine import POISON, Selection


@pytest.fixture
def service(running):
    """A running service whose record of deaths tests write into."""
    return running


def kill(service, *suspects):
    """As if the service had died twice of each of them."""
    for one in suspects:
        service.runtime.guard.poison.blame([one], service.runtime.now_ms())
        service.runtime.guard.poison.blame([one], service.runtime.now_ms())


def listed(service):
    return service.http.get("/api/set-aside").json()


def freezer_of(service):
    """A freezer of the register, and its topic."""
    device = next(one for one in service.runtime.campus().devices.values() if one.decoder == "zigbee2mqtt")
    return device, f"zigbee2mqtt/{device.address}"


def test_a_message_set_aside_is_held_and_tried_again(service):
    """It is held although it reads well, others of its topic are read, and trying again reads it."""
    device, topic = freezer_of(service)
    payload = json.dumps({"temperature": -18.25}).encode()
    kill(service, Suspect(Kind.MESSAGE, item_of(checksum(topic, payload)), topic))
    service.publish(topic, payload)
    service.publish(topic, json.dumps({"temperature": -18.75}).encode())
    quarantine = service.runtime.journal.quarantine
    wait_until(lambda: quarantine.select(Selection(code=POISON), limit=5))
    series = Series(device.id, Quantity.TEMPERATURE)

    def read():
        return {one.value for batch in service.runtime.journal.read(0, max_batches=10_000) for one in batch.readings
                if one.series == series}  # fmt: skip

    wait_until(lambda: -18.75 in read())
    assert -18.25 not in read()
    (aside,) = listed(service)
    assert (aside["kind"], aside["group"], aside["deaths"]) == ("message", topic, 2)
    assert service.http.post(f"/api/set-aside/{aside['id']}/try-again").json() == {"tried": True}
    wait_until(lambda: -18.25 in read())
    assert not listed(service)
    wait_until(lambda: not quarantine.select(Selection(code=POISON), limit=5))


def test_replaying_a_held_message_is_a_decision(service):
    """Replayed alone it is read; replayed along with others it stays where it is."""
    _, topic = freezer_of(service)
    payload = json.dumps({"temperature": -18.5}).encode()
    kill(service, Suspect(Kind.MESSAGE, item_of(checksum(topic, payload)), topic))
    service.publish(topic, payload)
    service.publish("no/such/format", b"{}")
    quarantine = service.runtime.journal.quarantine
    wait_until(lambda: len(quarantine.select(Selection(), limit=5)) == 2)
    ids = [one.id for one in quarantine.select(Selection(), limit=5)]
    assert service.http.post("/api/quarantine/replay", json={"ids": ids}).json() == {"replayed": 1}
    assert listed(service)
    (poison,) = quarantine.select(Selection(code=POISON), limit=5)
    assert service.http.post("/api/quarantine/replay", json={"ids": [poison.id]}).json() == {"replayed": 1}
    assert not listed(service)
    wait_until(lambda: not quarantine.select(Selection(code=POISON), limit=5))


def test_a_rule_is_given_its_device_again(service):
    """A rule that is set aside is off after a reload, and on when it is tried again; the page lists it meanwhile."""
    device, _ = freezer_of(service)
    group = f"cold.above_limit/{device.id}"
    kill(service, Suspect(Kind.RULE, "41", group))
    service.runtime._apply(service.runtime.campus())

    def judged():
        return {f"{one.rule}/{one.subject}" for one in service.runtime.rules._engine.status()}

    wait_until(lambda: group not in judged())
    page = service.http.get("/held", headers={"accept": "text/html"}).text
    assert group in page
    (aside,) = listed(service)
    service.http.post(f"/held/set-aside/{aside['id']}")
    wait_until(lambda: group in judged())
    assert not listed(service)


def alerts(service):
    """The rules of all that is open."""
    return {one.rule for one in service.runtime.book.open_alerts()}


def rest_over(service, monkeypatch):
    """Every rest is over from now on."""
    monkeypatch.setattr(SetAside, "rests_at", lambda *_: False)


def test_a_topic_is_tried_again_by_itself(service, monkeypatch):
    """After its rest one held message is read; the process lives, so all that was held is read, and the topic is free."""
    monkeypatch.setattr(watch, "STAYS_OVER_MS", 2_000)
    _, topic = freezer_of(service)
    for number in range(3):
        suspect = Suspect(Kind.MESSAGE, str(number), topic)
        service.runtime.guard.poison.blame([suspect], service.runtime.now_ms())
    for number in range(5):
        service.publish(topic, json.dumps({"temperature": -18 - number / 8}).encode())
    quarantine = service.runtime.journal.quarantine
    wait_until(lambda: len(quarantine.select(Selection(code=POISON), limit=9)) == 5)
    assert [one["item"] for one in listed(service)] == [""]
    wait_until(lambda: own.POISON_TOPIC in alerts(service))
    rest_over(service, monkeypatch)
    wait_until(lambda: not quarantine.select(Selection(code=POISON), limit=9))
    assert not listed(service)
    wait_until(lambda: not service.runtime.guard.poison.replay_due)
    wait_until(lambda: own.POISON_TOPIC not in alerts(service))


def test_a_rule_is_tried_again_by_itself(service, monkeypatch):
    """After its rest it judges again, without anybody asking."""
    device, _ = freezer_of(service)
    group = f"cold.above_limit/{device.id}"
    kill(service, Suspect(Kind.RULE, "41", group))

    def judged():
        return {f"{one.rule}/{one.subject}" for one in service.runtime.rules._engine.status()}

    wait_until(lambda: group not in judged())
    rest_over(service, monkeypatch)
    wait_until(lambda: group in judged())
    assert [one["group"] for one in listed(service)] == [group], "until it has judged something"


def test_a_message_that_was_sent_rests_no_longer(service):
    """The service died twice just after a message was written down as sent: nothing is left to try, so nothing rests."""
    _, topic = freezer_of(service)
    service.publish(topic, json.dumps({"temperature": -2.0}).encode())

    def sent():
        with Session(service.runtime.database) as session:
            return session.scalar(sa.select(OutboxRow).where(OutboxRow.state == "sent"))

    wait_until(sent)
    kill(service, Suspect(Kind.CHANNEL, sent().key, sent().channel))
    wait_until(lambda: not listed(service))


def test_nothing_of_that_number(service):
    """A number that is none is answered as such."""
    assert service.http.post("/api/set-aside/99/try-again").status_code == 404
