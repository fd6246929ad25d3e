"""Each store that can be reached here, and names of a test's own."""

import os
import uuid

import pytest
from influxdb_client import InfluxDBClient

from campus.quantity import Quantity
from campus.reading import Quality, Reading, Series
from store.influx import InfluxStore
from store.influx_address import parse_url
from store.opening import open_store

INFLUX = os.environ.get("SHOUYUAN_TEST_INFLUXDB_URL", "")
_MISSING = pytest.mark.skipif(
    not INFLUX, reason="SHOUYUAN_TEST_INFLUXDB_URL is not set (influxdb2://TOKEN@HOST:PORT/ORG/BUCKET)"
)


@pytest.fixture(params=["embedded", pytest.param("influxdb", marks=[pytest.mark.influxdb, _MISSING])])
def opener(request, tmp_path):
    """Opens the store under test, with the hook given; closed afterwards."""
    opened = []

    def open_it(refused=None):
        url = "embedded" if request.param == "embedded" else INFLUX
        one = open_store(url, tmp_path, refused=refused)
        opened.append(one)
        if request.param == "influxdb":
            one.ensure_bucket()
        return one

    yield open_it
    for one in opened:
        one.close()


@pytest.fixture
def store(opener):
    return opener()


@pytest.fixture
def new_bucket():
    """Makes a store on a bucket of its own in the real InfluxDB, removed afterwards."""
    stores = []

    def make_bucket(*, retention_s=0, refused=None):
        address = parse_url(f"{INFLUX.rpartition('/')[0]}/test-{uuid.uuid4().hex}")
        store = InfluxStore(address, refused=refused)
        assert store.ensure_bucket(retention_s=retention_s)
        stores.append((store, address))
        return store

    yield make_bucket
    for store, address in stores:
        store.close()
        with InfluxDBClient(address.url, address.token, org=address.org) as client:
            buckets = client.buckets_api()
            buckets.delete_bucket(buckets.find_bucket_by_name(address.bucket))


@pytest.fixture
def lone_store(request, opener, new_bucket):
    """A store nobody else uses, as forgetting is for all series at once."""
    return opener() if request.node.callspec.params["opener"] == "embedded" else new_bucket()


@pytest.fixture
def device():
    """A device nobody else writes to, as a bucket is shared by all tests and earlier runs."""
    return f"d-{uuid.uuid4().hex}"


@pytest.fixture
def make(device):
    """Makes readings of the device."""

    def reading(
        time_ms, value, *, quality=Quality.GOOD, quantity=Quantity.TEMPERATURE, channel="", name=None
    ):
        series = Series(device if name is None else name, quantity, channel)
        return Reading(series, float(value), time_ms, time_ms + 5, quality)

    return reading
