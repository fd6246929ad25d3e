"""What the operations database knows of the files beside it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from store.operations.database import reading
from store.operations.tables import FactRow

#: the identity of the journal whose batches the rules' position counts
JOURNAL = "journal"
#: the id of the site, as site.yaml gives it
SITE = "site"


class Facts:
    """Names and short values. Thread-safe."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._reading = reading(database)

    def get(self, name: str) -> str | None:
        """The value; None where it was never put."""
        with Session(self._reading) as session:
            row = session.get(FactRow, name)
            return None if row is None else row.value

    def put(self, name: str, value: str) -> None:
        """Keeps the value."""
        with Session(self._database) as session, session.begin():
            session.merge(FactRow(name=name, value=value))
