"""Health by effect: each worker and part is tried stopped, and shows it within seconds, in health and as an alert."""

from __future__ import annotations

import threading

import httpx2
import msgspec
import pytest
from service_fixtures import Running
from sqlalchemy.orm import Session
from tests_support import PATIENCE_S, wait_until

from alerts.message import MessageKind, OutgoingMessage
from alerts.outbox import enqueue
from alerts.own import parts as own_parts
from alerts.routing import Destination, Recipient
from api.ports import Condition
from api.transport.limits import MOST_REQUESTS
from campus.campus import Campus
from campus.site import Site
from campus.text import marked, translator
from campus.worker import Doing
from rules.level import Level
from service.health import health
from service.health.looks import flow
from service.health.looks.follow import Following, Growing
from service.health.looks.workers import is_vital, part_of, trouble_of
from service.health.watch import Watch
from service.trouble import Probe, Trouble
from store.operations.tables import OutboxRow

WORKERS = [
    "ingest", "rules", "store", "send-phone", "heartbeat", "keeper", "live", "drills", "register", "replay",
    "watch", "watchdog",
]  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One service for all; each test mends what it broke."""
    body = {
        "id": "s", "name": "S", "broker": {"url": "embedded", "listen": "127.0.0.1:0"},
        "channels": {"phone": {"kind": "phone_page"}}, "routes": [{"channels": ["phone"]}],
    }  # fmt: skip
    started = Running(Campus(site=Site.model_validate(body)), tmp_path_factory.mktemp("data") / "data")
    for worker in started.runtime.watchers.workers:
        worker._pace_s = 0.05
        worker.wake()
    wait_until(lambda: ready(started).status_code == 200)
    yield started
    started.stop()


def ready(service):
    return service.http.get("/health/ready")


def part(service, name):
    parts = service.http.get("/api/health", params={"lang": "zh_CN"}).json()["parts"]
    return next(one for one in parts if one["name"] == name)


def opened(service, rule, subject):
    return service.runtime.book.find(rule=rule, subject=subject)


def worker_named(service, name):
    return next(one for one in service.runtime.workers() if one.name == name)


def shows(service, name, *words):
    """Whether a part is not well, and says so with all *words*."""
    found = part(service, name)
    return found["condition"] != "ok" and all(word in found["text"] for word in words)


@pytest.fixture
def mended(service):
    """After the test everything is well again."""
    yield
    wait_until(lambda: ready(service).json()["status"] == "ok")


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_that_fails(service, mended, monkeypatch, name):
    """A step that raises is seen in its part, with the reason, while it fails and no longer."""
    worker = worker_named(service, name)

    def broken():
        raise SystemExit("broken")

    with monkeypatch.context() as patch:
        patch.setattr(worker, "_step", broken)
        patch.setattr(worker, "_retry_s", (0.02,))
        worker.wake()
        if name == "watchdog":  # nobody looks at workers then, which is what the others tell
            patch.setattr(health, "STALE_MS", 300)
            wait_until(lambda: shows(service, "ingest", "自查停了"))
        elif name == "watch":
            patch.setattr(health, "STALE_MS", 300)
            wait_until(lambda: shows(service, "broker", "自查停了"))
        else:
            wait_until(lambda: shows(service, part_of(name), "broken"))
    assert worker.alive
    worker.wake()


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_that_hangs(service, mended, monkeypatch, name):
    """A step that does not come back is stuck: seen in its part with its age, and told; critical where alerts depend on it."""
    worker, hang = worker_named(service, name), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_step", hang.wait)
        patch.setattr(worker, "_limit_ms", 200)
        worker.wake()
        try:
            rule = own_parts.LOOKS_STOPPED if name == "watchdog" else own_parts.WORKER_STUCK
            wait_until(lambda: shows(service, part_of(name), "已", "秒"))
            if is_vital(name):
                wait_until(lambda: ready(service).status_code == 503)
                wait_until(lambda: opened(service, rule, name))
                assert opened(service, rule, name)[0].severity is Level.CRITICAL
        finally:
            hang.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", ["ingest", "rules", "send-phone", "watch", "watchdog"])
def test_a_thread_that_is_gone(service, mended, monkeypatch, name):
    """A worker whose thread has ended, whatever the reason, is told and started again."""
    worker = worker_named(service, name)
    steps, work = worker.progress().steps, worker.work

    def gone():
        monkeypatch.setattr(worker, "work", work)
        raise SystemExit

    monkeypatch.setattr(worker, "work", gone)
    worker.wake()
    wait_until(lambda: worker.alive and worker.progress().steps > steps + 1)
    rule = own_parts.LOOKS_STOPPED if name == "watchdog" else own_parts.WORKER_ENDED
    wait_until(lambda: opened(service, rule, name))


def test_a_journal_that_does_not_grow(service, mended, monkeypatch):
    """A heartbeat that steps without effect is caught by the journal's end standing still."""
    monkeypatch.setattr(flow, "_JOURNAL_STILL_MS", 300)
    monkeypatch.setattr(service.runtime.heartbeat.worker, "_step", lambda: None)
    wait_until(lambda: shows(service, "journal", "不再增长"))
    assert ready(service).status_code == 503
    wait_until(lambda: opened(service, own_parts.JOURNAL_SILENT, "journal"))


def test_rules_that_do_not_follow(service, mended, monkeypatch):
    """Rules that step and yet stay where they are while the journal grows are down, and told."""
    monkeypatch.setattr(flow, "_STILL_MS", 300)
    monkeypatch.setattr(service.runtime.rules.worker, "_step", lambda: None)
    monkeypatch.setattr(service.runtime.rules.worker, "_pace_s", 0.05)
    wait_until(lambda: shows(service, "rules", "落后"))
    assert ready(service).status_code == 503
    wait_until(lambda: opened(service, own_parts.RULES_LATE, "rules"))


@pytest.mark.parametrize("name", ["rules", "store"])
def test_a_consumer_ahead_of_the_journal(service, mended, name):
    """A position beyond the journal's end means that it is another journal: nothing is judged, which is never well."""
    consumer = service.runtime.rules if name == "rules" else service.runtime.storing
    seq, consumer.seq = consumer.seq, consumer.seq + 1_000_000
    wait_until(lambda: shows(service, name, "换过或删过"))
    assert ready(service).status_code == 503
    wait_until(lambda: opened(service, own_parts.CONSUMER_AHEAD, name))
    consumer.seq = seq


def test_a_message_that_is_not_sent(service, mended):
    """An alarm's message that nobody sends is told after its time, by its severity, with the channel's name."""
    runtime = service.runtime
    now_ms = runtime.now_ms()
    message = OutgoingMessage("k", MessageKind.ALERT, Level.CRITICAL, "title")
    with Session(runtime.database) as session, session.begin():
        place = Destination("no-such-channel", Recipient("r"))
        enqueue(session, message, place, alert_id=None, reason="opened", now_ms=now_ms - 61_000)
    wait_until(lambda: shows(service, "outbox", "no-such-channel", "1 条等待发送"))
    assert ready(service).status_code == 503
    wait_until(lambda: opened(service, own_parts.OUTBOX_LATE, "critical"))
    with Session(runtime.database) as session, session.begin():
        session.query(OutboxRow).filter_by(channel="no-such-channel").delete()


def test_a_broker_that_has_not_confirmed(service, mended):
    """To be connected is no proof of hearing."""
    (connection,) = service.runtime.brokers.connections.values()
    connection.listening = False
    wait_until(lambda: shows(service, "broker", "订阅没有得到确认"))
    connection.listening = True


def test_a_look_that_fails(service, mended, monkeypatch):
    """A part that cannot be looked at is down with the reason; the other parts are looked at all the same."""

    def broken():
        raise OSError("database away")

    with monkeypatch.context() as patch:
        patch.setattr(service.runtime.outbox, "undelivered", broken)
        patch.setattr(service.runtime.outbox, "waiting", broken)
        wait_until(lambda: shows(service, "outbox", "OSError: database away"))
        assert part(service, "rules")["condition"] == "ok"
        metrics = service.http.get("/metrics")
    assert metrics.status_code == 200
    assert "shouyuan_metrics_failed 1.0" in metrics.text
    assert "shouyuan_journal_seq" in metrics.text
    assert "shouyuan_outbox_waiting" not in metrics.text


def test_live_waits_for_nobody(service, monkeypatch):
    """/health/live answers while as many requests as are worked on at once are held up."""
    hang, entered = threading.Event(), threading.Semaphore(0)

    def slow(_translate):
        entered.release()
        hang.wait()
        return health.of(service.runtime.watchers.every, service.runtime.campus(), marked)

    services = dict(service.server.config.app.state._state)["services"]
    object.__setattr__(services, "health", slow)
    threads = [
        threading.Thread(target=httpx2.get, args=(f"{service.url}/health/ready",), kwargs={"timeout": 60})
        for _ in range(MOST_REQUESTS + 5)
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in range(MOST_REQUESTS):
            assert entered.acquire(timeout=PATIENCE_S)
        assert httpx2.get(f"{service.url}/health/live", timeout=5).json() == {"status": "ok"}
    finally:
        hang.set()
        object.__setattr__(services, "health", service.runtime.health)
        for thread in threads:
            thread.join(PATIENCE_S)


def test_nothing_is_well_before_it_is_proven(clock):
    """Before the first look every part is starting; when looks stop coming, every part is down."""
    moment = [0]
    watch = Watch(None, [], parts=("rules", "broker"), steady_ms=lambda: moment[0])
    campus = Campus(site=Site(id="s", name="S"))

    def conditions(now_ms):
        return {one.condition for one in health.of([watch], campus, marked, lambda: now_ms).parts}

    assert conditions(0) == {Condition.STARTING}
    watch.look(clock.now_ms)
    assert conditions(health.STALE_MS) == {Condition.OK}
    assert conditions(health.STALE_MS + 1) == {Condition.DOWN}


def test_a_worker_that_has_not_stepped_yet_is_not_well(service):
    """A started worker that has not finished a step is starting, in every part it works for."""
    unproven = msgspec.structs.replace(
        worker_named(service, "rules").progress(), steps=0, last_step_ms=None, working_since_ms=1_000
    )
    assert unproven.doing(2_000) is Doing.STARTING
    assert trouble_of(unproven, 2_000).condition is Condition.STARTING


def test_following_and_growing():
    """Standing still counts only while there is something to follow; growth of any kind is growth."""
    following, growing = Following(), Growing()
    assert [following.still_ms(newest, seq, now) for newest, seq, now in (
        (5, 5, 0), (6, 5, 10), (9, 5, 30), (9, 7, 40), (9, 7, 45), (9, 9, 60), (10, 9, 61),
    )] == [0, 10, 30, 0, 5, 0, 1]  # fmt: skip
    assert [growing.still_ms(number, now) for number, now in ((1, 0), (1, 7), (2, 9), (2, 20))] == [
        0,
        7,
        0,
        11,
    ]


def test_no_message_for_too_long(service, monkeypatch, devices):
    """Nothing at all for three of the usual intervals is said of the pipeline, not only of each device."""
    runtime = service.runtime
    look, moment = flow.MessagesArrive(lambda: runtime.pipeline.messages, runtime.register.campus), [0]
    monkeypatch.setattr(flow, "steady_ms", lambda: moment[0])
    often = [one.model_copy(update={"interval_s": 300.0}) for one in devices]
    monkeypatch.setattr(
        service.runtime.register, "_campus", Campus(site=Site(id="s", name="S"), devices=often)
    )
    assert list(look(0)) == []
    moment[0] = 15 * 60_000
    assert list(look(0)) == []
    moment[0] += 1
    assert [one.rule for one in look(0)] == [own_parts.NO_MESSAGES]


@pytest.mark.parametrize("rule", own_parts.RULES)
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_each_trouble_has_words(rule, language):
    """In both languages, with the part's name in them."""
    campus = Campus(site=Site(id="s", name="S"))
    trouble = Trouble(rule, "rules", Level.WARNING, {"seconds": 12.3, "part": "rules"}, part="rules")
    watch = Watch(None, [Probe("rules", lambda _: [trouble])], parts=("rules",))
    watch._book = type("Book", (), {"take_own": lambda *_: None})()
    watch.look(0)
    (found,) = health.of([watch], campus, translator(language)).parts
    assert ("12" in found.text, "{" in found.text) == (True, False)
    if language == "en":
        assert found.text.isascii()
    assert own_parts.part_name("rules", translator(language)) in {"告警判断", "Judging alerts"}
