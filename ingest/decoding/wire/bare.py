"""A payload that is one bare value as text, as topic-per-value formats publish it."""

from __future__ import annotations

from ingest.decoding.wire.document import document
from ingest.errors import Rejected

#: no number, state or word a device says is longer
LONGEST_BYTES = 4096
_BEGINS_JSON = (b"{", b"[", b'"')


def bare(payload: bytes) -> str:
    """The value of *payload* without blanks around it; raises :class:`Rejected` for a document or for no text."""
    if payload.lstrip()[:1] in _BEGINS_JSON:
        found = document(payload)
        raise Rejected("not_an_object", f"found a JSON {type(found).__name__}; expected a bare value")
    if len(payload) > LONGEST_BYTES:
        raise Rejected("too_large", f"{len(payload)} bytes; expected a bare value of at most {LONGEST_BYTES}")
    try:
        text = payload.decode().strip("\0 \t\r\n")
    except UnicodeDecodeError as wrong:
        raise Rejected("not_utf8", f"byte {wrong.start} is not UTF-8") from wrong
    if not text:
        raise Rejected("empty", "the payload is empty")
    return text
