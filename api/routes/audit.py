"""The audit by API: who did what, on what, when and from where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.accounts import AuditEntry
from api.routes.common import Admin, Deps, IdBefore
from api.transport.guarded_route import GuardedRoute

router = APIRouter(prefix="/api", tags=["accounts"], route_class=GuardedRoute)

Text = Annotated[str, Query(max_length=200)]


class AuditView(BaseModel):
    """One act. *who* is a user's name, ``token NAME``, or ``command line (NAME)``; empty for failed sign-ins."""

    id: int
    time_ms: int
    who: str
    address: str
    act: str
    subject: str
    detail: dict[str, Any]


@router.get("/audit", response_model=list[AuditView])
def list_audit(
    services: Deps,
    _: Admin,
    *,
    who: Text = "",
    act: Text = "",
    subject: Text = "",
    before_id: IdBefore = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Sequence[AuditEntry]:
    """The newest first; page on with *before_id*. Entries are kept for three years."""
    return found(services, who=who, act=act, subject=subject, before_id=before_id, limit=limit)


def found(services: Deps, **asked: Any) -> Sequence[AuditEntry]:
    """Entries, those included that were only counted so far."""
    services.accounts.audit.flush(services.now_ms())
    return services.accounts.audit.find(**asked)
