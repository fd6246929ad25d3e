"""Wireless M-Bus telegrams carried in LoRaWAN uplinks: a whole frame without the radio's checksums (EN 13757-4, -7).

Length, C field, maker, meter's number (decimal), version and medium, then the kind of header (CI), access number, status
and a configuration word, whose bits 8 to 12 name the encryption: 0 is none. Encrypted frames are refused, as keys belong to
the utility's gateway (wmbusmeters holds them).
"""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from campus.quantity import Quantity
from ingest.decoding.lorawan.uplink import Uplink
from ingest.decoding.lorawan.wmbus_records import BadRecord, Record, records
from ingest.errors import Rejected
from ingest.message import Value

#: send without reply, and the same of an installation
_C_FIELDS = {0x44, 0x46}
_EXTENDED_LINK = 0x8C
_NO_HEADER, _SHORT, _LONG = 0x78, 0x7A, 0x72
#: warm, plain, hot and cold
_WATER = frozenset({0x06, 0x07, 0x15, 0x16})
_GAS, _ELECTRICITY = frozenset({0x03}), frozenset({0x02})
_ANY = frozenset(range(256))
_NOT_WATER = _ANY - _WATER
#: the status byte's bits that every maker must mean alike
_STATES = ((0x04, "low battery"), (0x08, "permanent error"), (0x10, "temporary error"))
_ERRORS = range(0x01, 0x20)
_BACKWARD, _FORWARD = 0x3C, 0x3B
_SECOND_TABLE = 0xFD
_DATE_TIME, ERROR_FLAGS, _BATTERY_DAYS = (0, 0x6D), (_SECOND_TABLE, 0x17), (_SECOND_TABLE, 0x74)
#: table, the bits of the VIF that name the quantity, their code, the media that it counts for, and what it is with the
#: power of ten where the other bits are 0 (EN 13757-3, tables 10 and 12). A heat meter's volume and energy are no water and no
#: electricity; a water meter has one pipe only, so that what the standard calls flow temperature is its water's.
_VIFS: tuple[tuple[int, int, int, frozenset[int], tuple[Quantity, int, str, str]], ...] = (
    (0, 0x78, 0x10, _WATER, (Quantity.WATER_VOLUME, -6, "m3", "")),
    (0, 0x78, 0x10, _GAS, (Quantity.GAS_VOLUME, -6, "m3", "")),
    (0, 0x78, 0x38, _WATER, (Quantity.WATER_FLOW, -6, "m3/h", "")),
    (0, 0x78, 0x40, _WATER, (Quantity.WATER_FLOW, -7, "m3/min", "")),
    (0, 0x78, 0x48, _WATER, (Quantity.WATER_FLOW, -9, "m3/s", "")),
    (0, 0x7C, 0x58, _WATER, (Quantity.TEMPERATURE, -3, "°C", "water")),
    (0, 0x7C, 0x58, _NOT_WATER, (Quantity.TEMPERATURE, -3, "°C", "supply")),
    (0, 0x7C, 0x5C, _ANY, (Quantity.TEMPERATURE, -3, "°C", "return")),
    (0, 0x7C, 0x64, _ANY, (Quantity.TEMPERATURE, -3, "°C", "external")),
    (0, 0x7C, 0x68, _WATER, (Quantity.WATER_PRESSURE, -3, "bar", "")),
    (0, 0x78, 0x00, _ELECTRICITY, (Quantity.ENERGY, -3, "Wh", "")),
    (0, 0x78, 0x28, _ELECTRICITY, (Quantity.ACTIVE_POWER, -3, "W", "")),
    (_SECOND_TABLE, 0x70, 0x40, _ELECTRICITY, (Quantity.VOLTAGE, -9, "V", "")),
    (_SECOND_TABLE, 0x70, 0x50, _ELECTRICITY, (Quantity.CURRENT, -12, "A", "")),
)  # fmt: skip


class Telegram(NamedTuple):
    """A telegram: the meter's own number, what it measures, and its records."""

    meter: str
    medium: int
    status: int
    records: tuple[Record, ...]


def frame(raw: bytes) -> Telegram | None:
    """*raw* as a telegram, or None where it is none; raises :class:`Rejected` for an encrypted one."""
    if len(raw) < 13 or raw[0] != len(raw) - 1 or raw[1] not in _C_FIELDS:
        return None
    meter, medium, at = raw[4:8], raw[9], 10
    if raw[at] == _EXTENDED_LINK:
        at += 3
    header, at = raw[at] if at < len(raw) else 0, at + 1
    if header == _LONG and len(raw) >= at + 12:
        meter, medium, at = raw[at : at + 4], raw[at + 7], at + 8
    status = 0
    if header in {_SHORT, _LONG} and len(raw) >= at + 4:
        _, status, configuration = struct.unpack_from("<BBH", raw, at)
        at += 4
        if mode := configuration >> 8 & 0x1F:
            raise Rejected("encrypted", f"telegram of meter {meter[::-1].hex()} in encryption mode {mode}")
    elif header != _NO_HEADER:
        return None
    try:
        return Telegram(meter[::-1].hex(), medium, status, tuple(records(raw[at:])))
    except BadRecord:
        return None


def telegram(raw: bytes, _f_port: int, uplink: Uplink) -> bool:
    """What any maker's telegram says by the standard."""
    found = frame(raw)
    if found is None:
        return False
    read(found, uplink)
    return True


def read(found: Telegram, uplink: Uplink) -> None:
    """The present values of *found*, its status, clock and remaining battery; maxima and due dates are no readings."""
    uplink.flags["meter"] = found.meter
    words = [word for mask, word in _STATES if found.status & mask]
    if words:
        uplink.flags["status"] = ", ".join(words)
    for record in found.records:
        if record.storage or record.function or record.subunit or record.tariff:
            continue
        kind = (record.table, record.vif)
        if kind == _DATE_TIME:
            uplink.flags |= _clock(record.raw)
        elif kind == ERROR_FLAGS and any(record.raw):
            uplink.flags["error"] = f"0x{record.raw[::-1].hex()}"
        elif kind == _BATTERY_DAYS and record.number is not None:
            uplink.flags["battery_days"] = f"{record.number:g}"
        else:
            _measured(record, found.medium, uplink)


def value(record: Record, medium: int) -> Value | None:
    """What *record* measures, by its VIF; None for what is no quantity of ours, or more than we understand."""
    kind = _quantity(record, medium)
    if kind is None or record.number is None or not math.isfinite(record.number):
        return None
    quantity, power, unit, channel = kind
    for extension in record.extensions:
        if extension & 0x78 == 0x70:
            power += (extension & 7) - 6
        elif extension == 0x7D:
            power += 3
        elif extension == _BACKWARD and quantity == Quantity.WATER_VOLUME:
            quantity = Quantity.WATER_BACKFLOW_VOLUME
        elif extension != _FORWARD:
            return None
    amount = record.number * 10**power if power >= 0 else record.number / 10**-power
    return Value(quantity, amount, unit, channel, f"vif{record.table:02x}{record.vif:02x}")


def _measured(record: Record, medium: int, uplink: Uplink) -> None:
    found = value(record, medium)
    name = f"vif{record.table:02x}{record.vif:02x}"
    if any(one in _ERRORS for one in record.extensions):
        uplink.dropped[name] = "the meter says the record is in error"
    elif found is not None:
        uplink.values.append(found)
    elif record.number is None and _quantity(record, medium) is not None:
        uplink.dropped[name] = f"{record.raw.hex()} is no number"


def _quantity(record: Record, medium: int) -> tuple[Quantity, int, str, str] | None:
    """Quantity, power of ten, unit and channel of a VIF."""
    for table, mask, code, media, (quantity, power, unit, channel) in _VIFS:
        if record.table == table and record.vif & mask == code and medium in media:
            return quantity, power + (record.vif & ~mask & 0x7F), unit, channel
    return None


def _clock(raw: bytes) -> dict[str, str]:
    """The meter's own clock, local and without a zone, as a word beside the readings (type F, annex A)."""
    if len(raw) != 4 or raw[0] & 0x80:  # the time is marked as invalid
        return {}
    year = (raw[2] >> 5 & 7) | (raw[3] >> 4 & 0xF) << 3
    return {
        "meter_time": f"{2000 + year:04d}-{raw[3] & 0xF:02d}-{raw[2] & 0x1F:02d} {raw[1] & 0x1F:02d}:{raw[0] & 0x3F:02d}"
    }
