"""Fields of Tasmota's smart meter interface: the script's author names them, mostly as the published descriptors do.

``Total_in``, ``Power_curr``, ``Volt_p1`` and the like, or the OBIS code itself (IEC 62056-61: ``1_8_0``, ``16.7.0``). Source:
tasmota.github.io, Smart Meter Interface; values are in kWh and W there unless the name says otherwise.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from campus.quantity import Quantity
from ingest.decoding.reading.names import Meaning

_ENERGY, _POWER = Meaning(Quantity.ENERGY, "kWh"), Meaning(Quantity.ACTIVE_POWER, "W")
_VOLTAGE, _CURRENT = Meaning(Quantity.VOLTAGE, "V"), Meaning(Quantity.CURRENT, "A")
_PRODUCED = "produced"
#: OBIS value groups C and D of electricity: registers by direction, and momentary values by phase
_OBIS = re.compile(r"(?:1[-_]0[:_])?([0-9]{1,2})[._]([78])[._]([0-9])(?:[*_]255)?")
_OBIS_NOW: dict[int, tuple[Meaning, str]] = {
    1: (_POWER, ""), 16: (_POWER, ""), 21: (_POWER, "a"), 41: (_POWER, "b"), 61: (_POWER, "c"), 36: (_POWER, "a"),
    56: (_POWER, "b"), 76: (_POWER, "c"), 31: (_CURRENT, "a"), 51: (_CURRENT, "b"), 71: (_CURRENT, "c"),
    32: (_VOLTAGE, "a"), 52: (_VOLTAGE, "b"), 72: (_VOLTAGE, "c"), 14: (Meaning(Quantity.FREQUENCY, "Hz"), ""),
}  # fmt: skip
_WORD = re.compile(r"[^a-z0-9]+")
#: after letter case and separators are gone; the number of a phase, or of a tariff, stands at the end
_NAMED: tuple[tuple[re.Pattern[str], Meaning, str], ...] = tuple(
    (re.compile(pattern), meaning, channel)
    for pattern, meaning, channel in (
        (r"(?:total|energy|e|verbrauch|bezug|zaehlerstand|kwh|import)(?:in|import|consumed|kwh|bezug)?", _ENERGY, ""),
        (r"(?:total|energy|e|einspeisung|lieferung|export)(?:out|export|delivered|produced|einspeisung)?", _ENERGY, _PRODUCED),
        (r"(?:total|energy|e)(?:in|bezug)?(?:t|tarif|tariff)([12])", _ENERGY, "tariff"),
        (r"(?:total|energy|e)(?:out|lieferung)(?:t|tarif|tariff)([12])", _ENERGY, "produced_tariff"),
        (r"(?:power|p|leistung|wirkleistung|watt)(?:cur|curr|current|total|sum|gesamt|akt|aktuell|now)?(?:w)?", _POWER, ""),
        (r"(?:power|leistung)(?:cur|curr)?(?:p|l|phase)([123])", _POWER, "phase"),
        (r"p([123])", _POWER, "phase"),
        (r"(?:volt|voltage|spannung|u)(?:p|l|phase)?([123])", _VOLTAGE, "phase"),
        (r"(?:volt|voltage|spannung)", _VOLTAGE, ""),
        (r"(?:amperage|amp|ampere|curr|current|strom|i)(?:p|l|phase)?([123])", _CURRENT, "phase"),
        (r"(?:amperage|amp|ampere|current|strom)", _CURRENT, ""),
        (r"(?:hz|freq|frequency|frequenz)", Meaning(Quantity.FREQUENCY, "Hz"), ""),
    )
)  # fmt: skip
#: one of these makes an object a meter's: no sensor chip has them
_MARKS = re.compile(
    r"(?:total_?(?:in|out|kwh).*|e_?(?:in|out)|power_?curr?.*|verbrauch.*|zaehlerstand|meter_?(?:id|number|nr)|server_?id"
    r"|.*1[._]8[._]0.*|.*16[._]7[._]0.*)",
    re.IGNORECASE,
)
_PHASES = {"1": "a", "2": "b", "3": "c"}


def is_script(fields: dict[str, Any]) -> bool:
    """Whether an object holds a meter read by a script rather than a sensor chip."""
    return any(_is_mark(key) for key in fields)


@functools.lru_cache(maxsize=1024)
def _is_mark(key: str) -> bool:
    return _MARKS.fullmatch(key) is not None


@functools.lru_cache(maxsize=1024)
def script_meaning(key: str) -> Meaning | None:
    """What a field of a scripted meter measures; None for its number, its texts and what we cannot tell."""
    obis = _OBIS.fullmatch(key)
    if obis is not None:
        return _by_obis(int(obis[1]), obis[2], obis[3])
    folded = _WORD.sub("", key.lower())
    for pattern, meaning, channel in _NAMED:
        match = pattern.fullmatch(folded)
        if match is None:
            continue
        if channel == "phase":
            return meaning._replace(channel=_PHASES[match[1]])
        return meaning._replace(channel=channel + (match[1] if match.groups() else ""))
    return None


def _by_obis(group: int, processing: str, tariff: str) -> Meaning | None:
    if processing == "8" and group in {1, 2}:
        direction = "" if group == 1 else _PRODUCED
        parts = (direction, f"tariff{tariff}" if tariff != "0" else "")
        return _ENERGY._replace(channel="_".join(one for one in parts if one))
    if processing == "7" and tariff == "0" and group in _OBIS_NOW:
        meaning, channel = _OBIS_NOW[group]
        return meaning._replace(channel=channel)
    return None
