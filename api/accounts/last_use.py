"""When sessions, users and tokens were last used: noted in memory at each request, written at most once a minute."""

from __future__ import annotations

import threading
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.accounts.account import Account
from store.operations.tables import ApiTokenRow, SessionRow, UserRow


class LastUse:
    """Thread-safe. What was noted and not yet written is lost with the process, and no more than that."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._noted: dict[Account, int] = {}

    def note(self, account: Account, now_ms: int) -> None:
        """Somebody or something has used *account* just now."""
        with self._lock:
            self._noted[account] = now_ms

    def flush(self) -> None:
        """Writes what was noted, in one transaction."""
        with self._lock:
            noted, self._noted = self._noted, {}
        if not noted:
            return
        with Session(self._database) as session, session.begin():
            for account, at_ms in sorted(noted.items(), key=itemgetter(1)):
                if account.is_person:
                    _write(session, sa.update(SessionRow).where(SessionRow.id == account.session_id), at_ms)
                    _write(session, sa.update(UserRow).where(UserRow.id == account.user_id), at_ms)
                else:
                    token = ApiTokenRow.token_hash == account.token_id
                    _write(session, sa.update(ApiTokenRow).where(token), at_ms)


def _write(session: Session, update: sa.Update, at_ms: int) -> None:
    session.execute(update.values(last_used_ms=at_ms))
