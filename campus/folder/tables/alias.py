"""The words schools write in their tables, Chinese and English, and what each means here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from campus.device import Kind, Role
from campus.person import PersonRole

Word = TypeVar("Word", bound=str)


def _by_alias(names: Mapping[Word, tuple[str, ...]]) -> dict[str, Word]:
    return {alias: name for name, aliases in names.items() for alias in (str(name), *aliases)}


DEVICE_HEADERS = _by_alias(
    {
        "id": ("编号", "设备编号"),
        "name": ("名称", "设备名称"),
        "kind": ("类型", "设备类型", "种类"),
        "building": ("楼栋", "建筑", "楼宇"),
        "floor": ("楼层",),
        "room": ("房间", "位置", "安装位置"),
        "role": ("用途", "测量对象", "测点"),
        "profile": ("档案", "限值档案"),
        "address": ("地址", "设备地址"),
        "decoder": ("解码器", "格式"),
        "model": ("型号", "设备型号"),
        "interval_s": ("上报间隔", "上报间隔秒", "上报周期"),
        "parent": ("上级表", "上级"),
        "gateway": ("网关",),
        "register_modulus": ("表盘上限", "满量程"),
        "pulse_weight": ("脉冲当量",),
        "most_per_hour": ("最大流量", "过载流量", "最大负荷"),
        "rated_current_a": ("额定电流",),
        "calibration_offset": ("校准偏差", "校准值"),
        "calibration_date": ("校准日期",),
        "asset_number": ("资产编号", "财产编号"),
        "keeper": ("保管人", "责任人"),
        "fields": ("字段映射", "字段"),
    }
)
PEOPLE_HEADERS = _by_alias(
    {
        "id": ("编号", "工号"),
        "name": ("姓名",),
        "role": ("岗位", "角色"),
        "phone": ("手机", "电话", "手机号"),
        "wecom_id": ("企业微信", "企业微信账号"),
    }
)
ROSTER_HEADERS = _by_alias(
    {
        "person": ("值班人", "人员", "姓名"),
        "from": ("开始", "开始时间", "日期", "值班日期"),
        "to": ("结束", "结束时间"),
    }
)
SWAP_HEADERS = _by_alias(
    {
        "device": ("编号", "设备编号", "设备"),
        "time": ("更换时间", "换表时间", "日期", "更换日期"),
        "end": ("旧表止码", "旧表底数", "止码"),
        "start": ("新表起码", "新表底数", "起码"),
        "note": ("备注", "说明"),
    }
)
KINDS = _by_alias(
    {
        Kind.WATER_METER: ("水表", "远传水表"),
        Kind.ELECTRICITY_METER: ("电表", "电能表", "电力仪表"),
        Kind.GAS_METER: ("燃气表", "气表"),
        Kind.COLD_STORAGE: ("冷柜", "冰箱", "冰柜", "冷库", "冷藏柜", "冷冻柜", "留样柜"),
        Kind.PIPE_PROBE: ("管道探头", "管道温度"),
        Kind.CLIMATE: ("温湿度", "温度计", "温湿度计", "环境"),
        Kind.BOILER: ("锅炉", "供暖"),
        Kind.LEAK_DETECTOR: ("水浸", "漏水探测器"),
        Kind.GATEWAY: ("网关",),
    }
)
ROLES = _by_alias(
    {
        Role.PIPE_WALL: ("管壁",),
        Role.PIPE_SPACE: ("管道间", "管道空间", "管道周围空气"),
        Role.CABINET_AIR: ("柜内空气", "柜内"),
        Role.PRODUCT: ("食品", "食品中心"),
        Role.OUTDOOR: ("室外",),
        Role.ROOM: ("室内", "房间"),
        Role.CABLE: ("电缆", "线缆"),
        Role.HEATING_SUPPLY: ("供水温度", "供暖供水"),
        Role.HEATING_RETURN: ("回水温度", "供暖回水"),
    }
)
PROFILES = _by_alias(
    {
        "freezer": ("冷冻", "冷冻柜", "冰柜"),
        "fridge": ("冷藏", "冷藏柜"),
        "sample_cabinet": ("留样", "留样柜"),
        "exposed_pipe": ("明管", "外露管"),
    }
)
PERSON_ROLES = _by_alias(
    {
        PersonRole.DIRECTOR: ("主任", "总务主任", "后勤主任"),
        PersonRole.DUTY: ("值班员", "值班"),
        PersonRole.ELECTRICIAN: ("电工",),
        PersonRole.PLUMBER: ("水工", "水暖工", "管道工"),
        PersonRole.CANTEEN: ("食堂", "食堂管理员"),
        PersonRole.OBSERVER: ("查看", "只看"),
    }
)


def meant(words: Mapping[str, Word], text: str) -> Word | None:
    """What *text* says in *words*; case and spaces around do not matter."""
    folded = text.strip().lower()
    return words.get(folded)


def choices(words: Mapping[str, Word], names: type[StrEnum]) -> str:
    """All that can be written, each with its first Chinese word: ``water_meter (水表), …``."""
    first: dict[str, str] = {}
    for alias, name in words.items():
        if alias != name:
            first.setdefault(name, alias)
    return ", ".join(f"{name} ({first[name]})" for name in names if name in first)
