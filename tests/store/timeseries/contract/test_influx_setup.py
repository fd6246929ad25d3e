"""A real InfluxDB is set up as a store, once, and its task works out the hours."""

import os
import uuid

import pytest
from influxdb_client import InfluxDBClient

from campus.clock import DAY_MS, HOUR_MS, MINUTE_MS, parse_iso
from campus.quantity import Quantity
from campus.reading import Reading, Series
from store.errors import StoreUnavailable
from store.timeseries.influx.address import InfluxAddress, parse_url
from store.timeseries.influx.server import InfluxServer
from store.timeseries.influx.setup import FIELDS, hourly_bucket, set_up, task_flux, work_out_history
from store.timeseries.influx.store import InfluxStore

INFLUX = os.environ.get("SHOUYUAN_TEST_INFLUXDB_URL", "")
pytestmark = [
    pytest.mark.influxdb,
    pytest.mark.skipif(
        not INFLUX, reason="SHOUYUAN_TEST_INFLUXDB_URL is not set (influxdb2://TOKEN@HOST:PORT/ORG/BUCKET)"
    ),
]
START_MS = parse_iso("2026-03-20T16:00:00Z")
COLD = Series("冰柜 1", Quantity.TEMPERATURE, "probe2")


@pytest.fixture
def address():
    known = parse_url(INFLUX)
    address = InfluxAddress(known.url, known.token, known.org, f"test-{uuid.uuid4().hex}")
    yield address
    with InfluxDBClient(address.url, address.token, org=address.org) as client:
        for bucket in list(client.buckets_api().find_buckets_iter(org=address.org)):
            if bucket.name in {address.bucket, hourly_bucket(address.bucket)}:
                client.buckets_api().delete_bucket(bucket)
        for task in client.tasks_api().find_tasks():
            if address.bucket in task.name:
                client.tasks_api().delete_task(task.id)
        for token in client.authorizations_api().find_authorizations():
            if token.description == f"shouyuan {address.bucket}":
                client.authorizations_api().delete_authorization(token)


@pytest.fixture
def client(address):
    with InfluxDBClient(address.url, address.token, org=address.org) as client:
        yield client


def hourly(address):
    server = InfluxServer(address)
    rows = server.query(f'from(bucket: "{hourly_bucket(address.bucket)}") |> range(start: 0)')
    server.close()
    return {
        (row["_field"], int(row["_time"].timestamp() * 1000), row["device"], row["channel"]): row["_value"]
        for row in rows
    }


def test_setting_up_again_changes_nothing(address, client):
    """Buckets, retention, task and token are made once; a second time there is nothing to do."""
    first = set_up(address, retention_days=30, make_token=True)
    assert len(first.done) == 4
    again = set_up(address, retention_days=30, make_token=True)
    assert (again.done, again.token) == ((), first.token)
    (rule,) = client.buckets_api().find_bucket_by_name(address.bucket).retention_rules
    assert rule.every_seconds == 30 * 86_400
    (rule,) = client.buckets_api().find_bucket_by_name(hourly_bucket(address.bucket)).retention_rules
    assert rule.every_seconds == 0


def test_what_differs_is_corrected(address, client):
    """Another retention is set; a task that was changed or switched off is brought back."""
    set_up(address)
    tasks = client.tasks_api()
    (task,) = (one for one in tasks.find_tasks() if address.bucket in one.name)
    task.status = "inactive"
    tasks.update_task(task)
    assert len(set_up(address, retention_days=7).done) == 2
    (task,) = (one for one in tasks.find_tasks() if address.bucket in one.name)
    assert (task.status, task.flux.strip()) == ("active", task_flux(address.bucket).strip())
    assert set_up(address, retention_days=7).done == ()


def test_the_token_reaches_its_buckets_only(address):
    """The service writes and reads with it; it may not look into another bucket."""
    token = set_up(address, make_token=True).token
    store = InfluxStore(InfluxAddress(address.url, token, address.org, address.bucket))
    store.write([Reading(COLD, -18.5, START_MS, START_MS)])
    assert len(store.query(COLD, START_MS, START_MS + 1)) == 1
    store.close()
    other = InfluxStore(InfluxAddress(address.url, token, address.org, parse_url(INFLUX).bucket))
    with pytest.raises(StoreUnavailable):
        other.query(COLD, START_MS, START_MS + 1)
    other.close()


def test_hours_are_worked_out(address):
    """Mean, least, greatest and last of each hour, from history, the same when it is done again with late data."""
    set_up(address)
    store = InfluxStore(address)
    for value in (1.0, 2.0):  # the second time as corrected, late data
        store.write([Reading(COLD, value * n, START_MS + n * 10 * MINUTE_MS, START_MS) for n in range(12)])
        work_out_history(address, START_MS, START_MS + DAY_MS)
        wanted = {}
        for hour in (0, 1):
            values = [value * n for n in range(hour * 6, hour * 6 + 6)]
            parts = (sum(values) / 6, min(values), max(values), values[-1])
            for field, part in zip(FIELDS, parts, strict=True):
                wanted[field, START_MS + hour * HOUR_MS, COLD.device, COLD.channel] = pytest.approx(part)
        assert hourly(address) == wanted
    store.close()


def test_the_server_runs_the_task(address, client):
    """Started by hand, the task writes the last day's whole hours without an error."""
    set_up(address)
    store = InfluxStore(address)
    now_ms = client.ping() and int(
        client.query_api()
        .query('import "array" array.from(rows: [{t: now()}])')[0]
        .records[0]["t"]
        .timestamp()
        * 1000
    )
    hour_ms = now_ms - now_ms % HOUR_MS - 2 * HOUR_MS
    store.write([Reading(COLD, float(n), hour_ms + n * MINUTE_MS, now_ms) for n in range(60)])
    tasks = client.tasks_api()
    (task,) = (one for one in tasks.find_tasks() if address.bucket in one.name)
    run = tasks.run_manually(task.id)
    for _ in range(600):
        state = tasks.get_run(task.id, run.id)
        if state.status in {"success", "failed"}:
            break
        store.latest()  # a look at the server, in place of a sleep
    assert state.status == "success", state.log
    assert hourly(address)["mean", hour_ms, COLD.device, COLD.channel] == pytest.approx(29.5)
    store.close()
