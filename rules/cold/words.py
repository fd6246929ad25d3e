"""What several rules of cabinets say."""

from __future__ import annotations

from campus.text import marked as _
from rules.words.fact import Ending, Fact

USUAL_TEMPERATURE = Fact("usual_c", _("平时 {value:.1f} °C"), Ending.KEPT)
TO_CRITICAL = Fact("minutes_to_critical", _("按目前趋势约 {value:.0f} 分钟后到危险温度"), Ending.DROPPED)
