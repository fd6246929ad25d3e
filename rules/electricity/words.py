"""What several rules of electricity say, and what to do about current that leaks to earth."""

from __future__ import annotations

from campus.text import marked as _
from rules.words.advice import Advice
from rules.words.fact import Ending, Fact

WASTE_A_DAY = Fact("waste_kwh_day", _("照此每天多用约 {value:.0f} kWh"), Ending.DROPPED)
CURRENT = Fact("current_a", _("电流 {value:.1f} A"))
VOLTAGE = Fact("voltage_v", _("电压 {value:.1f} V"))
RESIDUAL = Fact("residual_ma", _("漏电流 {value:.0f} mA"))
LIMIT_RESIDUAL = Fact("limit_ma", _("限值 {value:.0f} mA"), Ending.KEPT)
EARTH_LEAK = Advice(
    "electricity.residual", _("请电工断开可疑回路逐一排查,重点查潮湿处和老旧线路;超过 500 mA 有起火危险。")
)
