"""An alert in plain words: what, where, since when, how much, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from campus.campus import Campus
from campus.clock import from_ms
from campus.text import Translate
from campus.text import marked as _
from rules.advice import ADVICE

_TITLES: dict[str, str] = {
    "water.burst": _("{place}「{device}」疑似爆管:用水量异常大"),
    "water.never_zero": _("{place}「{device}」疑似漏水:用水从不停"),
    "pipe.cold": _("{place}「{device}」有冻管危险"),
    "cold.above_limit": _("{place}「{device}」温度过高"),
    "electricity.left_on": _("{place}「{device}」下班后未关电"),
    "sensor.silent": _("{place}「{device}」没有数据"),
}
_OTHER_TITLE = _("{place}「{device}」告警:{rule}")
#: one line for each fact, in this order; facts without a line are left to the details
_LINES: dict[str, str] = {
    "temperature_c": _("现在 {value:.1f} °C"),
    "peak_c": _("最高 {value:.1f} °C"),
    "limit_c": _("限值 {value:.1f} °C"),
    "outdoor_c": _("室外 {value:.1f} °C"),
    "minutes_to_0c": _("按目前趋势约 {value:.0f} 分钟后到 0 °C"),
    "flow_m3h": _("流量 {value:.2f} m³/h"),
    "limit_m3h": _("限值 {value:.2f} m³/h"),
    "least_flow_m3h": _("最小小时流量 {value:.3f} m³/h"),
    "hours": _("已连续 {value:.0f} 小时没有停过"),
    "loss_m3_day": _("照此每天约 {value:.1f} m³"),
    "power_kw": _("功率 {value:.2f} kW"),
    "limit_kw": _("下班后限值 {value:.2f} kW"),
    "waste_kwh_day": _("照此每天多用约 {value:.0f} kWh"),
    "cost_yuan_day": _("约合每天 {value:.0f} 元"),
    "silent_minutes": _("已 {value:.0f} 分钟没有数据"),
}
_SINCE = _("从 {since} 开始")
_NEVER_HEARD = _("登记以来从未收到过数据")


class Explanation(msgspec.Struct, frozen=True):
    """A title, the facts one a line, and the advice."""

    title: str
    lines: tuple[str, ...]
    advice: str


def explain(
    rule: str, subject: str, evidence: Mapping[str, Any], campus: Campus, translate: Translate
) -> Explanation:
    """*evidence* (as built from :class:`rules.verdict.Evidence`) in words, in the language of *translate*."""
    facts: Mapping[str, Any] = evidence.get("facts", {})
    title = translate(_TITLES.get(rule, _OTHER_TITLE)).format(
        place=place_of(subject, campus), device=name_of(subject, campus), rule=rule
    )
    lines = [_line(translate(text), facts[key]) for key, text in _LINES.items() if key in facts]
    if facts.get("never_heard"):
        lines.append(translate(_NEVER_HEARD))
    since_ms = evidence.get("since_ms", 0)
    if since_ms:
        since = from_ms(since_ms, campus.site.zone).strftime("%m-%d %H:%M")
        lines.append(translate(_SINCE).format(since=since))
    advice = ADVICE.get(str(evidence.get("advice", "")), "")
    return Explanation(title, tuple(lines), translate(advice) if advice else "")


def name_of(subject: str, campus: Campus) -> str:
    """The device's name, or its id where it is not in the register any more."""
    device = campus.devices.get(subject)
    return device.name if device is not None else subject


def place_of(subject: str, campus: Campus) -> str:
    """Building, floor and room as written in the register."""
    device = campus.devices.get(subject)
    if device is None:
        return ""
    building = campus.site.building(device.place.building)
    parts = (
        building.name if building is not None else device.place.building,
        device.place.floor,
        device.place.room,
    )
    return " ".join(part for part in parts if part)


Explain = Callable[[str, str, Mapping[str, Any]], Explanation]


def _line(text: str, value: Any) -> str:
    try:
        return text.format(value=value)
    except ValueError:  # a fact that should be a number and is a text
        return str(value)
