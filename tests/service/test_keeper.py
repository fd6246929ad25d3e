"""Old readings go as site.yaml says; their hours stay unless they, too, have a limit."""

import pytest
from pydantic import ValidationError

from campus.clock import DAY_MS, HOUR_MS
from campus.quantity import Quantity
from campus.reading import Reading, Series
from campus.site import Site
from service.keeper import Keeper
from store.embedded import EmbeddedStore
from store.timeseries import Aggregate

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
def test_what_is_kept(store, settings, readings, hours):
    """Readings for their days, hours for theirs, 0 for ever; a second time there is nothing to forget."""
    keeper = Keeper(store, Site(id="s", name="s", **settings), lambda: NOW_MS)
    assert keeper.keep() >= 400 * 24 - readings - hours
    assert keeper.keep() == 0
    assert len(store.query(METER, 0, NOW_MS)) == readings
    counts = store.query(METER, 0, NOW_MS, step_ms=DAY_MS, aggregate=Aggregate.COUNT)
    assert sum(point.value for point in counts) == hours
    keeper.stop()


@pytest.mark.parametrize(("readings", "hours"), [(0, 10), (30, 10)])
def test_hours_cannot_go_before_their_readings(readings, hours):
    """A limit of hours alone, or below that of readings, is a mistake of site.yaml."""
    with pytest.raises(ValidationError, match="at least retention_days"):
        Site(id="s", name="s", retention_days=readings, rollup_retention_days=hours)
