"""The dashboards of a campus: an overview, and one for each family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from campus.campus import Campus
from campus.device import Device, Kind, Role
from campus.drill import is_drill
from campus.quantity import SPECS, Quantity
from campus.text import marked as _
from campus.text import translator
from dashboards import flux
from dashboards.panel import Panel, laid_out, stat, text, timeseries

Board = dict[str, Any]

#: DOMAIN.md 3.1 and 2.4: the lines drawn into temperature panels
_FREEZER_LIMITS = ((-15.0, "orange"), (-12.0, "red"))
_FRIDGE_LIMITS = ((8.0, "orange"), (13.0, "red"))
_VOLTAGE_LIMITS = ((235.4, "red"),)


def boards(campus: Campus, bucket: str) -> list[Board]:
    """All dashboards, each with a fixed uid, so that links stay."""
    maker = _Maker(campus, bucket)
    return [maker.overview(), maker.water(), maker.pipes(), maker.cold(), maker.electricity()]


class _Maker:
    def __init__(self, campus: Campus, bucket: str) -> None:
        self._campus = campus
        #: an exercise's readings are in the store under ids of their own, and on no dashboard
        self._devices = [one for one in campus.devices.values() if not is_drill(one.id)]
        self._bucket = bucket
        self._translate = translator(campus.site.language)

    def overview(self) -> Board:
        pages = {"water": _("用水"), "pipes": _("管道与室外"), "cold": _("冷链"), "electricity": _("用电")}
        links = "\n".join(f"- [{self._translate(name)}](/d/{self._uid(key)})" for key, name in pages.items())
        rows = [
            [text(self._translate(_("分项")), links)],
            [
                self._stat(_("冷链温度"), Quantity.TEMPERATURE, self._kind(Kind.COLD_STORAGE)),
                self._stat(
                    _("管道与室外温度"),
                    Quantity.TEMPERATURE,
                    [*self._kind(Kind.PIPE_PROBE), *self._role(Role.OUTDOOR)],
                ),
            ],
            [
                self._lines(_("总用电功率"), Quantity.ACTIVE_POWER, self._kind(Kind.ELECTRICITY_METER)),
                self._days(_("每日用水"), Quantity.WATER_VOLUME, self._kind(Kind.WATER_METER)),
            ],
        ]
        return self._board("campus", _("全校总览"), rows)

    def water(self) -> Board:
        meters = self._kind(Kind.WATER_METER)
        rows = [
            [self._days(_("每日用水"), Quantity.WATER_VOLUME, meters)],
            [self._hours(_("每小时用水(看夜间是否归零)"), Quantity.WATER_VOLUME, meters)],
            [
                self._lines(_("瞬时流量"), Quantity.WATER_FLOW, meters),
                self._lines(_("表底数"), Quantity.WATER_VOLUME, meters),
            ],
        ]
        return self._board("water", _("用水"), rows)

    def pipes(self) -> Board:
        probes = [*self._kind(Kind.PIPE_PROBE), *self._role(Role.OUTDOOR)]
        limits = ((-40.0, "red"), (2.0, "orange"), (4.0, "green"))
        rows = [
            [self._stat(_("现在温度"), Quantity.TEMPERATURE, probes, limits)],
            [self._lines(_("温度变化"), Quantity.TEMPERATURE, probes)],
        ]
        return self._board("pipes", _("管道与室外"), rows)

    def cold(self) -> Board:
        cabinets = self._kind(Kind.COLD_STORAGE)
        freezers = [one for one in cabinets if one.profile == "freezer"]
        fridges = [one for one in cabinets if one.profile != "freezer"]
        rows = [
            [
                self._stat(_("冷冻"), Quantity.TEMPERATURE, freezers, _FREEZER_LIMITS),
                self._stat(_("冷藏与留样"), Quantity.TEMPERATURE, fridges, _FRIDGE_LIMITS),
            ],
            [self._lines(_("冷冻温度"), Quantity.TEMPERATURE, freezers, _FREEZER_LIMITS)],
            [self._lines(_("冷藏与留样温度"), Quantity.TEMPERATURE, fridges, _FRIDGE_LIMITS)],
        ]
        return self._board("cold", _("冷链"), rows)

    def electricity(self) -> Board:
        meters = self._kind(Kind.ELECTRICITY_METER)
        rows = [
            [
                self._days(_("每日用电"), Quantity.ENERGY, meters),
                self._lines(_("功率"), Quantity.ACTIVE_POWER, meters),
            ],
            [
                self._lines(_("电压"), Quantity.VOLTAGE, meters, _VOLTAGE_LIMITS),
                self._lines(_("电流"), Quantity.CURRENT, meters),
                self._lines(
                    _("剩余电流"), Quantity.RESIDUAL_CURRENT, meters, ((300.0, "orange"), (500.0, "red"))
                ),
            ],
        ]
        return self._board("electricity", _("用电"), rows)

    def _board(self, key: str, title: str, rows: Sequence[Sequence[Panel]]) -> Board:
        return {
            "uid": self._uid(key),
            "title": f"{self._campus.site.name} · {self._translate(title)}",
            "tags": ["shouyuan", self._campus.site.id],
            "timezone": self._campus.site.timezone,
            "schemaVersion": 39,
            "editable": False,
            "refresh": "1m",
            "time": {"from": "now-7d" if key in {"water", "electricity"} else "now-24h", "to": "now"},
            "panels": laid_out(rows),
        }

    def _uid(self, key: str) -> str:
        return f"sy-{self._campus.site.id[:24]}-{key}"

    def _kind(self, kind: Kind) -> list[Device]:
        return [device for device in self._devices if device.kind is kind]

    def _role(self, role: Role) -> list[Device]:
        return [device for device in self._devices if device.role is role]

    def _lines(
        self,
        title: str,
        quantity: Quantity,
        devices: Sequence[Device],
        limits: Sequence[tuple[float, str]] = (),
    ) -> Panel:
        query = flux.series(self._bucket, quantity, _ids(devices))
        return timeseries(self._translate(title), query, SPECS[quantity].unit, _names(devices), limits=limits)

    def _stat(
        self,
        title: str,
        quantity: Quantity,
        devices: Sequence[Device],
        limits: Sequence[tuple[float, str]] = (),
    ) -> Panel:
        query = flux.latest(self._bucket, quantity, _ids(devices))
        return stat(self._translate(title), query, SPECS[quantity].unit, _names(devices), limits=limits)

    def _days(self, title: str, quantity: Quantity, devices: Sequence[Device]) -> Panel:
        return self._counted(title, quantity, devices, "1d")

    def _hours(self, title: str, quantity: Quantity, devices: Sequence[Device]) -> Panel:
        return self._counted(title, quantity, devices, "1h")

    def _counted(self, title: str, quantity: Quantity, devices: Sequence[Device], every: str) -> Panel:
        query = flux.consumption(
            self._bucket, quantity, _ids(devices), every=every, zone=self._campus.site.timezone
        )
        return timeseries(self._translate(title), query, SPECS[quantity].unit, _names(devices), bars=True)


def _ids(devices: Sequence[Device]) -> list[str]:
    return [device.id for device in devices]


def _names(devices: Sequence[Device]) -> dict[str, str]:
    return {device.id: device.name for device in devices}
