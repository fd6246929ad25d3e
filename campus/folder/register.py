"""devices.csv, the register (财产登记), row by row: a row with a mistake is told and left out, the others stay."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from campus.device import Device, FieldMapping, Kind, Place, Role
from campus.folder.document import similar
from campus.folder.table import read_table
from campus.problem import Problem
from campus.quantity import SPECS, Quantity
from campus.site import Site

_HEADERS: dict[str, tuple[str, ...]] = {
    "id": ("编号", "设备编号"),
    "name": ("名称", "设备名称"),
    "kind": ("类型", "设备类型"),
    "building": ("楼栋", "建筑"),
    "floor": ("楼层",),
    "room": ("房间", "位置"),
    "role": ("用途", "测量对象"),
    "profile": ("档案", "限值档案"),
    "address": ("地址", "设备地址"),
    "decoder": ("解码器", "格式"),
    "model": ("型号",),
    "interval_s": ("上报间隔", "上报间隔秒"),
    "parent": ("上级表",),
    "gateway": ("网关",),
    "register_modulus": ("表盘上限",),
    "pulse_weight": ("脉冲当量",),
    "rated_current_a": ("额定电流",),
    "calibration_offset": ("校准偏差",),
    "calibration_date": ("校准日期",),
    "asset_number": ("资产编号",),
    "keeper": ("保管人",),
    "fields": ("字段映射",),
}
HEADERS = {alias: name for name, aliases in _HEADERS.items() for alias in (name, *aliases)}
_NUMBERS = {"interval_s", "register_modulus", "pulse_weight", "rated_current_a", "calibration_offset"}
_KINDS = {
    "水表": Kind.WATER_METER,
    "电表": Kind.ELECTRICITY_METER,
    "燃气表": Kind.GAS_METER,
    "冷柜": Kind.COLD_STORAGE,
    "管道探头": Kind.PIPE_PROBE,
    "温湿度": Kind.CLIMATE,
    "锅炉": Kind.BOILER,
    "水浸": Kind.LEAK_DETECTOR,
    "网关": Kind.GATEWAY,
}
_ROLES = {
    "管壁": Role.PIPE_WALL,
    "管道间": Role.PIPE_SPACE,
    "柜内空气": Role.CABINET_AIR,
    "食品": Role.PRODUCT,
    "室外": Role.OUTDOOR,
    "室内": Role.ROOM,
    "电缆": Role.CABLE,
    "供水温度": Role.HEATING_SUPPLY,
    "回水温度": Role.HEATING_RETURN,
}
_FIELD = re.compile(
    r"(?P<name>[^=;]+)=(?P<quantity>\w+)(?:@(?P<unit>[^:*;]+))?(?::(?P<channel>\w+))?(?:\*(?P<scale>[\d.eE+-]+))?"
)


def read_register(folder: Path, site: Site, decoders: Iterable[str], problems: list[Problem]) -> list[Device]:
    """The devices of the register."""
    file, rows = read_table(folder, "devices", HEADERS, problems)
    devices: dict[str, tuple[int, Device]] = {}
    addresses: dict[tuple[str, str], str] = {}
    known = set(decoders)
    for row, values in rows:
        device = _device(file, row, values, site, problems)
        if device is None:
            continue
        if device.id in devices:
            problems.append(
                Problem(
                    file, row, "id", device.id, f"an id used once; row {devices[device.id][0]} has it, too"
                )
            )
            continue
        if device.decoder and known and device.decoder not in known:
            expected = f"one of {', '.join(sorted(known))}{similar(device.decoder, known)}"
            problems.append(Problem(file, row, "decoder", device.decoder, expected))
        address = (device.decoder, (device.address or device.id).lower())
        if address in addresses:
            problems.append(
                Problem(
                    file,
                    row,
                    "address",
                    device.address,
                    f"an address of its own; {addresses[address]} has it",
                )
            )
        addresses[address] = device.id
        devices[device.id] = (row, device)
    _check_links(file, devices, problems)
    return [device for _, device in devices.values()]


def parse_fields(text: str) -> dict[str, FieldMapping]:
    """``WF=water_flow@l/min:a*0.1; T=temperature``: source field = quantity, then unit, channel and factor if need be.

    Raises ValueError naming the part that cannot be read.
    """
    fields: dict[str, FieldMapping] = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        match = _FIELD.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not FIELD=quantity@unit:channel*factor")
        if match["quantity"] not in SPECS:
            raise ValueError(f"{match['quantity']!r} is not a quantity{similar(match['quantity'], Quantity)}")
        try:
            scale = float(match["scale"] or 1)
        except ValueError as error:
            raise ValueError(f"{match['scale']!r} in {part!r} is not a number") from error
        fields[match["name"].strip()] = FieldMapping(
            quantity=match["quantity"],
            unit=(match["unit"] or "").strip(),
            channel=match["channel"] or "",
            scale=scale,
        )
    return fields


def _device(
    file: str, row: int, values: dict[str, str], site: Site, problems: list[Problem]
) -> Device | None:
    before = len(problems)
    body: dict[str, object] = {
        key: value for key, value in values.items() if value and key not in {"building", "floor", "room"}
    }
    body["kind"] = _KINDS.get(values.get("kind", ""), values.get("kind", ""))
    body["role"] = _ROLES.get(values.get("role", ""), values.get("role", ""))
    building = values.get("building", "")
    if building and site.building(building) is None:
        found = next((one.id for one in site.buildings if one.name == building), None)
        if found is None:
            ids = [one.id for one in site.buildings]
            problems.append(
                Problem(file, row, "building", building, f"one of {', '.join(ids)}{similar(building, ids)}")
            )
        building = found or building
    body["place"] = Place(
        site=site.id, building=building, floor=values.get("floor", ""), room=values.get("room", "")
    )
    for key in _NUMBERS & body.keys():
        try:
            body[key] = float(str(body[key]))
        except ValueError:
            problems.append(Problem(file, row, key, str(body[key]), "a number"))
    try:
        body["fields"] = parse_fields(values.get("fields", ""))
    except ValueError as error:
        problems.append(Problem(file, row, "fields", values.get("fields", ""), str(error)))
    if len(problems) > before:
        return None
    try:
        return Device.model_validate(body)
    except ValidationError as error:
        for one in error.errors():
            key = ".".join(str(part) for part in one["loc"])
            problems.append(Problem(file, row, key, str(one.get("input", ""))[:80], one["msg"]))
        return None


def _check_links(file: str, devices: dict[str, tuple[int, Device]], problems: list[Problem]) -> None:
    for row, device in devices.values():
        for key, other in (("parent", device.parent), ("gateway", device.gateway)):
            if other and other not in devices:
                problems.append(
                    Problem(file, row, key, other, f"the id of a device{similar(other, devices)}")
                )
        seen, here = {device.id}, device.parent
        while here in devices:
            if here in seen:
                problems.append(
                    Problem(
                        file, row, "parent", device.parent, "meters that do not feed each other in a circle"
                    )
                )
                break
            seen.add(here)
            here = devices[here][1].parent
