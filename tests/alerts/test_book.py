"""The book and the outbox: each alert once, each message once, whatever happens in between."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from tests_support import wait_until

from alerts.alert import AlertState
from alerts.book import AlertBook
from alerts.channels.contract import Delivery, Outcome, failed, retry, sent
from alerts.dispatcher import Dispatcher
from alerts.errors import AlertOver, NoSuchAlert
from alerts.outbox import GIVE_UP_MS, Outbox
from rules.level import Level, State
from rules.verdict import Evidence, Transition
from store.errors import DatabaseTooNew
from store.operations.database import open_database
from store.operations.tables import AlertRow, Base, OutboxRow

RULE = "cold.above_limit"


def change(to, at_ms, severity=Level.WARNING, *, subject="freezer", origin=State.PENDING, historical=False):
    evidence = Evidence({"temperature_c": -5.0, "limit_c": -15.0}, at_ms, (), RULE)
    return Transition(at_ms, RULE, subject, origin, to, severity, evidence, historical)


@pytest.fixture
def book(database, campus):
    return AlertBook(database, lambda: campus)


def messages(database):
    with Session(database) as session:
        return [
            (row.channel, row.reason, row.state)
            for row in session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id))
        ]


def test_the_life_of_an_alert(book, database, clock):
    """Opened, made worse, acknowledged, resolved: each step is an event, and people hear of those that matter."""
    book.apply([change(State.FIRING, clock.now_ms)], seq=1, time_ms=clock.now_ms)
    alert = book.open_alerts()[0]
    assert (alert.state, alert.severity) == (AlertState.FIRING, Level.WARNING)
    book.apply(
        [change(State.FIRING, clock.now_ms + 1, Level.CRITICAL, origin=State.FIRING)],
        seq=2,
        time_ms=clock.now_ms,
    )
    taken = book.acknowledge(alert.id, "孙师傅", clock.now_ms + 2)
    assert (taken.state, taken.acknowledged_by) == (AlertState.ACKNOWLEDGED, "孙师傅")
    assert book.acknowledge(alert.id, "周师傅", clock.now_ms + 3).acknowledged_by == "孙师傅"
    book.note(alert.id, "孙师傅", clock.now_ms + 4, cause="门没关严", repair_note="已关门")
    book.apply([change(State.RESOLVED, clock.now_ms + 5, origin=State.FIRING)], seq=3, time_ms=clock.now_ms)
    assert book.open_alerts() == []
    assert [event.kind for event in book.events(alert.id)] == [
        "opened",
        "severity",
        "acknowledged",
        "noted",
        "resolved",
    ]
    assert [reason for _, reason, _ in messages(database)] == ["opened", "escalated", "resolved"]
    with pytest.raises(AlertOver):
        book.acknowledge(alert.id, "周师傅", clock.now_ms)
    with pytest.raises(NoSuchAlert, match="999"):
        book.get(999)


def test_a_batch_committed_twice_counts_once(book, database, clock):
    """After a crash the same batches are judged again; what was committed stays as it is."""
    for _ in range(3):
        book.apply([change(State.FIRING, clock.now_ms)], seq=7, time_ms=clock.now_ms, snapshot=b"{}")
    assert len(book.find()) == 1
    assert len(messages(database)) == 1
    assert book.position() == (7, 7, b"{}")


def test_the_past_is_recorded_and_not_told(book, database, clock):
    """A historical alert stands in the book, resolved, and nobody is woken."""
    book.apply([change(State.FIRING, clock.now_ms, historical=True)], seq=1, time_ms=clock.now_ms)
    assert book.open_alerts() == []
    assert book.find()[0].historical
    assert messages(database) == []


def test_pending_is_nobodys_business(book, clock):
    """Only firing and resolved reach the book."""
    book.apply([change(State.PENDING, clock.now_ms, origin=State.INACTIVE)], seq=1, time_ms=clock.now_ms)
    assert book.find() == []


def test_drills_are_marked(database, campus, clock):
    """An exercise's message begins with 【演练】."""
    book = AlertBook(database, lambda: campus, is_drill=lambda subject: subject == "freezer")
    book.apply([change(State.FIRING, clock.now_ms)], seq=1, time_ms=clock.now_ms)
    due = Outbox(database).take("phone", clock.now_ms)
    assert due.message.title.startswith("【演练】【警告】食堂「冷冻柜」温度过高")
    assert book.open_alerts()[0].drill


def test_no_open_alert_is_left_out(book):
    """However many there are: what a restart takes on from here is all that is open."""
    many = [change(State.FIRING, 1000, Level.WARNING, subject=f"device-{n}") for n in range(1001)]
    book.apply(many, seq=1, time_ms=1000)
    assert len(book.open_alerts()) == 1001
    assert len(book.open_alerts(limit=1000)) == 1000


TRANSITIONS = st.lists(
    st.tuples(
        st.sampled_from(["freezer", "fridge"]),
        st.sampled_from([State.FIRING, State.RESOLVED]),
        st.sampled_from([Level.WARNING, Level.CRITICAL]),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TRANSITIONS)
def test_invariants_hold_for_any_order(tmp_path_factory, campus, steps):
    """Whatever comes: one open alert a subject, events in order of time, no message twice."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('db') / 'o.db'}")
    book = AlertBook(engine, lambda: campus)
    for number, (subject, state, severity, take) in enumerate(steps, start=1):
        book.apply(
            [change(state, number * 1000, severity, subject=subject)], seq=number, time_ms=number * 1000
        )
        if take and book.open_alerts():
            book.acknowledge(book.open_alerts()[0].id, "x", number * 1000)
    subjects = [alert.subject for alert in book.open_alerts()]
    assert len(subjects) == len(set(subjects))
    for alert in book.find():
        times = [event.time_ms for event in book.events(alert.id)]
        assert times == sorted(times)
    with Session(engine) as session:
        keys = session.scalars(sa.select(OutboxRow.key)).all()
    assert len(keys) == len(set(keys))
    engine.dispose()


class Scripted:
    """A channel that answers as told."""

    def __init__(self, *answers: Delivery) -> None:
        self.answers = list(answers)
        self.sent = []
        self.doubtful = []

    def send(self, message, recipient, *, doubtful=False):
        self.sent.append(message)
        self.doubtful.append(doubtful)
        return self.answers.pop(0) if self.answers else sent()

    def close(self):
        pass


@pytest.fixture
def road(database, book, clock):
    """A dispatcher over scripted channels, with one alert waiting to be told."""

    def make(**channels):
        book.apply([change(State.FIRING, clock.now_ms)], seq=1, time_ms=clock.now_ms)
        return Dispatcher(Outbox(database), channels, book, now_ms=clock)

    return make


def test_retries_back_off_and_end_in_the_message(road, database, clock):
    """A channel that fails twice is tried again after 5 s and 15 s, and the third try arrives."""
    phone = Scripted(retry("busy", ""), retry("busy", ""))
    dispatcher = road(phone=phone, console=Scripted())
    assert dispatcher.send_next("phone")
    assert not dispatcher.send_next("phone")
    clock.forward(5)
    assert dispatcher.send_next("phone")
    clock.forward(14)
    assert not dispatcher.send_next("phone")
    clock.forward(1)
    assert dispatcher.send_next("phone")
    assert messages(database) == [("phone", "opened", "sent")]
    assert phone.doubtful == [False, True, True]


def test_a_failed_message_goes_to_the_next_channel(road, database):
    """What one channel refuses for good is told over the fallback."""
    console = Scripted()
    dispatcher = road(phone=Scripted(failed("93000", "gone")), console=console)
    dispatcher.send_next("phone")
    dispatcher.send_next("console")
    assert messages(database) == [("phone", "opened", "parked"), ("console", "fallback from phone", "sent")]
    assert len(console.sent) == 1


def test_nobody_reached_is_known(road, database):
    """When the last channel fails, too, whom the alert has not reached is known, with what the provider said."""
    dispatcher = road(phone=Scripted(failed("x", "")), console=Scripted(failed("y", "no")))
    dispatcher.send_next("phone")
    assert Outbox(database).unreached() == []
    dispatcher.send_next("console")
    unreached = Outbox(database).unreached()
    assert len(unreached) == 2
    assert "y no" in unreached[1].message


def test_endless_retries_are_given_up(road, database, clock):
    """After two hours of later, later, the next channel has its turn."""
    dispatcher = road(phone=Scripted(*[retry("busy", "")] * 500), console=Scripted())
    until_ms = clock.now_ms + GIVE_UP_MS + 30 * 60_000
    while clock.now_ms < until_ms:
        dispatcher.send_next("phone")
        clock.forward(60)
    dispatcher.send_next("console")
    assert messages(database)[-1] == ("console", "fallback from phone", "sent")


def test_what_was_being_sent_is_sent_after_a_crash(road, database, clock):
    """A row marked as being sent is due at once at the next start, and the channel knows it may have gone out."""
    dispatcher = road(phone=Scripted(), console=Scripted())
    outbox = Outbox(database)
    assert outbox.take("phone", clock.now_ms) is not None
    assert not dispatcher.send_next("phone")
    assert outbox.revive(clock.now_ms) == 1
    due = outbox.take("phone", clock.now_ms)
    assert due.doubtful


class Raising(Scripted):
    def send(self, message, recipient, *, doubtful=False):
        raise RuntimeError("a bug in a channel")


def test_a_channel_that_raises_loses_nothing(road, database):
    """Even a channel with a bug only means: later."""
    assert road(phone=Raising(), console=Scripted()).send_next("phone")
    assert messages(database) == [("phone", "opened", "pending")]


def test_the_threads_send_at_once_and_stop(road, database, clock):
    """Woken, the dispatcher's own thread sends without delay, and stops when told."""
    dispatcher = road(phone=Scripted(), console=Scripted())
    dispatcher.start()
    dispatcher.wake()
    outbox = Outbox(database)
    wait_until(lambda: not outbox.waiting())
    dispatcher.stop()
    assert messages(database) == [("phone", "opened", "sent")]


def test_migrations_make_exactly_the_tables(database):
    """What the migrations make is what the models say, and a second run changes nothing."""
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_newer_database_is_refused(tmp_path):
    """A database of a later version is left alone, with a word on what to do."""
    url = f"sqlite:///{tmp_path / 'o.db'}"
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(DatabaseTooNew, match="9999"):
        open_database(url)


def test_two_open_alerts_of_one_subject_cannot_be(database, clock):
    """The database itself refuses a second open alert of the same rule and subject."""
    row = {
        "rule": "r",
        "subject": "s",
        "severity": "warning",
        "state": "firing",
        "opened_ms": 1,
        "updated_ms": 1,
        "evidence": {},
    }
    with Session(database) as session:
        session.add_all([AlertRow(**row), AlertRow(**row)])
        with pytest.raises(sa.exc.IntegrityError):
            session.commit()


def test_outcomes_are_three():
    """Sent, later, never."""
    assert [sent().outcome, retry("", "").outcome, failed("", "").outcome] == list(Outcome)
