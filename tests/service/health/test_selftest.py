"""The self-test alarm goes the whole pipeline, tells nobody, leaves no trace in what people see, and names where it is lost."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from tests_support import wait_until

from alerts.own import parts as own_parts
from api.ports import Condition
from campus import selftest as marks
from campus.campus import Campus
from campus.selftest import Round, Stage, Trace
from campus.site import Site
from campus.text import translator
from ingest.decoding.registry import Registry, decoder_names
from rules.engine.settings import RuleSettings
from service.health import selftest
from service.health.selftest import SelfTest
from service.runtime.runtime import Runtime
from service.settings import ServiceSettings
from store.journal.counts import Counts
from store.operations.tables import AlertRow, OutboxRow

EMBEDDED = {"url": "embedded", "listen": "127.0.0.1:0"}
AWAY = {"url": "mqtt://127.0.0.1:1"}


def site(**settings):
    return Site.model_validate({"id": "s", "name": "S", "broker": EMBEDDED} | settings)


def started(data, **settings):
    runtime = Runtime(Campus(site=site(**settings)), ServiceSettings(data=data), write=lambda _text: None)
    runtime.start()
    return runtime


def again(runtime):
    """Lets the next test begin now."""
    runtime.selftest._due_ms = 0
    runtime.selftest.worker.wake()


def passes(runtime, times=1):
    """Waits until so many tests have come out."""
    for _ in range(times):
        before = runtime.selftest.passed_ms
        again(runtime)
        wait_until(lambda before=before: runtime.selftest.passed_ms not in {None, before})


@pytest.fixture
def runtime(tmp_path):
    service = started(tmp_path / "data")
    yield service
    service.stop()


def part(runtime):
    return next(one for one in runtime.health(translator("en")).parts if one.name == "selftest")


def rows(runtime, table):
    with Session(runtime.database) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table))


def test_the_whole_road(runtime):
    """Published at our own broker, it comes out of the rules again and again, and is booked; nothing else is to be seen of it."""
    passes(runtime, 6)  # more openings within an hour than an alert that flaps may have
    assert runtime.book.selftest_ms() > 0
    judged = [one for batch in runtime.journal.read(0) for one in batch.readings]
    assert {one.series for one in judged} == {marks.SERIES}
    assert len(judged) >= 18
    wait_until(lambda: runtime.storing.seq == runtime.journal.last_seq())
    assert runtime.store.latest() == {}
    assert runtime.board.all() == {}
    assert runtime.journal.counts() == Counts()
    assert runtime.pipeline.messages == 0
    assert (rows(runtime, AlertRow), rows(runtime, OutboxRow)) == (0, 0)
    wait_until(lambda: part(runtime).condition is Condition.OK)


def test_at_the_other_embedded_broker(tmp_path, monkeypatch, broker_program):
    """Whichever program is our broker, the account of the service may publish and hear its own test."""
    monkeypatch.setattr("service.broker.embedded.find_broker", lambda: broker_program)
    runtime = started(tmp_path / "data")
    try:
        wait_until(lambda: runtime.selftest.passed_ms is not None)
        assert next(iter(runtime.brokers.connections.values())).received >= 3
    finally:
        runtime.stop()


def test_beside_a_broker_that_is_not_ours(tmp_path):
    """At another's broker nothing is published: the test begins where messages are received."""
    runtime = started(tmp_path / "data", broker=AWAY)
    try:
        wait_until(lambda: runtime.selftest.passed_ms is not None)
    finally:
        runtime.stop()


def test_switched_off(tmp_path):
    """With 0 there is no test, and its part is not shown as unproven."""
    runtime = started(tmp_path / "data", selftest_s=0)
    try:
        wait_until(lambda: runtime.selftest.worker.progress().steps > 0)
        wait_until(lambda: part(runtime).condition is Condition.OK)
        assert runtime.selftest.passed_ms is None
        assert runtime.selftest._round is None
    finally:
        runtime.stop()


def test_over_a_restart(tmp_path, monkeypatch):
    """A test that was cut off in its middle hinders none after the restart; its late numbers are nobody's."""
    first = started(tmp_path / "data")
    monkeypatch.setattr(Round, "payloads", lambda one: (str(one.before).encode(), str(one.mark).encode()))
    wait_until(lambda: first.selftest.passed_ms is not None or first.selftest._trace.stage is Stage.BOOKED)
    first.stop()
    monkeypatch.undo()
    second = started(tmp_path / "data")
    try:
        assert second.book.selftest_ms() > 0
        connection = next(iter(second.brokers.connections.values()))
        wait_until(lambda: connection.publish(marks.TOPIC, b"1234567"))
        assert connection.publish(marks.TOPIC, b"what is this")
        passes(second, 2)
        assert second.journal.counts() == Counts()
    finally:
        second.stop()


def test_many_tests_since_the_last_snapshot(tmp_path, monkeypatch):
    """Killed before it could keep its state, the rules judge every test of the past again; the next passes all the same."""
    first = started(tmp_path / "data")
    passes(first, 5)
    monkeypatch.setattr(first.rules, "_snapshot", lambda *_: None)
    first.stop()
    second = started(tmp_path / "data")
    try:
        assert second.rules.snapshot_seq == 0
        passes(second)
    finally:
        second.stop()


def ingest_hangs(runtime, patch):
    patch.setattr(runtime.pipeline.worker, "_step", lambda: None)
    patch.setattr(runtime.pipeline.worker, "_pace_s", 0.02)


def journal_refuses(runtime, patch):
    patch.setattr(runtime.journal, "append", _raise)


def rules_hang(runtime, patch):
    patch.setattr(runtime.rules.worker, "_step", lambda: None)
    patch.setattr(runtime.rules.worker, "_pace_s", 0.02)


def book_refuses(runtime, patch):
    patch.setattr(runtime.book, "apply", _raise)


def _raise(*_, **__):
    raise OSError("away")


@pytest.mark.parametrize(
    ("breaks", "stage", "words"),
    [
        (ingest_hangs, "published", "sent, not received"),
        (journal_refuses, "received", "not in the journal"),
        (rules_hang, "journaled", "not judged"),
        (book_refuses, "judged", "not in the alert book"),
    ],
)
def test_where_it_is_lost(runtime, monkeypatch, breaks, stage, words):
    """Whatever is broken in the pipeline, health is down within the time, the alert names the place, and both end when it is mended."""
    passes(runtime)
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(selftest, "WITHIN_MS", 1_500)
        breaks(runtime, patch)
        workers = (runtime.pipeline.worker, runtime.rules.worker)
        steps = [
            one.progress().steps + 2 for one in workers
        ]  # whoever is in the middle of a step goes on unbroken
        wait_until(
            lambda: all(one.progress().steps >= least for one, least in zip(workers, steps, strict=True))
        )
        again(runtime)
        wait_until(lambda: runtime.selftest.lost_at is not None)
        assert runtime.selftest.lost_at.name.lower() == stage
        wait_until(lambda: part(runtime).condition is Condition.DOWN and words in part(runtime).text)
        wait_until(lambda: runtime.book.find(rule=own_parts.SELFTEST_FAILED))
        assert runtime.book.find(rule=own_parts.SELFTEST_FAILED)[0].evidence["facts"]["stage"] == stage
    passes(runtime)
    wait_until(lambda: part(runtime).condition is Condition.OK)


def test_its_times(monkeypatch):
    """One at once, the next after its interval, sooner after a loss; one that never comes to pass is not well."""
    moment, sent, trace = [0], [], Trace()
    test = SelfTest(
        trace,
        lambda payloads, patient: bool(sent.append((payloads, patient)) or True),
        lambda: 300.0,
        steady_ms=lambda: moment[0],
    )

    def step(now_ms):
        moment[0] = now_ms
        test.step()

    def conditions():
        return [one.condition for one in test.look(0)]

    assert conditions() == [Condition.STARTING]
    step(0)
    step(200)
    assert (len(sent), sent[0][1], trace.stage) == (1, True, Stage.PUBLISHED)
    trace.reach(Stage.BOOKED, [test._round.mark])
    trace.end()
    step(400)
    assert (test.passed_ms, conditions()) == (400, [])
    step(299_000)
    assert test._round is None
    step(300_000)
    step(300_200)
    step(330_001)
    assert (test.lost_at, conditions()) == (Stage.PUBLISHED, [Condition.DOWN])
    step(360_001)
    assert test._round is not None
    moment[0] = 10**7
    test.lost_at = None
    assert conditions() == [Condition.DOWN]


def test_nobody_can_take_its_place(campus):
    """No register and no source can name its device or its decoder, and no rule of a campus judges it."""
    from pydantic import ValidationError

    from campus.device import Device, Place
    from rules.engine.engine import Engine

    with pytest.raises(ValidationError):
        Device(id=marks.DEVICE_ID, name="x", kind="climate", place=Place(site="s"))
    assert "selftest" not in decoder_names()
    assert Registry().topics("") != []
    engine = Engine(campus, RuleSettings({}))
    assert marks.RULE not in {one.rule for one in engine.status()}


def test_a_trace_knows_its_own_test_only():
    """Numbers of another test move nothing, and nothing goes back."""
    trace, mine, other = Trace(), Round.fresh(), Round.fresh()
    trace.reach(Stage.BOOKED, [mine.mark])
    trace.begin(mine)
    trace.reach(Stage.BOOKED, [other.mark, mine.before])
    trace.end()
    assert trace.stage is Stage.WAITING
    trace.reach(Stage.JUDGED, [mine.mark])
    trace.reach(Stage.RECEIVED, [mine.mark])
    trace.end()
    assert trace.stage is Stage.JUDGED
