"""The register by API: take up a device, change one, read the folder again, and what became of a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.accounts import Act
from api.errors import NotFound
from api.ports import RegisterProblem, RegisterRefused
from api.routes.common import Deps, Keeper, Viewer, audit, device_of
from api.routes.devices import device_json
from api.transport.guarded_route import GuardedRoute

router = APIRouter(prefix="/api", tags=["register"], route_class=GuardedRoute)

#: the columns of devices.csv but the id, by their English headers
COLUMNS = (
    "name", "kind", "building", "floor", "room", "role", "profile", "address", "decoder", "model", "interval_s",
    "parent", "gateway", "register_modulus", "pulse_weight", "most_per_hour", "rated_current_a",
    "calibration_offset", "calibration_date", "asset_number", "keeper", "fields",
)  # fmt: skip


class Columns(BaseModel):
    """Columns of devices.csv by English header; what is left out stays, "" empties."""

    columns: dict[str, str] = Field(max_length=len(COLUMNS))


@router.get("/unregistered/{address:path}")
def get_unregistered(services: Deps, _: Viewer, address: str) -> dict[str, Any]:
    """An unregistered device with its newest message, and a guess at its row in the register."""
    found = services.register.guess(address)
    if found is None:
        raise NotFound("unregistered device", address)
    guess: dict[str, Any] = msgspec.to_builtins(found)
    return guess


@router.put("/register/{device_id}")
def put_device(services: Deps, account: Keeper, device_id: str, body: Columns) -> dict[str, Any]:
    """Adds a device to the register or changes it. Messages held of its address become readings. 422 with every mistake,
    and nothing changed, where it cannot be.
    """
    check_columns(body.columns)
    services.register.put(device_id, body.columns, account.display_name)
    audit(services, account, Act.DEVICE_CHANGED, device_id, columns=sorted(body.columns))
    return device_json(services, device_of(services, device_id))


@router.post("/register/reload")
def reload(services: Deps, account: Keeper) -> dict[str, Any]:
    """Reads the campus folder again. The mistakes, where there are any, and then nothing was changed."""
    problems = services.register.reload(account.display_name)
    audit(services, account, Act.REGISTER_RELOADED, "campus folder", mistakes=len(problems))
    return {"applied": not problems, "problems": [msgspec.to_builtins(one) for one in problems]}


@router.get("/devices/{device_id}/revisions")
def get_revisions(services: Deps, _: Viewer, device_id: str) -> list[Mapping[str, Any]]:
    """What became of a device in the register (added, moved, swapped, calibrated, edited, removed), newest first."""
    return list(services.register.history(device_id))


def check_columns(columns: Mapping[str, str]) -> None:
    """Raises :class:`RegisterRefused` for what is no column of the register."""
    unknown = [one for one in columns if one not in COLUMNS]
    if unknown:
        expected = f"one of {', '.join(COLUMNS)}"
        raise RegisterRefused([RegisterProblem("devices.csv", one, expected) for one in unknown])
