"""Names with a path in them, as SCADA systems give: ``Inputs/Freezer 1/Temperature``, ``Electrical/Phase A/Voltage``."""

from __future__ import annotations

import functools
import re

from ingest.decoding.reading.lexicon import words
from ingest.decoding.reading.names import Meaning, is_no_measurement, meaning

#: folders that group metrics and say nothing of any one of them
_GROUPS = frozenset({
    "analog", "analogue", "data", "digital", "electrical", "inputs", "input", "io", "measurement", "measurements", "metrics",
    "plc", "points", "process", "sensors", "sensor", "tags", "telemetry", "values",
})  # fmt: skip
#: what Sparkplug and Ignition keep under these is of the node itself
_OF_THE_NODE = (
    "node control/",
    "device control/",
    "node info/",
    "device info/",
    "properties/",
    "node metrics/",
)
_BETWEEN = re.compile(r"[^\w]+")
_LONGEST_CHANNEL = 24


def is_of_the_node(name: str) -> bool:
    """Whether a metric is the protocol's own or describes hardware: control, versions, the birth/death number."""
    folded = name.lower()
    return folded == "bdseq" or folded.startswith(_OF_THE_NODE)


@functools.lru_cache(maxsize=4096)
def metric_meaning(name: str) -> Meaning | None:
    """What the metric of that path measures; folders nobody understands name the channel, never go unsaid."""
    parts = [part.strip() for part in name.split("/") if part.strip()]
    if len(parts) < 2 or len(parts) > 8:
        return meaning(name)
    if is_no_measurement([word for part in parts for word in words(part[:64])]):
        return None
    parts = [part for part in parts[:-1] if part.lower() not in _GROUPS] + parts[-1:]
    for cut in range(len(parts)):
        found = meaning(" ".join(parts[cut:]))
        if found is not None:
            return _within(found, parts[:cut])
    return None


def _within(found: Meaning, folders: list[str]) -> Meaning | None:
    """*found* with the folders before it in its channel, so that two metrics never become one series."""
    folder = _BETWEEN.sub("_", "_".join(folders)).strip("_").lower()
    channel = "_".join(part for part in (folder, found.channel) if part)
    return found._replace(channel=channel) if len(channel) <= _LONGEST_CHANNEL else None
