"""The register as it was read last, and what became of each device: kept in the operations database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from campus.device import Device
from campus.folder.editing.revision import Change, Revision
from store.operations.database import reading
from store.operations.tables import DeviceRevisionRow, RegisterRow


class RegisterLog:
    """History of devices. Thread-safe."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._reading = reading(database)

    def last(self) -> dict[str, Device] | None:
        """The register as it was read last; None before the first. A row that is no device any more is left out."""
        with Session(self._reading) as session:
            rows = session.scalars(sa.select(RegisterRow)).all()
        found = {row.device: _device(row.body) for row in rows}
        return {name: one for name, one in found.items() if one is not None} if rows else None

    def record(
        self, found: Iterable[Revision], devices: Mapping[str, Device], *, who: str, now_ms: int
    ) -> None:
        """Keeps the changes *found* and, for each of them, the device as it is in *devices* now."""
        with Session(self._database) as session, session.begin():
            for one in found:
                session.add(
                    DeviceRevisionRow(
                        time_ms=now_ms, device=one.device, change=one.change.value, before=one.before,
                        after=one.after, who=who,
                    )
                )  # fmt: skip
                if one.change is Change.REMOVED:
                    session.execute(sa.delete(RegisterRow).where(RegisterRow.device == one.device))
                else:
                    body = devices[one.device].model_dump(mode="json")
                    session.merge(RegisterRow(device=one.device, body=body))

    def begin(self, devices: Mapping[str, Device]) -> None:
        """Keeps the first register, which is no change of anything."""
        with Session(self._database) as session, session.begin():
            for device in devices.values():
                session.merge(RegisterRow(device=device.id, body=device.model_dump(mode="json")))

    def history(self, device: str, *, limit: int = 100) -> list[dict[str, Any]]:
        """What became of a device, newest first."""
        query = sa.select(DeviceRevisionRow).where(DeviceRevisionRow.device == device)
        with Session(self._reading) as session:
            rows = session.scalars(query.order_by(DeviceRevisionRow.id.desc()).limit(limit))
            return [
                {
                    "time_ms": row.time_ms, "change": row.change, "before": row.before, "after": row.after,
                    "who": row.who,
                }
                for row in rows
            ]  # fmt: skip


def _device(body: Mapping[str, Any]) -> Device | None:
    try:
        return Device.model_validate(body)
    except ValueError:
        return None
