"""Numbers as devices write them: bare, as text, or as text with a unit."""

from __future__ import annotations

import math
import re

#: ASCII digits only: ``\d`` would also take digits of other scripts. A unit starts with a letter, ° or %, and
#: holds no digits but the power at a place where one belongs (``m3/h``).
_NUMBER = re.compile(
    r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)"
    r"\s*((?:[°%‰％℃℉㎥]|[^\W\d_])(?:[^\W\d_]|[°%％℃℉㎥²³*·/^. ]|(?<=m)[23]|(?<=\^)[23]){0,11})?\s*"
)
_TRUE = {
    "on",
    "true",
    "open",
    "opened",
    "yes",
    "wet",
    "alarm",
    "leak",
    "leaking",
    "1",
    "是",
    "开",
    "打开",
    "报警",
    "告警",
    "漏水",
    "有水",
}
_FALSE = {
    "off",
    "false",
    "closed",
    "close",
    "no",
    "dry",
    "normal",
    "no leak",
    "noleak",
    "0",
    "否",
    "关",
    "关闭",
    "正常",
    "无水",
}


def number(value: object) -> tuple[float, str] | None:
    """The number and the unit written beside it ("" for none); None for what is no finite number.

    >>> number("30.11 °C")
    (30.11, '°C')
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            found = float(value)
        except OverflowError:
            return None
        return (found, "") if math.isfinite(found) else None
    if not isinstance(value, str) or len(value) > 64:
        return None
    match = _NUMBER.fullmatch(value)
    if match is None:
        return None
    found = float(match[1])
    return (found, (match[2] or "").strip()) if math.isfinite(found) else None


def truth(value: object) -> float | None:
    """1.0 or 0.0 for a switch, contact or leak in any of the usual spellings; None for anything else."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value) if value in {0, 1} else None
    if isinstance(value, str):
        folded = value.strip().lower()
        if folded in _TRUE:
            return 1.0
        if folded in _FALSE:
            return 0.0
    return None
