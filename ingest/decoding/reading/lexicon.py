"""The words of field names: other languages and abbreviations brought to one English word each."""

from __future__ import annotations

import re
import unicodedata

#: words and abbreviations of Spanish, Portuguese, French, German, Italian and of codecs, without accents
_WORDS: dict[str, tuple[str, ...]] = {
    "temperature": ("temp", "tmp", "temperatura", "temperatur", "tempc", "temps", "tempr"),
    "humidity": ("hum", "humedad", "umidade", "umidita", "humidite", "feuchte", "feuchtigkeit", "luftfeuchtigkeit",
                 "luftfeuchte", "hygrometry", "hygro", "humid", "moist"),
    "pressure": ("presion", "pressao", "pression", "pressione", "druck", "luftdruck", "baro", "barometer", "press"),
    "battery": ("bat", "batt", "bateria", "batterie", "batteria", "akku", "vbat", "vbatt", "batteries"),
    "voltage": ("volt", "volts", "voltaje", "tension", "tensao", "tensione", "spannung"),
    "current": ("corriente", "corrente", "courant", "strom", "amperage", "amps", "intensidad"),
    "power": ("potencia", "puissance", "leistung", "potenza", "watts"),
    "energy": ("energia", "energie", "wirkenergie"),
    "water": ("agua", "eau", "wasser", "acqua"),
    "volume": ("volumen", "vol"),
    "flow": ("caudal", "flowrate", "durchfluss", "debit", "portata", "vazao"),
    "leak": ("leakage", "leach", "immersion", "fuga", "flood", "leaking", "vazamento", "fuite", "flooding"),
    "door": ("puerta", "porta", "porte", "tur"),
    "frequency": ("frecuencia", "freq", "frequencia", "frequenz"),
    "pulse": ("pulses", "impulse", "impulses", "pulsos", "pulso", "impulsos"),
    "level": ("nivel", "lvl"),
    "percent": ("percentage", "pct", "porcentaje", "prozent"),
    "external": ("ext", "externa", "exterior", "extern", "exterieure"),
    "outdoor": ("outside", "aussen"),
    "internal": ("int", "interna", "interior", "intern"),
    "total": ("totalizer", "cumulative", "cumulated", "accumulated", "accum", "tot", "acumulado", "acumulada", "gesamt"),
    "ambient": ("ambiente", "environment"),
    "supply": ("vorlauf", "forward", "impulsion"),
    "return": ("rucklauf", "retorno"),
    "soil": ("suelo", "boden", "sol"),
    "air": ("aire", "luft"),
    "min": ("minimum", "minima", "minimo", "mini"),
    "max": ("maximum", "maxima", "maximo", "maxi"),
    "average": ("avg", "mean", "media", "promedio"),
    "dew": ("dewpoint", "rocio", "taupunkt"),
    "wind": ("viento", "vento", "vent"),
    "relative": ("relativa", "rel", "relat"),
    "active": ("activa", "ativa"),
    "probe": ("ds", "ds18b20", "sonda"),
    "channel": ("ch", "chn", "chan", "canal"),
}  # fmt: skip
_ENGLISH = {word: english for english, words in _WORDS.items() for word in words}
#: Chinese terms, longest first, so that 剩余电流 is not read as 电流
_CHINESE: tuple[tuple[str, str], ...] = tuple(
    sorted(
        {
            "温度": "temperature", "湿度": "humidity", "气压": "pressure", "水压": "water_pressure", "压力": "pressure",
            "电池电压": "battery_voltage", "电池电量": "battery_level", "电池": "battery",
            "剩余电流": "residual_current", "漏电流": "residual_current", "漏电": "residual_current",
            "电压": "voltage", "电流": "current", "总有功功率": "total_active_power_kw", "有功功率": "active_power_kw",
            "无功": "reactive", "视在": "apparent", "功率因数": "power_factor", "功率": "power", "频率": "frequency",
            "正向有功电能": "energy", "反向有功电能": "energy_produced", "有功电能": "energy", "总电能": "energy",
            "累计电量": "energy", "用电量": "energy", "总电量": "energy", "电能": "energy", "电量": "energy",
            "累计水量": "water_volume", "累计流量": "water_volume", "总用水量": "water_volume", "用水量": "water_volume",
            "正向累计": "water_volume", "瞬时流量": "flow", "流量": "flow", "燃气用量": "gas_volume", "漏水": "leak",
            "水浸": "leak", "浸水": "leak", "门磁": "door", "门状态": "door", "开关": "switch", "信号强度": "rssi",
            "相": "_phase_", "供水": "supply", "回水": "return", "环境": "ambient", "室内": "indoor", "室外": "outdoor",
            "线缆": "cable", "总": "total", "当前": "", "实时": "", "累计": "total", "日": "day", "月": "month",
            "昨": "yesterday", "最大": "max", "最小": "min", "上限": "max", "下限": "min", "设定": "setpoint", "报警": "alarm",
            "告警": "alarm", "水温": "water_temperature", "正向累计流量": "water_volume", "反向累计流量": "backflow_volume", "水表": "water_meter",
            "电表": "meter", "阀门": "valve", "门": "door", "状态": "status", "线温": "cable_temperature", "线温度": "cable_temperature",
            "有功总电能": "energy", "正向有功总电能": "energy", "反向有功总电能": "energy_produced", "剩余电量": "battery_level",
            "读数": "reading", "正累计": "water_volume", "正累计流量": "water_volume", "总流量": "water_volume", "电度": "energy", "脉冲": "pulse", "脉冲数": "pulse",
        }.items(),
        key=lambda pair: -len(pair[0]),
    )
)  # fmt: skip
_TOKEN = re.compile(r"[A-Z]+[0-9]*(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
#: written without a separator, in one case: ``batterylevel``, ``voltageread``, ``temp1``
_GLUED_WORDS = sorted(
    (set(_ENGLISH) | set(_WORDS) | {
        "factor", "count", "counter", "read", "value", "meter", "status", "state", "electric", "sensor", "rate", "phase",
        "residual", "switch", "contact", "open", "relay", "gas", "room", "inlet", "outlet", "magnet", "total", "celsius", "air",
    }) - {"int", "ext", "rel", "tot", "vol", "sol", "vent", "press", "temps", "media", "volts", "amps", "tur", "ds", "ch"},
    key=lambda word: -len(word),
)  # fmt: skip
_GLUED = re.compile("|".join(_GLUED_WORDS))
_GLUED_KNOWN = frozenset(_GLUED_WORDS)
_GLUED_LENGTHS = sorted({len(word) for word in _GLUED_WORDS})
#: characters of a name that are looked at; no name that means anything is longer
LONGEST_NAME = 160
#: models, units and phases that are one word: ``kWh`` is not k and Wh, nor ``l_h`` two
_MODEL = re.compile(
    r"ds18b20|ds18s20|m3[_/]?h(?![a-z])|m3|l/min|(?<![a-z])l[_/](?:h|min|s)(?![a-z])|[lL][123](?![0-9])"
    r"|(?-i:[kM]Wh?(?![a-zA-Z])|(?<![a-zA-Z])(?:mV|mA|kPa|hPa|MPa)(?![a-zA-Z]))",
    re.IGNORECASE,
)


def words(name: str) -> list[str]:
    """The words of a field name in English and lower case: ``TempC_DS18B20`` → temperature, c, probe.

    Only its first :data:`LONGEST_NAME` characters count: putting accents in order takes the square of their number.
    """
    text = name.strip()[:LONGEST_NAME]
    if not text.isascii():
        text = _ascii(text)
    found: list[str] = []
    at = 0
    for model in _MODEL.finditer(text):
        found += _TOKEN.findall(text[at : model.start()])
        found.append(model[0])
        at = model.end()
    found += _TOKEN.findall(text[at:])
    return [word for one in found for word in _english(one.lower())]


def _ascii(text: str) -> str:
    """*text* without accents, and with its Chinese terms in English."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(one for one in text if not unicodedata.combining(one))
    text = text.replace("累积", "累计")
    for chinese, english in _CHINESE:
        if chinese in text:
            text = text.replace(chinese, f"_{english}_")
    return text


def _english(part: str) -> list[str]:
    if part in _ENGLISH:
        return [_ENGLISH[part]]
    if part == "tempf":
        return ["temperature", "f"]
    if len(part) > 5 and is_glued(part):
        return [_ENGLISH.get(one, one) for one in _GLUED.findall(part)]
    return [part]


def is_glued(part: str) -> bool:
    """Whether *part* is nothing but known words in a row, in time that grows with its length only.

    A regular expression of ambiguous words, ``(?:bat|battery|…)+``, would try every way to cut *part*, and these double
    with each word.
    """
    ends = {0}  # where a row of words may end
    for start in range(len(part)):
        if start in ends:
            ends.update(start + size for size in _GLUED_LENGTHS if part[start : start + size] in _GLUED_KNOWN)
    return bool(part) and len(part) in ends
