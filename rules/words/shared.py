"""Facts that rules of several rooms stand on, and what to do about a leak: declared once."""

from __future__ import annotations

from campus.text import marked as _
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact

TEMPERATURE = Fact("temperature_c", _("现在 {value:.1f} °C"), Ending.DROPPED)
LIMIT_TEMPERATURE = Fact("limit_c", _("限值 {value:.1f} °C"), Ending.KEPT)
OUTDOOR = Fact("outdoor_c", _("室外 {value:.1f} °C"))
FLOW = Fact("flow_m3h", _("流量 {value:.2f} m³/h"))
LIMIT_FLOW = Fact("limit_m3h", _("限值 {value:.2f} m³/h"), Ending.KEPT)
PRESSURE = Fact("pressure_kpa", _("压力 {value:.0f} kPa"))
LIMIT_PRESSURE = Fact("limit_kpa", _("限值 {value:.0f} kPa"), Ending.KEPT)
LOSS_A_DAY = Fact("loss_m3_day", _("照此每天约 {value:.1f} m³"), Ending.DROPPED)
COST_A_DAY = Fact("cost_yuan_day", _("约合每天 {value:.0f} 元"), Ending.DROPPED)
SILENT = Fact("silent_minutes", _("已 {value:.0f} 分钟没有数据"), Ending.KEPT)
LEAK = Advice(
    "water.leak",
    _("先看表:关掉楼内用水后表还在走,就是漏水。按楼层关阀分段查,优先查卫生间水箱、茶水间和消防管。"),
)
