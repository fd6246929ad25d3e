"""The registers of meters read by radio (Itron ERT, Neptune R900): counts whose unit is each meter's own.

The endpoint type says what is metered (github.com/bemasher/rtlamr, wiki, Compatible Meters; SCM+ has it in the low four
bits); what one count means is printed on the meter: often 0.1 gallon, 1 cubic foot, 0.01 kWh, but nothing in the message
says so. So the count is passed on as it is, and the register gives it a quantity and a factor, or a pulse weight.
"""

from __future__ import annotations

from campus.device import Device
from campus.quantity import Quantity
from ingest.decoding.reading.fields import registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.message import Value

UNIT = "meter units"
_GAS = frozenset({0, 1, 2, 9, 12})
_WATER = frozenset({3, 11, 13})


def commodity(raw: object) -> str:
    """``gas``, ``water`` or "" of an endpoint type, as number or as ``0xAB``; electricity is "" too."""
    if isinstance(raw, str):
        try:
            raw = int(raw, 0)
        except ValueError:
            return ""
    if not isinstance(raw, int) or isinstance(raw, bool):
        return ""
    kind = raw & 0x0F
    return "gas" if kind in _GAS else "water" if kind in _WATER else ""


def register_value(
    metered: str, field: str, raw: object, device: Device | None, dropped: dict[str, str], channel: str = ""
) -> Value | None:
    """The count of *field*: by the register's word, as pulses of a meter with a pulse weight, or as it is."""
    found = registered(field, device)
    if found is None and device is not None and device.pulse_weight:
        found = Meaning(Quantity.PULSE_COUNT, "count", channel)
    found = found or Meaning(f"{metered}_volume_raw" if metered else "register_raw", UNIT, channel)
    return value_of(found, field, raw, dropped)
