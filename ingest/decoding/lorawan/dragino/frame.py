"""What Dragino's payloads share: ports, logged records of eleven bytes, the status with the battery."""

from __future__ import annotations

from collections.abc import Iterator

from campus.quantity import Quantity
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

LIVE, LOG, CONFIGURATION, STATUS = 2, 3, 4, 5
RECORD = 11
ABSENT = 0x7FFF


def records(raw: bytes) -> Iterator[bytes]:
    """The whole records of a log; each ends with its own time in seconds."""
    for start in range(0, len(raw) - RECORD + 1, RECORD):
        yield raw[start : start + RECORD]


def time_ms(record: bytes) -> int:
    """The time of a record or a live payload: bytes 7 to 10."""
    return int.from_bytes(record[7:11], "big") * 1000


def status(raw: bytes, uplink: Uplink) -> bool:
    """The device's status: model, firmware, band, and the battery in mV."""
    if len(raw) < 7:
        return False
    battery(int.from_bytes(raw[5:7], "big"), uplink)
    return True


def battery(millivolts: int, uplink: Uplink) -> None:
    """Adds the cell's voltage in V; *millivolts* without the status bits that some devices put above it."""
    uplink.values.append(Value(Quantity.BATTERY_VOLTAGE, millivolts / 1000, "V", field="BatV"))


def numbered_probe(number: int, celsius: float | None, uplink: Uplink, at_ms: int | None, field: str) -> None:
    """Adds one of several probes, counted from 1, in °C: the first without a channel; None where none is connected, which is dropped."""
    if celsius is None:
        uplink.dropped[field] = "no probe connected"
        return
    channel = "" if number == 1 else f"probe{number}"
    uplink.values.append(Value(Quantity.TEMPERATURE, celsius, "°C", channel, field, at_ms))
