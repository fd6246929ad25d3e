"""Facts that several rules of water stand on."""

from __future__ import annotations

from campus.text import marked as _
from rules.words.fact import Ending, Fact

USUAL_FLOW = Fact("usual_flow_m3h", _("平时 {value:.3f} m³/h"), Ending.KEPT)
RESOLUTION = Fact("resolution_m3h", _("这块表能分辨的最小流量 {value:.3f} m³/h"))
