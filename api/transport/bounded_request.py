"""A request whose body is read to a greatest length, and holds nothing that no database takes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData
from starlette.types import Message

from api.errors import BodyTooLarge, BodyUnusable

#: whole numbers are kept in 64 bits
MOST_WHOLE = 2**63 - 1
_DEEPEST = 50


class BoundedRequest(Request):
    """Raises :class:`BodyTooLarge` before more than *most_bytes* are held, :class:`BodyUnusable` naming what cannot be kept."""

    def __init__(self, request: Request, most_bytes: int) -> None:
        super().__init__(request.scope, self._receive_some)
        self._inner = request.receive
        self._most_bytes = most_bytes
        self._read_bytes = 0

    async def json(self) -> Any:
        """The body's value."""
        try:
            value = json.loads(await self.body())
        except json.JSONDecodeError:
            raise  # FastAPI's own answer says where
        except (ValueError, RecursionError) as error:
            raise BodyUnusable(
                "body", "JSON", f"JSON in UTF-8 of sane numbers and depth ({error})"
            ) from error
        for where, found, expected in _unusable(value, "body", 0):
            raise BodyUnusable(where, found, expected)
        return value

    async def form(self, **limits: Any) -> FormData:  # type: ignore[override]  # nobody uses it as a context manager
        """The body's fields."""
        sent = await super().form(**limits)
        for name, field in sent.multi_items():
            for where, found, expected in _unusable(field, name, 0):
                raise BodyUnusable(where, found, expected)
        return sent

    async def _receive_some(self) -> Message:
        stated = self.headers.get("content-length", "")
        if stated.isdecimal() and int(stated[:20]) > self._most_bytes:
            raise BodyTooLarge(self._most_bytes)
        message = await self._inner()
        self._read_bytes += len(message.get("body", b""))
        if self._read_bytes > self._most_bytes:
            raise BodyTooLarge(self._most_bytes)
        return message


def _unusable(value: object, where: str, depth: int) -> Iterator[tuple[str, object, str]]:
    """Where, what was found, what was expected: of text that is none, of numbers without end, of endless nesting."""
    if depth > _DEEPEST:
        yield where, "…", f"at most {_DEEPEST} levels"
    elif isinstance(value, str):
        if "\0" in value or any("\ud800" <= one <= "\udfff" for one in value):
            yield where, value, "text without NUL characters and lone surrogates"
    elif isinstance(value, int) and abs(value) > MOST_WHOLE:
        yield where, value, "a whole number of 64 bits"
    elif isinstance(value, float) and not math.isfinite(value):
        yield where, value, "a number"
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _unusable(key, f"a key of {where}", depth + 1)
            yield from _unusable(one, f"{where}.{key}", depth + 1)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _unusable(one, f"{where}.{number}", depth + 1)
