"""Messages held back, and devices that send without being registered."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.errors import NotFound
from api.guarded_route import GuardedRoute
from api.ports import HeldMessage
from api.routes.common import Admin, Deps, Viewer

router = APIRouter(prefix="/api", tags=["quarantine"], route_class=GuardedRoute)


class Replay(BaseModel):
    """Which messages to send through again."""

    ids: list[int] = Field(min_length=1, max_length=1000)


@router.get("/quarantine")
def list_held(
    services: Deps,
    _: Viewer,
    code: str = "",
    before_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[dict[str, Any]]:
    """Held messages, newest first, without their payloads."""
    return [held_json(one) for one in services.quarantine.held(limit=limit, before_id=before_id, code=code)]


@router.get("/quarantine/{entry_id}")
def get_held(services: Deps, _: Viewer, entry_id: int) -> dict[str, Any]:
    """One held message with its payload (base64, and as text where it is text)."""
    found = services.quarantine.one(entry_id)
    if found is None:
        raise NotFound("message", entry_id)
    text = found.payload.decode(errors="replace")
    return held_json(found) | {"payload": base64.b64encode(found.payload).decode(), "text": text}


@router.post("/quarantine/replay")
def replay(services: Deps, _: Admin, body: Replay) -> dict[str, int]:
    """Sends messages through again, after the register or a decoder was mended."""
    return {"replayed": services.quarantine.replay(body.ids)}


@router.get("/unregistered")
def list_strangers(services: Deps, _: Viewer) -> list[dict[str, Any]]:
    """Devices that send and are not in the register, ready to adopt."""
    return [msgspec.to_builtins(one) for one in services.quarantine.strangers()]


def held_json(one: HeldMessage) -> dict[str, Any]:
    """A held message without its payload."""
    shown: dict[str, Any] = msgspec.structs.asdict(one)
    del shown["payload"]
    return shown
