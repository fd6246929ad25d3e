"""Units as people and codecs spell them, folded to the spellings ``campus.unit`` converts."""

from __future__ import annotations

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "°C": ("c", "℃", "degc", "deg c", "celsius", "cel", "摄氏度", "°", "degrees celsius", "º", "ºc"),
    "°F": ("f", "℉", "degf", "fahrenheit"),
    "%": ("％", "％rh", "percent", "percentage", "pct", "%rh", "rh", "% rh", "%r.h."),
    "V": ("volt", "volts", "伏", "vdc", "vac"),
    "mV": ("millivolt", "millivolts"),
    "A": ("amp", "amps", "ampere", "安"),
    "mA": ("milliamp", "milliamps", "毫安"),
    "W": ("watt", "watts", "瓦"),
    "kW": ("kilowatt", "kilowatts", "千瓦"),
    "Wh": ("watthours", "w·h", "w*h"),
    "kWh": ("kilowatthours", "kw·h", "kw*h", "kw.h", "度", "千瓦时"),
    "L": ("litre", "litres", "liter", "liters", "升", "ltr"),
    "m3": ("m³", "m^3", "cbm", "cubic meters", "cubic metres", "立方米", "立方", "方", "吨"),
    "m3/h": ("m³/h", "m3h", "m^3/h", "m3/hr", "cmh", "立方米/小时"),
    "L/min": ("lmin", "lpm", "l/m", "升/分"),
    "L/h": ("lh", "lph", "l/hr"),
    "m3/min": ("m³/min",),
    "gal": ("gallon", "gallons"),
    "ft3": ("ft³", "ft^3", "cubic feet"),
    "inHg": ("in hg", "inhg"),
    "Hz": ("hertz", "赫兹"),
    "kPa": ("千帕",),
    "MPa": ("兆帕",),
    "hPa": ("百帕", "mb"),
    "count": ("pulses", "pulse", "counts", "imp"),
}
_KNOWN = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}


def folded_unit(written: str) -> str:
    """The usual spelling of *written*; unknown ones come back as they are.

    Case is kept where it carries meaning (``mW`` and ``MW``).
    """
    text = written.strip().replace("㎥", "m3")
    return _KNOWN.get(text.lower(), text)
