"""Integra Aquastream water meters: a Wireless M-Bus telegram whose tariff 1 counts what flowed backwards.

Source: github.com/akenza-io/device-type-library (types/integra), for that register and the bits of the error flags.
"""

from __future__ import annotations

import msgspec

from campus.quantity import Quantity
from ingest.decoding.lorawan import wmbus
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

_BACKWARD_TARIFF = 1
_ALARMS = (
    (0, "low battery"), (1, "backflow"), (2, "overflow"), (8, "tamper"), (10, "burst"), (11, "leakage"),
    (15, "no consumption"),
)  # fmt: skip
_LEAKS = {"burst", "leakage"}


def aquastream(raw: bytes, _f_port: int, uplink: Uplink) -> bool:
    """Volume, backflow, the alarms in words, and whether one of them is a leak."""
    frame = wmbus.frame(raw)
    if frame is None:
        return False
    wmbus.read(frame, uplink)
    for record in frame.records:
        if record.storage or record.function:
            continue
        if record.tariff == _BACKWARD_TARIFF:
            found = wmbus.value(record, frame.medium)
            if found is not None and found.quantity == Quantity.WATER_VOLUME:
                uplink.values.append(
                    msgspec.structs.replace(found, quantity=Quantity.WATER_BACKFLOW_VOLUME, field="backflow")
                )
        elif (record.table, record.vif) == wmbus.ERROR_FLAGS and record.raw:
            _alarms(int.from_bytes(record.raw, "little"), uplink)
    return True


def _alarms(bits: int, uplink: Uplink) -> None:
    words = [word for bit, word in _ALARMS if bits >> bit & 1]
    if words:
        uplink.flags["alarm"] = ", ".join(words)
    leak = float(not _LEAKS.isdisjoint(words))
    uplink.values.append(Value(Quantity.LEAK_DETECTED, leak, "bool", "", "alarm"))
