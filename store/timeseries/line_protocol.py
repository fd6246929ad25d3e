"""InfluxDB's line protocol: measurement = quantity, tags device and channel, fields value and quality.

Both fields are floats, always: a field's type can never change within a shard (INTEGRATIONS.md 4.4), and an integer
written once by another program would refuse ours for good.
"""

from __future__ import annotations

import functools
import re

from campus.reading import Reading, Series

_SIGNS = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_VICTORIA_SIGNS = _SIGNS | str.maketrans({"\\": "\\\\"})
_PADDING = "\u200b"
_PADDED = re.compile(rf"\\{_PADDING}*\Z")


def lines(readings: list[Reading]) -> bytes:
    """The body of a write with precision ``ms``."""
    return "\n".join(
        f"{_key(one.series)} value={float(one.value)!r},quality={float(one.quality)!r} {one.time_ms}"
        for one in readings
    ).encode()


def sparse_lines(readings: list[Reading]) -> bytes:
    """The body for VictoriaMetrics, where every field is a series: the quality stands only where it is not good.

    There, two backslashes are one, at a tag's end, too.
    """
    return "\n".join(
        f"{_victoria_key(one.series)} value={float(one.value)!r}{_quality(one)} {one.time_ms}"
        for one in readings
    ).encode()


def _quality(reading: Reading) -> str:
    return f",quality={int(reading.quality)}" if reading.quality else ""


def stored_tag(text: str) -> str:
    """The text that is stored for a tag *text*.

    The protocol has no way to write a backslash at a tag's end: it would escape the sign after the tag. Such a text
    gets a zero-width space behind it, and one that already ends like that another, so that :func:`text_of` always
    finds the way back.
    """
    return text + _PADDING if _PADDED.search(text) else text


def text_of(tag: str) -> str:
    """The text a stored tag stands for."""
    return tag[:-1] if tag.endswith(_PADDING) and _PADDED.search(tag) else tag


@functools.lru_cache(maxsize=65_536)
def _key(series: Series) -> str:
    channel = f",channel={_escaped(series.channel)}" if series.channel else ""  # an empty tag is not allowed
    return f"{series.quantity.value},device={_escaped(series.device)}{channel}"


@functools.lru_cache(maxsize=65_536)
def _victoria_key(series: Series) -> str:
    device, channel = (text.translate(_VICTORIA_SIGNS) for text in (series.device, series.channel))
    return f"{series.quantity.value},device={device}" + (f",channel={channel}" if channel else "")


def _escaped(text: str) -> str:
    return stored_tag(text).translate(_SIGNS)
