"""The order in which alerts are listed, and a place in it to go on from."""

from __future__ import annotations

from typing import Self

import msgspec
import sqlalchemy as sa

from alerts.alert import Alert, AlertState
from alerts.errors import BadCursor
from rules.level import Level
from store.operations.tables import AlertRow

_MOST_ID = 2**63 - 1


class AlertCursor(msgspec.Struct, frozen=True):
    """Open alerts come first, of these the worst, of equals the newest; resolved ones follow, the newest first."""

    resolved: bool
    rank: int
    id: int

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Where an alert stands."""
        resolved = alert.state is AlertState.RESOLVED
        return cls(resolved, 0 if resolved else alert.severity.rank, alert.id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text, such as ``0.3.17``; raises :class:`BadCursor`."""
        parts = text.split(".")
        if len(parts) != 3 or not all(one.isascii() and one.isdecimal() and len(one) < 20 for one in parts):
            raise BadCursor(text)
        resolved, rank, alert_id = (int(one) for one in parts)
        if resolved > 1 or alert_id > _MOST_ID or rank > Level.CRITICAL.rank:
            raise BadCursor(text)
        return cls(bool(resolved), rank, alert_id)

    def __str__(self) -> str:
        return f"{self.resolved:d}.{self.rank}.{self.id}"

    def before(self) -> sa.ColumnElement[bool]:
        """Holds for alerts that come after this place."""
        here = sa.tuple_(
            sa.literal(int(self.resolved)), sa.literal(-self.rank), sa.literal(-self.id, sa.BigInteger)
        )
        return sa.tuple_(*listed_order()) > here


def listed_order() -> tuple[sa.ColumnElement[int], ...]:
    """What alerts are sorted by, smallest first."""
    resolved = AlertRow.state == AlertState.RESOLVED.value
    ranks = {level.value: -level.rank for level in Level}
    return (
        sa.case((resolved, 1), else_=0),
        sa.case((resolved, 0), else_=sa.case(ranks, value=AlertRow.severity, else_=0)),
        -AlertRow.id,
    )
