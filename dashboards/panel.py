"""Panels of Grafana dashboards as plain JSON (the schema of Grafana 10 to 13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SOURCE_UID = "shouyuan-influxdb"
_GRAFANA_UNITS = {
    "°C": "celsius", "%": "percent", "kW": "kwatt", "kWh": "kwatth", "V": "volt", "A": "amp", "mA": "mamp",
    "m3": "m3", "m3/h": "m3/h", "kPa": "pressurekpa",
}  # fmt: skip
_WIDTH = 24

Panel = dict[str, Any]


def timeseries(
    title: str,
    query: str,
    unit: str,
    names: Mapping[str, str],
    *,
    limits: Sequence[tuple[float, str]] = (),
    bars: bool = False,
) -> Panel:
    """Lines over time (or bars), with horizontal limits as (value, colour)."""
    steps = [
        {"color": "green", "value": None},
        *({"color": colour, "value": value} for value, colour in limits),
    ]
    custom: dict[str, Any] = {
        "drawStyle": "bars" if bars else "line",
        "lineWidth": 1,
        "fillOpacity": 60 if bars else 5,
        "spanNulls": False,
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
    }
    return _panel(
        "timeseries",
        title,
        query,
        unit,
        names,
        {"custom": custom, "thresholds": {"mode": "absolute", "steps": steps}},
    ) | {"options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}}


def stat(
    title: str, query: str, unit: str, names: Mapping[str, str], *, limits: Sequence[tuple[float, str]] = ()
) -> Panel:
    """The newest value of each series, big, coloured by *limits*."""
    steps = [
        {"color": "green", "value": None},
        *({"color": colour, "value": value} for value, colour in limits),
    ]
    return _panel("stat", title, query, unit, names, {"thresholds": {"mode": "absolute", "steps": steps}}) | {
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"]},
            "colorMode": "background",
            "graphMode": "none",
            "textMode": "value_and_name",
        }
    }


def text(title: str, content: str) -> Panel:
    """Words on the dashboard."""
    return {"type": "text", "title": title, "options": {"mode": "markdown", "content": content}}


def laid_out(rows: Sequence[Sequence[Panel]], *, height: int = 8) -> list[Panel]:
    """Panels side by side in rows, numbered, filling the width."""
    placed, number = [], 0
    for line, row in enumerate(rows):
        width = _WIDTH // max(1, len(row))
        for column, panel in enumerate(row):
            number += 1
            placed.append(
                panel
                | {
                    "id": number,
                    "gridPos": {"h": height, "w": width, "x": column * width, "y": line * height},
                }
            )
    return placed


def _panel(
    kind: str, title: str, query: str, unit: str, names: Mapping[str, str], defaults: Mapping[str, Any]
) -> Panel:
    source = {"type": "influxdb", "uid": SOURCE_UID}
    return {
        "type": kind,
        "title": title,
        "datasource": source,
        "targets": [{"refId": "A", "datasource": source, "query": query}],
        "fieldConfig": {
            "defaults": {
                "unit": _GRAFANA_UNITS.get(unit, unit),
                "displayName": "${__field.labels.device} ${__field.labels.channel}",
                **defaults,
            },
            "overrides": [_named(device, name) for device, name in names.items()],
        },
    }


def _named(device: str, name: str) -> dict[str, Any]:
    """Shows the device's name where the series' only label is its id."""
    return {
        "matcher": {"id": "byRegexp", "options": f"^{device} *$"},
        "properties": [{"id": "displayName", "value": name}],
    }
