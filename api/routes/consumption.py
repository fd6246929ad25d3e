"""What a device used, by hour, day or month."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.consumption import Consumption, consumed, counter_of
from api.errors import BadRequest, NotFound
from api.routes.common import Deps, Viewer, device_of, moment_of
from api.transport.guarded_route import GuardedRoute
from campus.clock import DAY_MS, iso
from campus.drill import is_drill
from campus.meter.consumption import Use
from campus.meter.meter import counts
from campus.meter.period import Unit, edges
from campus.meter.step import Step
from campus.quantity import SPECS, Quantity

router = APIRouter(prefix="/api", tags=["devices"], route_class=GuardedRoute)

_MOST_PERIODS = 10_000
#: no period of a unit is shorter
_SHORTEST_DAYS = {Unit.HOUR: 1 / 24, Unit.DAY: 23 / 24, Unit.MONTH: 27.9}
_USUAL_DAYS = {Unit.HOUR: 1, Unit.DAY: 30, Unit.MONTH: 365}


@router.get("/devices/{device_id}/consumption")
def get_consumption(
    services: Deps,
    _: Viewer,
    *,
    device_id: str,
    start: Annotated[str, Query(alias="from")] = "",
    end: Annotated[str, Query(alias="to")] = "",
    step: Unit = Unit.DAY,
    quantity: str = "",
    channel: str | None = None,
) -> dict[str, Any]:
    """Consumption by whole local hours, days or months, from the counter's readings.

    Rollovers, resets and replaced meters are seen through; nothing is negative and nothing is counted twice. `inferred`
    is the part that was not measured in its period, `reasons` say why; a period nothing is known of has `volume` null.
    """
    device = device_of(services, device_id)
    if is_drill(device.id):  # what an exercise counts was never used
        raise NotFound("consumption of device", device_id)
    if quantity and not (quantity in SPECS and counts(Quantity(quantity))):
        expected = ", ".join(one for one in SPECS if counts(one))
        raise BadRequest("quantity", quantity, f"one of {expected}")
    end_ms = moment_of("to", end, services.now_ms() + 1, services)
    start_ms = moment_of("from", start, end_ms - _USUAL_DAYS[step] * DAY_MS, services)
    if start_ms >= end_ms:
        raise BadRequest("from", start, f"a moment before to ({iso(end_ms)})")
    if (end_ms - start_ms) / DAY_MS > _MOST_PERIODS * _SHORTEST_DAYS[step]:
        raise BadRequest("from", start, f"at most {_MOST_PERIODS} periods of one {step} before to")
    zone = services.campus().site.zone
    series = counter_of(services.store, device, quantity, channel)
    found = consumed(services.store, series, device, edges(start_ms, end_ms, step, zone))
    return {
        "device": device.id,
        "quantity": series.quantity.value,
        "channel": series.channel,
        "unit": SPECS[series.quantity].unit,
        "step": step.value,
        "zone": zone.key,
        "resolution": found.resolution,
        **_sums(found),
        "periods": [_period_json(use) for use in found.uses],
        "events": [_event_json(one) for one in found.events],
    }


def _sums(found: Consumption) -> dict[str, Any]:
    volume = sum(use.volume for use in found.uses)
    inferred = sum(use.inferred for use in found.uses)
    return {
        "volume": _amount(volume),
        "inferred": _amount(inferred),
        "inferred_share": round(inferred / volume, 4) if volume else 0.0,
        "backflow": _amount(sum(use.backflow for use in found.uses)),
    }


def _period_json(use: Use) -> dict[str, Any]:
    return {
        "start_ms": use.start_ms,
        "end_ms": use.end_ms,
        "volume": _amount(use.volume) if use.covered_ms else None,
        "inferred": _amount(use.inferred),
        "covered_share": round(use.covered_ms / (use.end_ms - use.start_ms), 4),
        "reasons": sorted(use.reasons),
    }


def _event_json(step: Step) -> dict[str, Any]:
    return {
        "event": step.event.value,
        "since_ms": step.since_ms,
        "until_ms": step.until_ms,
        "volume": _amount(step.volume),
        "backflow": _amount(step.backflow),
        "reason": step.reason.value if step.reason is not None else None,
    }


def _amount(value: float) -> float:
    """To a millilitre or a milliwatt-hour: what is behind that is arithmetic, not measurement."""
    return round(value, 6)
