"""Messages held back, and devices that send without being registered."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.accounts import Account, Act
from api.errors import BadRequest, NotFound
from api.ports import HeldMessage
from api.routes.common import Deps, Id, IdBefore, Keeper, Viewer, audit
from api.services import Services
from api.transport.bounded_request import MOST_WHOLE
from api.transport.guarded_route import GuardedRoute

router = APIRouter(prefix="/api", tags=["quarantine"], route_class=GuardedRoute)


#: characters of a topic in lists
_SHOWN_TOPIC = 200


class Replay(BaseModel):
    """Which messages to send through again."""

    ids: list[Annotated[int, Field(ge=0, le=MOST_WHOLE)]] = Field(min_length=1, max_length=1000)


@router.get("/quarantine")
def list_held(
    services: Deps,
    _: Viewer,
    code: str = "",
    before_id: IdBefore = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[dict[str, Any]]:
    """Held messages, newest first, without their payloads."""
    found = services.quarantine.held(limit=limit, before_id=before_id, code=code)
    return [held_json(one) | {"topic": shortened(one.topic)} for one in found]


@router.get("/quarantine/{entry_id}")
def get_held(services: Deps, _: Viewer, entry_id: Id) -> dict[str, Any]:
    """One held message with its payload (base64, and as text where it is text)."""
    found = services.quarantine.one(entry_id)
    if found is None:
        raise NotFound("message", entry_id)
    text = found.payload.decode(errors="replace")
    return held_json(found) | {"payload": base64.b64encode(found.payload).decode(), "text": text}


@router.post("/quarantine/replay")
def replay(services: Deps, account: Keeper, body: Replay) -> dict[str, int]:
    """Sends messages through again, after the register or a decoder was mended."""
    replayed = services.quarantine.replay(body.ids)
    audit(services, account, Act.HELD_REPLAYED, "held messages", messages=replayed)
    return {"replayed": replayed}


@router.delete("/quarantine")
def purge(
    services: Deps, account: Keeper, code: str = "", address: str = "", everything: bool = False
) -> dict[str, int]:
    """Throws held messages away: those of a *code*, of an *address*, or, where asked for, *everything*."""
    if not (code or address or everything):
        raise BadRequest("everything", "false", "true, or a code or an address")
    return {"purged": throw_away(services, account, code=code, address=address)}


@router.delete("/quarantine/{entry_id}")
def purge_one(services: Deps, account: Keeper, entry_id: Id) -> dict[str, int]:
    """Throws one held message away."""
    if services.quarantine.one(entry_id) is None:
        raise NotFound("message", entry_id)
    return {"purged": throw_away(services, account, ids=(entry_id,))}


@router.get("/quarantine-usage")
def usage(services: Deps, _: Viewer) -> dict[str, int]:
    """How many messages are held, their bytes, and how many bytes may be."""
    found: dict[str, int] = msgspec.to_builtins(services.quarantine.usage())
    return found


@router.get("/set-aside")
def list_set_aside(services: Deps, _: Viewer) -> list[dict[str, Any]]:
    """What made the service die, again and again, and is therefore not handled any more."""
    return [msgspec.to_builtins(one) for one in services.quarantine.set_aside()]


@router.post("/set-aside/{aside_id}/try-again")
def try_again(services: Deps, account: Keeper, aside_id: int) -> dict[str, bool]:
    """Handles it again, as if it had never made the service die."""
    if not services.quarantine.try_again(aside_id):
        raise NotFound("thing set aside", aside_id)
    audit(services, account, Act.SET_ASIDE_TRIED, f"set aside {aside_id}")
    return {"tried": True}


@router.get("/unregistered")
def list_unregistered(services: Deps, _: Viewer) -> list[dict[str, Any]]:
    """Devices that send and are not in the register, ready to adopt."""
    return [
        msgspec.to_builtins(one) | {"topic": shortened(one.topic)}
        for one in services.quarantine.unregistered_sources()
    ]


def throw_away(services: Services, account: Account, **chosen: Any) -> int:
    """Purges what is *chosen*, and says who did it."""
    purged = services.quarantine.purge(**chosen)
    audit(services, account, Act.HELD_PURGED, "held messages", messages=purged, **chosen)
    return purged


def shortened(topic: str) -> str:
    """A topic for a list; whole it is at its message."""
    return topic if len(topic) <= _SHOWN_TOPIC else topic[: _SHOWN_TOPIC - 1] + "…"


def held_json(one: HeldMessage) -> dict[str, Any]:
    """A held message without its payload."""
    shown: dict[str, Any] = msgspec.structs.asdict(one)
    del shown["payload"]
    return shown
