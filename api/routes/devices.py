"""Devices, their latest readings, and their history."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.errors import BadRequest
from api.routes.common import Deps, Viewer, device_of, moment_of
from api.services import Services
from api.transport.guarded_route import GuardedRoute
from campus.clock import DAY_MS, iso
from campus.device import Device
from campus.drill import is_drill
from campus.quantity import SPECS, Quantity
from campus.reading import Series
from store.timeseries.contract import Aggregate, Point

router = APIRouter(prefix="/api", tags=["devices"], route_class=GuardedRoute)

_MOST_POINTS = 20_000


@router.get("/devices")
def list_devices(services: Deps, _: Viewer, building: str = "", kind: str = "") -> list[dict[str, Any]]:
    """Every device of the register with its latest readings; an exercise's are not in it."""
    campus = services.campus()
    return [
        device_json(services, device)
        for device in campus.devices.values()
        if not is_drill(device.id)
        and (not building or device.place.building == building)
        and (not kind or device.kind == kind)
    ]


@router.get("/devices/{device_id}")
def get_device(services: Deps, _: Viewer, device_id: str) -> dict[str, Any]:
    """One device with its latest readings."""
    return device_json(services, device_of(services, device_id))


@router.get("/devices/{device_id}/history")
def get_history(
    services: Deps,
    _: Viewer,
    *,
    device_id: str,
    quantity: str,
    channel: str = "",
    start: str = "",
    end: str = "",
    step_s: Annotated[int, Query(ge=0, le=366 * 24 * 3600)] = 0,
    aggregate: Aggregate = Aggregate.MEAN,
) -> dict[str, Any]:
    """Points of one series: raw, or one a step. *start* and *end* are ISO 8601 (the last day where left out)."""
    device = device_of(services, device_id)
    if quantity not in SPECS:
        raise BadRequest("quantity", quantity, f"one of {', '.join(SPECS)}")
    end_ms = moment_of("end", end, services.now_ms() + 1, services)
    start_ms = moment_of("start", start, end_ms - DAY_MS, services)
    if start_ms >= end_ms:
        raise BadRequest("start", start, f"a moment before end ({iso(end_ms)})")
    points = services.store.query(
        Series(device.id, Quantity(quantity), channel),
        start_ms,
        end_ms,
        step_ms=step_s * 1000,
        aggregate=aggregate,
        limit=_MOST_POINTS,
    )
    unit = SPECS[Quantity(quantity)].unit
    return {"unit": unit, "points": [[point.time_ms, point.value] for point in points]}


def device_json(services: Services, device: Device) -> dict[str, Any]:
    """A device as the API shows it."""
    readings = [_reading_json(series, point) for series, point in services.board.device(device.id).items()]
    return {
        "id": device.id,
        "name": device.name,
        "kind": device.kind.value,
        "place": device.place.model_dump(),
        "role": device.role.value,
        "profile": device.profile,
        "decoder": device.decoder,
        "readings": readings,
    }


def _reading_json(series: Series, point: Point) -> dict[str, Any]:
    return {
        "quantity": series.quantity.value,
        "channel": series.channel,
        "value": point.value,
        "unit": SPECS[series.quantity].unit,
        "time_ms": point.time_ms,
        "quality": point.quality.name.lower(),
    }
