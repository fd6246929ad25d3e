"""InfluxDB's line protocol: measurement = quantity, tags device and channel, fields value and quality."""

from __future__ import annotations

from campus.reading import Reading

_KEY = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})


def line(reading: Reading) -> str:
    """One reading; the value is always a float, as a field's type can never change (INTEGRATIONS.md 4.4)."""
    series = reading.series
    channel = f",channel={tag(series.channel)}" if series.channel else ""
    value = repr(float(reading.value))
    return f"{series.quantity.value},device={tag(series.device)}{channel} value={value},quality={int(reading.quality)}i {reading.time_ms}"


def tag(text: str) -> str:
    """A tag's value, escaped. After a trailing backslash stands a zero-width space, or it would escape the next sign."""
    cleaned = text.replace("\n", " ").replace("\r", " ")
    return cleaned.translate(_KEY) if not cleaned.endswith("\\") else cleaned.translate(_KEY) + "\u200b"


def untag(text: str) -> str:
    """The text a stored tag stands for."""
    return text.removesuffix("\u200b") if text.endswith("\\\u200b") else text
