"""What only a real InfluxDB can say: its own refusals, and its buckets."""

import os
import time

import pytest

from campus.clock import DAY_MS
from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.errors import PointRefused, StoreMissing, StoreUnavailable
from store.journal.consumer import StoreConsumer
from store.journal.journal import Journal
from store.timeseries.influx.address import parse_url
from store.timeseries.influx.store import InfluxStore

INFLUX = os.environ.get("SHOUYUAN_TEST_INFLUXDB_URL", "")
pytestmark = [
    pytest.mark.influxdb,
    pytest.mark.skipif(
        not INFLUX, reason="SHOUYUAN_TEST_INFLUXDB_URL is not set (influxdb2://TOKEN@HOST:PORT/ORG/BUCKET)"
    ),
]
NOW_MS = int(time.time() * 1000)
WARM = Series("d", Quantity.TEMPERATURE)
DAMP = Series("d", Quantity.HUMIDITY)


def reading(series, time_ms, value=1.0):
    return Reading(series, value, time_ms, time_ms)


def test_a_field_of_another_type_refuses_its_own_points_only(new_bucket):
    """Where another program made a value an integer, our points there are refused by name; all others are stored."""
    store = new_bucket()
    store._server.write(f"temperature,device=d value=1i {NOW_MS}".encode())
    batch = [reading(DAMP if n % 5 else WARM, NOW_MS + n) for n in range(20)]
    with pytest.raises(PointRefused, match="type conflict") as caught:
        store.write(batch)
    assert [index for index, _ in caught.value.refused] == [0, 5, 10, 15]
    assert len(store.query(DAMP, NOW_MS, NOW_MS + 100)) == 16


def test_points_beyond_the_retention_are_refused(new_bucket):
    """What is older than the bucket keeps is refused by name; what it keeps is stored."""
    store = new_bucket(retention_s=3600)
    batch = [reading(WARM, NOW_MS - 30 * DAY_MS), reading(WARM, NOW_MS), reading(WARM, NOW_MS - 20 * DAY_MS)]
    with pytest.raises(PointRefused, match="retention") as caught:
        store.write(batch)
    assert [index for index, _ in caught.value.refused] == [0, 2]
    assert [point.time_ms for point in store.query(WARM, NOW_MS - 1, NOW_MS + 1)] == [NOW_MS]


def test_a_bucket_is_made_once(new_bucket):
    """Setting up again changes nothing."""
    assert not new_bucket().ensure_bucket(retention_s=7200)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace(parse_url(url).token, "wrong"), "the token is not known"),
        (lambda url: url.replace(f"/{parse_url(url).org}/", "/no-such-org/"), "not found"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(change, said):
    """A wrong token or organisation is named, for writes and questions alike."""
    store = InfluxStore(parse_url(change(INFLUX)))
    for call in (lambda: store.write([reading(WARM, NOW_MS)]), lambda: store.query(WARM, 0, NOW_MS)):
        with pytest.raises(StoreUnavailable, match=said):
            call()
    store.close()


def test_another_program_s_data_is_passed_over(new_bucket):
    """Measurements that are no quantity of ours, or have no device, are not our series."""
    store = new_bucket()
    store._server.write(
        f"cpu,host=a usage=1.0 {NOW_MS}\ntemperature,sensor=x value=1.0,quality=0.0 {NOW_MS}".encode()
    )
    store.write([reading(WARM, NOW_MS)])
    assert store.series() == [WARM]
    assert store.latest().keys() == {WARM}


def test_a_batch_of_thousands(new_bucket):
    """A catch-up batch is one write and is read back whole."""
    store = new_bucket()
    store.write([reading(WARM, NOW_MS + n, float(n)) for n in range(5_000)])
    points = store.query(WARM, NOW_MS, NOW_MS + DAY_MS)
    assert [point.value for point in points] == [float(n) for n in range(5_000)]


def test_a_bucket_that_is_gone_is_made_again(new_bucket):
    """A question to a missing bucket names it; the first write makes it."""
    store = new_bucket()
    client = store._server._client.buckets_api()
    client.delete_bucket(client.find_bucket_by_name(store._address.bucket))
    with pytest.raises(StoreMissing, match="does not exist"):
        store.query(WARM, 0, NOW_MS)
    store.write([reading(WARM, NOW_MS)])
    assert len(store.query(WARM, 0, NOW_MS + 1)) == 1


def test_a_bucket_that_is_gone_at_a_start_is_filled_again(new_bucket, tmp_path):
    """A bucket removed while we were away is made again, with everything the journal still holds."""
    store, behind = new_bucket(), []
    journal = Journal(tmp_path / "journal.db", quota_bytes=10**8)
    for number in range(10):
        journal.append([reading(WARM, NOW_MS + number)], committed_ms=NOW_MS + number)
    first = StoreConsumer(journal, store)
    while first.step():
        pass
    client = store._server._client.buckets_api()
    client.delete_bucket(client.find_bucket_by_name(store._address.bucket))
    again = StoreConsumer(journal, store, on_behind=behind.append)
    while again.step():
        pass
    journal.close()
    assert len(store.query(WARM, NOW_MS, NOW_MS + 100)) == 10
    assert behind == [10]
