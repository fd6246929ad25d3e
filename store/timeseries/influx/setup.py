"""Sets InfluxDB up as a store: bucket and retention, hourly values in a second bucket, a token for just these two.

Everything is done only where it is missing or differs, so that setting up again changes nothing.
"""

from __future__ import annotations

from typing import Any

import influxdb_client
import msgspec
from influxdb_client.client.influxdb_client import InfluxDBClient

from campus.clock import DAY_MS, iso
from store.timeseries.influx.address import InfluxAddress
from store.timeseries.influx.flux import text
from store.timeseries.influx.server import InfluxServer, translated

#: the client has gaps in its types
_MODELS: Any = influxdb_client
#: what an hour's readings become, each a field of the hourly bucket
FIELDS = ("mean", "min", "max", "last")
#: hours that are worked out anew each time, so that what arrives late is in them
_LATE_HOURS = 26
_TIMEOUT_MS = 300_000
#: history is worked out in pieces of this size
_PIECE_MS = 30 * DAY_MS


class SetUp(msgspec.Struct, frozen=True):
    """What was done (nothing where all was there), and the token made for the service; empty where not asked for."""

    done: tuple[str, ...]
    token: str = ""


def hourly_bucket(bucket: str) -> str:
    """Where the hourly values of *bucket* are kept."""
    return f"{bucket}_hourly"


def hourly_flux(bucket: str, start: str, stop: str) -> str:
    """The query that writes the hourly values of a span, given as Flux times, into the second bucket."""
    target = text(hourly_bucket(bucket))
    span = f"range(start: {start}, stop: {stop})"
    values = f'from(bucket: {text(bucket)}) |> {span} |> filter(fn: (r) => r._field == "value")'
    lines = [f"readings = {values}"]
    lines += [
        f'readings |> aggregateWindow(every: 1h, fn: {field}, createEmpty: false, timeSrc: "_start")'
        f' |> set(key: "_field", value: "{field}") |> to(bucket: {target}) |> yield(name: "{field}")'
        for field in FIELDS
    ]
    return "\n".join(lines)


def task_flux(bucket: str) -> str:
    """The task: every hour, ten minutes past, the last day's whole hours."""
    span = (f"date.truncate(t: -{_LATE_HOURS}h, unit: 1h)", "date.truncate(t: now(), unit: 1h)")
    option = f"option task = {{name: {text(_task_name(bucket))}, every: 1h, offset: 10m}}"
    return f'import "date"\n\n{option}\n\n{hourly_flux(bucket, *span)}\n'


def set_up(address: InfluxAddress, *, retention_days: int = 0, make_token: bool = False) -> SetUp:
    """Makes or corrects both buckets, the task, and with *make_token* a token that may use only these.

    *retention_days* is how long readings are kept (0: for ever); hourly values are kept for ever. The address's
    own token must be allowed to do all this. Raises :class:`store.errors.StoreUnavailable`.
    """
    with (
        translated(address.url),
        InfluxDBClient(address.url, address.token, org=address.org, timeout=_TIMEOUT_MS) as client,
    ):
        hourly = hourly_bucket(address.bucket)
        done = [
            *_bucket(client, address.org, address.bucket, retention_days * 86_400),
            *_bucket(client, address.org, hourly, 0),
            *_task(client, address),
        ]
        token = _token(client, address, done) if make_token else ""
    return SetUp(tuple(done), token)


def work_out_history(address: InfluxAddress, start_ms: int, end_ms: int) -> None:
    """Writes the hourly values of what was there before the task was; again changes nothing."""
    server = InfluxServer(address)
    try:
        for piece_ms in range(start_ms - start_ms % DAY_MS, end_ms, _PIECE_MS):
            server.query(hourly_flux(address.bucket, iso(piece_ms), iso(min(piece_ms + _PIECE_MS, end_ms))))
    finally:
        server.close()


def _bucket(client: Any, org: str, name: str, retention_s: int) -> list[str]:
    buckets = client.buckets_api()
    found = next((one for one in buckets.find_buckets_iter(org=org) if one.name == name), None)
    rules: Any = [{"type": "expire", "everySeconds": retention_s}]
    kept = f"{retention_s // 86_400} days" if retention_s else "for ever"
    if found is None:
        buckets.create_bucket(bucket_name=name, org=org, retention_rules=rules if retention_s else None)
        return [f"bucket {name} made, kept {kept}"]
    if sum(rule.every_seconds for rule in found.retention_rules or ()) == retention_s:
        return []
    found.retention_rules = rules if retention_s else []
    buckets.update_bucket(found)
    return [f"bucket {name}: now kept {kept}"]


def _task(client: Any, address: InfluxAddress) -> list[str]:
    tasks, name, flux = client.tasks_api(), _task_name(address.bucket), task_flux(address.bucket)
    found = [one for one in tasks.find_tasks(name=name, org=address.org) if one.name == name]
    if not found:
        tasks.create_task(
            task_create_request=_MODELS.TaskCreateRequest(org=address.org, flux=flux, status="active")
        )
        return [f"task {name!r} made"]
    if found[0].flux.strip() == flux.strip() and found[0].status == "active":
        return []
    tasks.update_task_request(found[0].id, _MODELS.TaskUpdateRequest(flux=flux, status="active"))
    return [f"task {name!r} brought up to date"]


def _token(client: Any, address: InfluxAddress, done: list[str]) -> str:
    described = f"shouyuan {address.bucket}"
    tokens = client.authorizations_api()
    organisation = client.organizations_api().find_organizations(org=address.org)[0]
    for one in tokens.find_authorizations(org=address.org):
        if one.description == described and one.status == "active":
            return str(one.token or "")  # later versions keep only its hash
    names = (address.bucket, hourly_bucket(address.bucket))
    buckets = [client.buckets_api().find_bucket_by_name(name) for name in names]
    permissions = [
        _MODELS.Permission(
            action, _MODELS.PermissionResource(type="buckets", id=bucket.id, org_id=organisation.id)
        )
        for bucket in buckets
        for action in ("read", "write")
    ]
    made = tokens.create_authorization(
        authorization=_MODELS.Authorization(
            org_id=organisation.id, permissions=permissions, description=described
        )
    )
    done.append(f"token {described!r} made")
    return str(made.token)


def _task_name(bucket: str) -> str:
    return f"shouyuan hourly values of {bucket}"
