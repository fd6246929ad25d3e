"""How VictoriaMetrics differs, and what only a real one can say."""

import time

import pytest

from campus.clock import DAY_MS, parse_iso
from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.errors import PointRefused, StoreUnavailable, Unsupported
from store.timeseries.contract import Aggregate, Point
from store.timeseries.halving import BodyRefused
from store.timeseries.victoria.address import parse_url
from store.timeseries.victoria.store import VictoriaStore

pytestmark = pytest.mark.parametrize("opener", ["victoriametrics"], indirect=True)
START_MS = parse_iso("2026-03-20T16:00:00Z")
NOW_MS = int(time.time() * 1000)
WARM = Series("d", Quantity.TEMPERATURE)


def test_of_two_values_at_one_time_the_larger_is_told(store, make):
    """Whatever the order of writing, so that the answer is at least always the same one."""
    for values in ((1, 9, 3), (9, 3, 1)):
        at_ms = START_MS + values[0]
        for value in values:
            store.write([make(at_ms, value)])
        assert [point.value for point in store.query(make(0, 0).series, at_ms, at_ms + 1)] == [9.0]
        (count,) = store.query(make(0, 0).series, at_ms, at_ms + 1, step_ms=DAY_MS, aggregate=Aggregate.COUNT)
        assert count.value == 1.0


def test_quality_is_kept_without_a_series_for_good_ones(store, make):
    """Each point has its quality, raw and as the latest; a device without bad readings costs one series."""
    qualities = [Quality.GOOD, Quality.SUSPECT, Quality.GOOD, Quality.LATE]
    store.write([make(START_MS + n, n, quality=quality) for n, quality in enumerate(qualities)])
    series = make(0, 0).series
    assert [point.quality for point in store.query(series, START_MS, START_MS + 9)] == qualities
    assert store.latest([series])[series].quality is Quality.LATE
    store.write([make(START_MS + 9, 1), make(START_MS, 1, channel="good")])
    assert store.latest([series])[series].quality is Quality.GOOD
    names = store._server.series(f'{{device="{series.device}",channel="good"}}')
    assert [one["__name__"] for one in names] == ["temperature_value"]


def test_values_keep_fifteen_digits(store, make):
    """Decimals of meters and probes come back the same; what has more digits nearly so."""
    values = [0.1, -20.35, 123456789.12345, 1e-9, 0.1 + 0.2]
    for n, value in enumerate(values):
        store.write([make(START_MS + n, value, channel=str(n))])
        (point,) = store.query(make(0, 0, channel=str(n)).series, START_MS, START_MS + 9)
        assert point.value == pytest.approx(value, rel=1e-14)


def test_forgetting_is_the_server_s(store):
    """Asked to forget, it says that it cannot, and what to do instead."""
    with pytest.raises(Unsupported, match="-retentionPeriod"):
        store.delete_before(START_MS)


def test_what_the_server_would_drop_is_refused(opener, run_victoria):
    """What is older than it keeps, or days ahead of its clock, is named with its retention; the rest is stored."""
    store = VictoriaStore(parse_url(run_victoria("-retentionPeriod=2w")))
    times = [NOW_MS - 20 * DAY_MS, NOW_MS - DAY_MS, NOW_MS + 3 * DAY_MS, NOW_MS]
    with pytest.raises(PointRefused, match="-retentionPeriod=2w") as caught:
        store.write([Reading(WARM, 1.0, at_ms, at_ms) for at_ms in times])
    assert [index for index, _ in caught.value.refused] == [0, 2]
    store.close()


def test_a_server_that_keeps_its_metrics_to_itself(opener, run_victoria):
    """Where the retention cannot be looked up, everything is written, and found."""
    store = VictoriaStore(parse_url(run_victoria("-retentionPeriod=100y", "-metricsAuthKey=secret")))
    store.write([Reading(WARM, 1.0, NOW_MS, NOW_MS)])
    store._server._http.get(f"{store._address.url}/internal/force_flush")
    assert store.latest() == {WARM: Point(NOW_MS, 1.0)}
    assert len(store.query(WARM, 0, NOW_MS + 1)) == 1
    store.close()


def test_names_the_server_would_cut_off_are_refused(store, make):
    """Two long names must not become one."""
    with pytest.raises(PointRefused, match="1000 bytes"):
        store.write([make(START_MS, 1, name="长" * 400)])


def test_a_body_the_server_refuses_is_halved(store, make, monkeypatch):
    """Where it refuses a body for one of its lines, that reading alone is refused."""
    send = store._server.write

    def picky(body):
        if b"channel=poison" in body:
            raise BodyRefused("cannot parse")
        send(body)

    monkeypatch.setattr(store._server, "write", picky)
    batch = [make(START_MS + n, n) for n in range(50)]
    batch[17] = make(START_MS + 17, 17, channel="poison")
    with pytest.raises(PointRefused) as caught:
        store.write(batch)
    assert caught.value.refused == ((17, "cannot parse"),)
    assert len(store.query(batch[0].series, START_MS, START_MS + 99)) == 49


def test_another_program_s_series_are_passed_over(store, device):
    """A metric that is no quantity of ours is not our series."""
    store._server.write(
        f"cpu,device={device} value=1 {START_MS}\ntemperature,host=x value=1 {START_MS}".encode()
    )
    assert store.series(device) == []


def test_a_page_that_is_no_victoriametrics(opener, http_page):
    """A web server that answers anything with a page is not taken for success."""
    store = VictoriaStore(parse_url(http_page))
    for call in (lambda: store.write([Reading(WARM, 1.0, NOW_MS, NOW_MS)]), lambda: store.query(WARM, 0, 9)):
        with pytest.raises(StoreUnavailable):
            call()
    store.close()
