"""Old readings go as site.yaml says; their hours stay unless they, too, have a limit. Old messages go when settled."""

import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session

from alerts.channels.contract import Delivery, Outcome
from alerts.message import MessageKind, OutgoingMessage
from alerts.outbox import Outbox, enqueue
from alerts.routing import Destination, Recipient
from campus.clock import DAY_MS, HOUR_MS
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from rules.level import Level
from service.runtime.keeper import Keeper
from service.runtime.retention_clock import RetentionClock
from store.operations.facts import Facts
from store.operations.tables import OutboxRow
from store.timeseries.contract import Aggregate
from store.timeseries.embedded import EmbeddedStore

METER = Series("m", Quantity.ENERGY)
NOW_MS = 400 * DAY_MS


@pytest.fixture
def store(tmp_path):
    store = EmbeddedStore(tmp_path / "timeseries.db")
    store.write([Reading(METER, 1.0, n * HOUR_MS, 0) for n in range(400 * 24)])
    yield store
    store.close()


@pytest.mark.parametrize(
    ("settings", "readings", "hours"),
    [
        ({}, 400 * 24, 400 * 24),
        ({"retention_days": 30}, 30 * 24, 400 * 24),
        ({"retention_days": 30, "rollup_retention_days": 100}, 30 * 24, 100 * 24),
    ],
)
def test_what_is_kept(store, database, settings, readings, hours):
    """Readings for their days, hours for theirs, 0 for ever; a second time there is nothing to forget."""
    site = Site(id="s", name="s", **settings)
    keeper = Keeper(store, Outbox(database), lambda: site, lambda: NOW_MS)
    assert keeper.keep() >= 400 * 24 - readings - hours
    assert keeper.keep() == 0
    assert len(store.query(METER, 0, NOW_MS)) == readings
    counts = store.query(METER, 0, NOW_MS, step_ms=DAY_MS, aggregate=Aggregate.COUNT)
    assert sum(point.value for point in counts) == hours
    keeper.stop()


def test_a_clock_years_ahead_deletes_next_to_nothing(store, database):
    """Until somebody sets it right, each hourly look deletes two hours of readings at most; over a restart too."""
    site = Site(id="s", name="s", retention_days=400)
    clock = [NOW_MS]

    def keeper():
        by = RetentionClock(Facts(database), lambda: clock[0])
        return Keeper(store, Outbox(database), lambda: site, lambda: clock[0], delete_by=by)

    assert keeper().keep() == 0
    clock[0] = NOW_MS + 4 * 365 * DAY_MS
    assert keeper().keep() == 2
    clock[0] = NOW_MS + HOUR_MS
    assert keeper().keep() == 0


def test_a_machine_that_was_off_catches_up(database):
    """At two hours a look the time by which is deleted meets the clock's again."""
    clock = [NOW_MS]
    by = RetentionClock(Facts(database), lambda: clock[0])
    by()
    clock[0] += 3 * HOUR_MS
    assert [by() - NOW_MS for _ in range(3)] == [2 * HOUR_MS, 3 * HOUR_MS, 3 * HOUR_MS]


def test_settled_messages_go_after_a_year(store, database):
    """What is still to be sent stays however old it is, and so does the record of an exercise."""
    outbox = Outbox(database)
    keeper = Keeper(store, outbox, lambda: Site(id="s", name="s"), lambda: NOW_MS)

    def write(key, created_ms, *, sent, drill=False):
        message = OutgoingMessage(key, MessageKind.ALERT, Level.WARNING, key, drill=drill)
        with Session(database) as session, session.begin():
            enqueue(
                session,
                message,
                Destination(key, Recipient("r")),
                alert_id=None,
                reason="opened",
                now_ms=created_ms,
            )
        if sent:
            outbox.settle(outbox.take(key, NOW_MS), Delivery(Outcome.SENT), NOW_MS)

    write("new", NOW_MS - 300 * DAY_MS, sent=True)
    write("old", NOW_MS - 401 * DAY_MS, sent=True)
    write("old and waiting", NOW_MS - 401 * DAY_MS, sent=False)
    write("old exercise", NOW_MS - 401 * DAY_MS, sent=True, drill=True)
    keeper.keep()
    with Session(database) as session:
        left = set(session.scalars(sa.select(OutboxRow.channel)))
    assert left == {"new", "old and waiting", "old exercise"}


@pytest.mark.parametrize(("readings", "hours"), [(0, 10), (30, 10)])
def test_hours_cannot_go_before_their_readings(readings, hours):
    """A limit of hours alone, or below that of readings, is a mistake of site.yaml."""
    with pytest.raises(ValidationError, match="at least retention_days"):
        Site(id="s", name="s", retention_days=readings, rollup_retention_days=hours)
