"""A payload as a JSON document, within bounds."""

from __future__ import annotations

from typing import Any

import msgspec

from ingest.errors import Rejected

LARGEST_BYTES = 1024 * 1024
DEEPEST = 32
#: six parts each for the most values a message may hold; what says more costs a second and says nothing
MOST_PARTS = 30_000

#: msgspec takes up to 60 µs for a number like 1e308, which is five bytes; Python's own float never a microsecond. What is
#: beyond all floats becomes infinite, which is no measurement anywhere.
_DECODER = msgspec.json.Decoder(float_hook=float)
#: harmless around a document: the mark some tools begin UTF-8 with, and the end of a C string
_MARK = b"\xef\xbb\xbf"
_END = b"\0"


def document(payload: bytes) -> Any:
    """The document of *payload*; raises :class:`Rejected` naming what is wrong with it."""
    if len(payload) > LARGEST_BYTES:
        raise Rejected("too_large", f"{len(payload)} bytes; expected at most {LARGEST_BYTES}")
    if len(payload) > MOST_PARTS and payload.count(b",") > MOST_PARTS:
        # seen before it is parsed
        raise _too_many_parts()
    payload = payload.removeprefix(_MARK).rstrip(_END)
    try:
        body = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the second for a text that is not UTF-8
        raise Rejected(*_why(payload, error)) from error
    except RecursionError as error:
        raise Rejected("too_deep", "nested too deeply to read") from error
    # few brackets cannot nest deeply, nor a short document hold many parts, and most have few and are short
    if payload.count(b"{") + payload.count(b"[") > DEEPEST or len(payload) > MOST_PARTS:
        _check_shape(body)
    return body


def mapping(payload: bytes) -> dict[str, Any]:
    """The document when it is an object; raises :class:`Rejected` for anything else."""
    body = document(payload)
    if not isinstance(body, dict):
        raise Rejected("not_an_object", f"found a JSON {type(body).__name__}; expected an object")
    return body


def inner(body: object, *path: str) -> dict[str, Any]:
    """The object at *path* within *body*; an empty one where there is none."""
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    return body if isinstance(body, dict) else {}


def text(value: object) -> str:
    """A text or number as text, for ids that come as either; "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _check_shape(body: object) -> None:
    """Raises :class:`Rejected` for a document nested too deeply or of too many parts; without recursion."""
    level, parts, layer = 0, 0, [body]
    while layer:
        layer = [
            child
            for one in layer
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
        ]
        level += 1 if layer else 0
        parts += len(layer)
        if level > DEEPEST:
            raise Rejected("too_deep", f"nested more than {DEEPEST} deep")
        if parts > MOST_PARTS:
            raise _too_many_parts()


def _too_many_parts() -> Rejected:
    return Rejected("too_many_parts", f"a document of more than {MOST_PARTS} values, lists and objects")


def _why(payload: bytes, error: Exception) -> tuple[str, str]:
    try:
        payload.decode()
    except UnicodeDecodeError as wrong:
        return "not_utf8", f"byte {wrong.start} is not UTF-8"
    if not payload.strip():
        return "empty", "the payload is empty"
    return "malformed_json", str(error)
