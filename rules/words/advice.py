"""What to do: a text a person can act on, by the key a verdict carries (sources: DOMAIN.md 2.5, 3.2 and 4)."""

from __future__ import annotations

import msgspec


class Advice(msgspec.Struct, frozen=True):
    """One advice: *key* is what a verdict's evidence names, *text* a marked text."""

    key: str
    text: str
