"""The errors of ingest.

IngestError
├── Rejected          a whole message is unusable; it goes to quarantine with this reason
└── UnknownDecoder    a decoder's name is not one of ours
"""

from __future__ import annotations

from collections.abc import Sequence


class IngestError(Exception):
    """Base of every error this room raises."""


class Rejected(IngestError):
    """Raised by a decoder for a message it cannot use: *code* is short and stable, the text explains."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}")


class UnknownDecoder(IngestError):
    """Raised where the register or a topic names a decoder that does not exist."""

    def __init__(self, found: str, known: Sequence[str]) -> None:
        self.found = found
        super().__init__(f"decoder {found!r} does not exist; expected one of {', '.join(known)}")
