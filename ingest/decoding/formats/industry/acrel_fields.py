"""What the fields of Acrel's messages mean: short names of the gateways, numbered points of the ADW300.

Sources: Acrel's overseas protocol (hwprotocol) and ADW300 data item table, which gives each point's number, name and unit.
Line voltages, reactive and apparent power, demand, tariffs and harmonics are left out: nothing is judged by them.
"""

from __future__ import annotations

from campus.quantity import Quantity as Q  # noqa: N817 - a table of many names reads better so
from ingest.decoding.reading.names import Meaning

_PHASES = ("a", "b", "c")


def _named() -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for phase in _PHASES:
        found[f"u{phase}"] = Meaning(Q.VOLTAGE, "V", phase)
        found[f"i{phase}"] = Meaning(Q.CURRENT, "A", phase)
        found[f"p{phase}"] = Meaning(Q.ACTIVE_POWER, "kW", phase)
        found[f"pf{phase}"] = Meaning(Q.POWER_FACTOR, "1", phase)
    for channel in (*_PHASES, "n"):
        found[f"temp{channel}"] = found[f"t{channel}"] = Meaning(Q.TEMPERATURE, "°C", channel)
    for number in "1234":
        found[f"temp{number}"] = found[f"t{number}"] = Meaning(Q.TEMPERATURE, "°C", number)
    residual = Meaning(Q.RESIDUAL_CURRENT, "mA")
    energy = Meaning(Q.ENERGY, "kWh")
    return found | {
        "u": Meaning(Q.VOLTAGE, "V"),
        "i": Meaning(Q.CURRENT, "A"),
        "in": Meaning(Q.CURRENT, "A", "n"),
        "p": Meaning(Q.ACTIVE_POWER, "kW", "total"),
        "pf": Meaning(Q.POWER_FACTOR, "1"),
        "hz": Meaning(Q.FREQUENCY, "Hz"),
        "fr": Meaning(Q.FREQUENCY, "Hz"),
        "f": Meaning(Q.FREQUENCY, "Hz"),
        "epi": energy,
        "wh": energy,  # kWh in spite of its name: 8.98 beside 221 V and a ratio of 40
        "ep": energy,
        "epe": Meaning(Q.ENERGY, "kWh", "produced"),
        "il": residual,
        "ileak": residual,
        "ires": residual,
    }


def _numbered() -> dict[int, Meaning]:
    found: dict[int, Meaning] = {}
    for at, phase in enumerate(_PHASES):
        found[1 + at] = Meaning(Q.VOLTAGE, "V", phase)
        found[7 + at] = Meaning(Q.CURRENT, "A", phase)
        found[10 + at] = Meaning(Q.ACTIVE_POWER, "kW", phase)
        found[22 + at] = Meaning(Q.POWER_FACTOR, "1", phase)
        found[42 + 4 * at] = Meaning(Q.ENERGY, "kWh", phase)
        found[43 + 4 * at] = Meaning(Q.ENERGY, "kWh", f"{phase}_produced")
    for at, channel in enumerate((*_PHASES, "n")):
        found[36 + at] = Meaning(Q.TEMPERATURE, "°C", channel)
    return found | {
        13: Meaning(Q.ACTIVE_POWER, "kW", "total"),
        25: Meaning(Q.POWER_FACTOR, "1"),
        26: Meaning(Q.FREQUENCY, "Hz"),
        28: Meaning(Q.ENERGY, "kWh"),
        29: Meaning(Q.ENERGY, "kWh", "produced"),
        40: Meaning(Q.RESIDUAL_CURRENT, "A"),
    }


#: by the key in lower case: gateways write ``ua`` and ``PFa`` alike
NAMED = _named()
#: by the point's number
NUMBERED = _numbered()
#: the point that holds the meter's own serial number, and those of its transformers' ratios
SERIAL_POINT = 0
RATIO_POINTS = {34: "pt", 35: "ct"}
