"""Names of measurements as IEC 61850 writes them (7-4: MMXU, MMTR), which Chinese power models took over.

``PhV_phsA`` is phase voltage, ``A_phsB`` current, ``TotW`` active power, ``TotWh`` energy; units are the SI ones.
"""

from __future__ import annotations

import re

from campus.quantity import Quantity
from ingest.decoding.reading.names import Meaning

_NAME = re.compile(r"(PhV|A|W|PF|TotW|TotPF|TotWh|SupWh|DmdWh|Hz)(?:[._]phs([ABC])|[._](neut))?")
_QUANTITIES: dict[str, tuple[str, str]] = {
    "PhV": (Quantity.VOLTAGE, "V"),
    "A": (Quantity.CURRENT, "A"),
    "W": (Quantity.ACTIVE_POWER, "W"),
    "TotW": (Quantity.ACTIVE_POWER, "W"),
    "PF": (Quantity.POWER_FACTOR, "1"),
    "TotPF": (Quantity.POWER_FACTOR, "1"),
    "Hz": (Quantity.FREQUENCY, "Hz"),
    "TotWh": (Quantity.ENERGY, "Wh"),
    "DmdWh": (Quantity.ENERGY, "Wh"),
    "SupWh": (Quantity.ENERGY, "Wh"),
}
_OF_ONE_PHASE = {"PhV", "A", "W", "PF"}
_CHANNELS = {"TotW": "total", "SupWh": "produced"}


def meaning(name: str) -> Meaning | None:
    """What a name of the standard measures; None for others, and for a single letter without its phase."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    node, phase, neutral = found.groups()
    if (node in _OF_ONE_PHASE) != bool(phase or neutral):
        return None
    quantity, unit = _QUANTITIES[node]
    return Meaning(quantity, unit, phase.lower() if phase else "n" if neutral else _CHANNELS.get(node, ""))
