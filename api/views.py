"""What the duty page shows, worked out: alerts with their words, devices by building with their main values."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from alerts.alert import Alert, AlertState
from alerts.own.service import texts_for
from api.pages import age, amount, clock
from api.services import Services
from campus.clock import MINUTE_MS, SECOND_MS
from campus.device import Device, Kind
from campus.drill import is_drill
from campus.quantity import Quantity
from campus.reading import Series
from campus.text import Translate
from campus.text import marked as _
from store.timeseries.contract import Point

#: the first of these that a device has is its main value; two are shown
_MAIN: dict[Kind, tuple[Quantity, ...]] = {
    Kind.WATER_METER: (Quantity.WATER_FLOW, Quantity.WATER_VOLUME),
    Kind.ELECTRICITY_METER: (Quantity.ACTIVE_POWER, Quantity.ENERGY),
    Kind.GAS_METER: (Quantity.GAS_VOLUME,),
    Kind.CLIMATE: (Quantity.TEMPERATURE, Quantity.HUMIDITY),
}
_OTHERWISE = (Quantity.TEMPERATURE, Quantity.LEAK_DETECTED, Quantity.DOOR_OPEN, Quantity.HUMIDITY)
_STALE_MS = 15 * MINUTE_MS
_SEVERITIES = {"notice": _("提醒"), "warning": _("警告"), "critical": _("紧急")}
_STATES = {"firing": _("未处理"), "acknowledged": _("处理中"), "resolved": _("已恢复")}


class AlertCard(msgspec.Struct, frozen=True):
    """One alert on the page."""

    id: int
    severity: str
    severity_word: str
    state: str
    state_word: str
    title: str
    lines: tuple[str, ...]
    advice: str
    opened: str
    acknowledged_by: str
    drill: bool


class DeviceTile(msgspec.Struct, frozen=True):
    """One device on the page."""

    id: str
    name: str
    where: str
    main: str
    second: str
    age: str
    condition: str


class BuildingView(msgspec.Struct, frozen=True):
    """A building with its devices."""

    name: str
    tiles: tuple[DeviceTile, ...]


def alert_card(services: Services, alert: Alert, translate: Translate) -> AlertCard:
    """An alert in the words of the page's language."""
    words = texts_for(alert.rule, alert.subject, alert.evidence, services.campus(), translate)
    return AlertCard(
        id=alert.id,
        severity=alert.severity.value,
        severity_word=translate(_SEVERITIES.get(alert.severity.value, alert.severity.value)),
        state=alert.state.value,
        state_word=translate(_STATES[alert.state.value]),
        title=words.title,
        lines=words.lines,
        advice=words.advice,
        opened=clock(alert.opened_ms, services),
        acknowledged_by=alert.acknowledged_by or "",
        drill=alert.drill,
    )


def open_cards(services: Services, translate: Translate) -> list[AlertCard]:
    """Open alerts, the worst first."""
    return [alert_card(services, alert, translate) for alert in services.book.open_alerts(limit=1000)]


def recent_cards(services: Services, translate: Translate, *, limit: int = 10) -> list[AlertCard]:
    """What was resolved last."""
    found = services.book.find(states=(AlertState.RESOLVED,), limit=limit)
    return [alert_card(services, alert, translate) for alert in found]


def buildings(services: Services, translate: Translate) -> list[BuildingView]:
    """Every building of the site with its devices, those in alert first; an exercise's are not among them."""
    campus = services.campus()
    alarmed = {alert.subject: alert.severity.value for alert in services.book.open_alerts()}
    by_building: dict[str, list[DeviceTile]] = defaultdict(list)
    for device in campus.devices.values():
        if is_drill(device.id):
            continue
        by_building[device.place.building].append(
            _tile(services, device, alarmed.get(device.id, ""), translate)
        )
    order = [*(building.id for building in campus.site.buildings), ""]
    names = {building.id: building.name for building in campus.site.buildings}
    return [
        BuildingView(
            names.get(one, ""),
            tuple(sorted(by_building[one], key=lambda tile: tile.condition in {"ok", "none"})),
        )
        for one in order
        if by_building.get(one)
    ]


def _tile(services: Services, device: Device, severity: str, translate: Translate) -> DeviceTile:
    points = services.board.device(device.id)
    shown = [_shown(points, quantity, translate) for quantity in _MAIN.get(device.kind, _OTHERWISE)]
    values = [one for one in shown if one]
    newest_ms = max((point.time_ms for point in points.values()), default=0)
    stale_ms = max(_STALE_MS, int(3 * device.interval_s * SECOND_MS))
    condition = severity or (
        "none" if not newest_ms else "stale" if services.now_ms() - newest_ms > stale_ms else "ok"
    )
    return DeviceTile(
        id=device.id,
        name=device.name,
        where=" ".join(filter(None, (device.place.floor, device.place.room))),
        main=values[0] if values else "—",
        second=values[1] if len(values) > 1 else "",
        age=age(newest_ms, services.now_ms(), translate) if newest_ms else "",
        condition=condition,
    )


def _shown(points: dict[Series, Point], quantity: Quantity, translate: Translate) -> str:
    """The value of *quantity*: of the whole device where it has phases, never of its own case."""
    found = {series.channel: point for series, point in points.items() if series.quantity is quantity}
    for channel in ("", "total", *sorted(found)):
        if channel in found and channel not in {"device", "max", "cycle"}:
            return amount(quantity, found[channel].value, translate)
    return ""


class RevisionView(msgspec.Struct, frozen=True):
    """A change in the register."""

    time: str
    what: str
    who: str
    lines: tuple[str, ...]


_CHANGES = {
    "added": _("登记"),
    "removed": _("注销"),
    "moved": _("移位"),
    "swapped": _("更换"),
    "calibrated": _("校准"),
    "edited": _("修改"),
}
_WAS_NOW = _("{column}:{before} → {after}")


def revision_views(services: Services, device_id: str, translate: Translate) -> list[RevisionView]:
    """What became of a device, newest first."""
    return [
        RevisionView(
            clock(int(one["time_ms"]), services),
            translate(_CHANGES.get(str(one["change"]), str(one["change"]))),
            str(one["who"]),
            _differences(one["before"], one["after"], translate),
        )
        for one in services.register.history(device_id)
    ]


def _differences(
    before: dict[str, object], after: dict[str, object], translate: Translate
) -> tuple[str, ...]:
    """A line for each column that changed; none where a device came or went as a whole."""
    if not before or not after:
        return ()
    return tuple(
        translate(_WAS_NOW).format(column=key, before=_short(before.get(key)), after=_short(after.get(key)))
        for key in after
    )


def _short(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(str(one) for one in value.values() if one)
    return str(value) if value not in ("", None, []) else "–"
