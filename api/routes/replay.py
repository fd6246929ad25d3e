"""What other rules would have said of the past."""

from __future__ import annotations

import threading
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.accounts import Act
from api.backtests import Asked, replayed
from api.errors import Busy
from api.routes.common import Deps, Keeper, audit, moment_of
from api.transport.guarded_route import LargeBodyRoute
from api.transport.openapi import refused

router = APIRouter(prefix="/api", tags=["alerts"], route_class=LargeBodyRoute)

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Backtest(BaseModel):
    """The past from one moment to before another, and rules to try on it."""

    model_config = ConfigDict(extra="forbid")

    start: str = Field(
        alias="from", min_length=1, description="ISO 8601; without offset it is the site's time."
    )
    end: str = Field(alias="to", default="", description="As from; now, where it is left out.")
    devices: list[Name] = Field(
        default_factory=list, max_length=1000, description="All, where none is named."
    )
    rules: dict[Name, dict[str, Any]] = Field(
        default_factory=dict, max_length=4, description="Whole contents of a rules.yaml, by a name for them."
    )


# No coroutine: it is run in a worker thread, so that pages are served meanwhile.
@router.post("/replay", responses=refused(409, "Another replay is under way"))
def replay(request: Request, services: Deps, account: Keeper, body: Backtest) -> dict[str, Any]:
    """Alerts and messages there would have been by the rules in force, and what each of `rules` would change.

    Nothing is sent or kept. One at a time; bounded by days × devices and by readings.
    """
    now_ms = services.now_ms()
    asked = Asked(
        moment_of("from", body.start, 0, services),
        min(moment_of("to", body.end, now_ms, services), now_ms),
        tuple(dict.fromkeys(body.devices)),
        body.rules,
    )
    replaying: threading.Lock = request.app.state.replaying
    if not replaying.acquire(blocking=False):
        raise Busy("replay")
    try:
        audit(services, account, Act.HISTORY_REPLAYED, "history", start=body.start, end=body.end)
        return replayed(services.store, services.campus(), asked)
    finally:
        replaying.release()
