"""Which held messages are meant."""

from __future__ import annotations

import msgspec


class Selection(msgspec.Struct, frozen=True):
    """Held messages that match everything given; nothing given means all of them.

    *unread* leaves out those of unregistered devices; *before_ms* means received before that moment.
    """

    ids: tuple[int, ...] = ()
    code: str = ""
    address: str = ""
    unread: bool = False
    before_id: int | None = None
    before_ms: int | None = None

    def where(self) -> tuple[str, list[object]]:
        """As SQL and its values."""
        terms: list[str] = []
        values: list[object] = []
        for term, value in (
            ("code = ?", self.code),
            ("address = ?", self.address),
            ("id < ?", self.before_id),
            ("time_ms < ?", self.before_ms),
        ):
            if value not in ("", None):
                terms.append(term)
                values.append(value)
        if self.ids:
            terms.append(f"id IN ({', '.join('?' * len(self.ids))})")
            values += self.ids
        if self.address:
            terms.append("address != ''")
        if self.unread:
            terms.append("code != 'unregistered'")
        return " AND ".join(terms) or "1", values
