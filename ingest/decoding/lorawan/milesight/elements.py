"""The elements all Milesight models share, and how one is read."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from campus.quantity import Quantity
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

#: markers of a failed (FFFF) or over-range (FFFD) reading
_FAILED_U16 = {0xFFFF, 0xFFFD}
_FAILED_I16 = {-1, -3, -0x8000, 0x7FFF}


class Part(NamedTuple):
    """One quantity within an element: where it lies, how it is packed, its scale, and what marks a failure."""

    quantity: str
    unit: str
    offset: int = 0
    form: str = "<B"
    scale: float = 1.0
    channel: str = ""
    failed: frozenset[int] = frozenset()
    #: another byte must have this value for the part to be there
    when: tuple[int, int] | None = None
    #: the bits that count, where a byte holds several things
    mask: int = -1
    #: the maker's own name, where the register is to say what it means
    name: str = ""

    def read(self, rest: bytes, field: str, at_ms: int | None, uplink: Uplink) -> None:
        """Appends the value, or says in ``dropped`` that the sensor failed."""
        if self.when is not None and rest[self.when[0]] != self.when[1]:
            return
        (found,) = struct.unpack_from(self.form, rest, self.offset)
        field = self.name or field
        if isinstance(found, float):
            self._read_float(found, field, at_ms, uplink)
            return
        found &= self.mask
        if found in self.failed:
            uplink.dropped[field] = "the sensor says its reading failed"
        else:
            uplink.values.append(self._value(found / self.scale, field, at_ms))

    def _read_float(self, found: float, field: str, at_ms: int | None, uplink: Uplink) -> None:
        if math.isfinite(found) and (0 <= found < 1e9 or self.quantity != Quantity.WATER_VOLUME):
            uplink.values.append(self._value(round(found, 3), field, at_ms))
        else:
            uplink.dropped[field] = f"{found} is no {self.quantity}"

    def _value(self, amount: float, field: str, at_ms: int | None) -> Value:
        return Value(self.quantity, amount, self.unit, self.channel, field, at_ms)


class Element(NamedTuple):
    """How many bytes follow the pair, and what they hold; no parts for what is no reading here."""

    length: int
    parts: tuple[Part, ...] = ()


class Layout(NamedTuple):
    """A history record: its length with the time, and its parts."""

    length: int
    parts: tuple[Part, ...]


def temperature(offset: int = 0, channel: str = "", *, fails: bool = False) -> Part:
    """Two bytes, signed, tenths of °C; *fails* where the device sends its codes for a broken probe in it."""
    failed = frozenset(_FAILED_I16) if fails else frozenset({-0x8000, 0x7FFF})
    return Part(Quantity.TEMPERATURE, "°C", offset, "<h", 10, channel, failed)


def humidity(offset: int = 0) -> Part:
    """One byte, half percents of relative humidity; 255 is a broken sensor."""
    return Part(Quantity.HUMIDITY, "%", offset, "<B", 2, failed=frozenset({0xFF}))


def current(scale: float, offset: int = 0, channel: str = "") -> Part:
    """Two bytes of a current transformer, 1/*scale* A each."""
    return Part(Quantity.CURRENT, "A", offset, "<H", scale, channel, frozenset(_FAILED_U16))


def charge(channel: str = "") -> Part:
    """Ampere-hours counted by a transformer."""
    return Part(Quantity.CHARGE_TOTAL, "Ah", 0, "<I", 100, channel)


def pulses(offset: int = 0, channel: str = "", when: tuple[int, int] | None = None) -> Part:
    """Four bytes, the pulses counted at an input; *when* as of :class:`Part`."""
    return Part(Quantity.PULSE_COUNT, "count", offset, "<I", 1, channel, when=when)


def water(offset: int, when: tuple[int, int] | None = None) -> Part:
    """Counted pulses as water, converted in the device as it was set up."""
    return Part(Quantity.WATER_VOLUME, "L", offset, "<f", when=when)


def gauge_pressure(offset: int = 0) -> Part:
    """A pipe's pressure in kPa against the air's, so it may be below zero."""
    return Part(Quantity.WATER_PRESSURE, "kPa", offset, "<h", failed=frozenset({-0x8000, 0x7FFF}))


def analog(name: str, form: str, scale: float = 1, offset: int = 0) -> Part:
    """An input for any transmitter (mA, V): what it measures stands in the register, under the maker's name of it."""
    return Part(name, "", offset, form, scale, name=name)


def flag(quantity: str, offset: int = 0, channel: str = "") -> Part:
    """A byte that is 1 for open, leaking, on."""
    return Part(quantity, "bool", offset, channel=channel, failed=frozenset(range(2, 256)))


def pressure(unit: str, scale: float, offset: int = 0, quantity: str = Quantity.PRESSURE) -> Part:
    """Air pressure in tenths of hPa, pipe pressure in kPa."""
    return Part(quantity, unit, offset, "<H", scale, failed=frozenset(_FAILED_U16))


#: lengths of the ``FF`` attributes: versions, serial numbers, reset and power words
ATTRIBUTES: dict[int, int] = {
    0x01: 1, 0x08: 6, 0x09: 2, 0x0A: 2, 0x0B: 1, 0x0F: 1, 0x14: 1, 0x15: 1, 0x16: 8, 0x18: 1, 0x1B: 5, 0xA0: 9, 0xFE: 1,
    0xFF: 2, 0xCC: 2,
}  # fmt: skip
#: pairs that mean one thing at every model
COMMON: dict[tuple[int, int], Element] = {
    (0x01, 0x75): Element(1, (Part(Quantity.BATTERY_LEVEL, "%", failed=frozenset({0xFF})),)),
    (0x03, 0x67): Element(2, (temperature(),)),
    (0x09, 0x67): Element(2, (temperature(fails=True),)),
    (0x83, 0x67): Element(3, (temperature(),)),
    (0x89, 0x67): Element(3, (temperature(fails=True),)),
    (0x83, 0xD7): Element(5, (temperature(),)),
    (0x93, 0xD7): Element(5, (temperature(),)),
    (0x93, 0x67): Element(5, (temperature(),)),
    (0x04, 0x68): Element(1, (humidity(),)),
    (0x05, 0xC8): Element(4, (pulses(),)),
    (0x05, 0xE1): Element(8, (water(4),)),
    (0x85, 0xE1): Element(9, (water(4),)),
    (0x03, 0x97): Element(4, (charge(),)),
    (0x04, 0x98): Element(2, (current(100),)),
    (0x84, 0x98): Element(7, (current(100, 4),)),
    (0x04, 0x99): Element(2, (current(10),)),
    (0x84, 0x99): Element(7, (current(10, 4),)),
    (0x03, 0x73): Element(2, (pressure("hPa", 10),)),
    (0x06, 0x73): Element(2, (pressure("hPa", 10),)),
    (0x09, 0x73): Element(2, (pressure("hPa", 10),)),
    (0x05, 0x7D): Element(2),  # CO2 and other air quality: no quantity of ours
    (0x07, 0x7D): Element(2),
    (0x08, 0x7D): Element(2),
    (0x08, 0xE6): Element(2),
    (0x06, 0xCB): Element(1),
    (0x03, 0x77): Element(2),  # depth, distance
    (0x03, 0x82): Element(2),
    (0x03, 0x74): Element(2, (Part(Quantity.VOLTAGE, "V", 0, "<H", 10),)),
    (0x04, 0x80): Element(4, (Part(Quantity.ACTIVE_POWER, "W", 0, "<I"),)),
    (0x05, 0x81): Element(1, (Part(Quantity.POWER_FACTOR, "%", failed=frozenset({0xFF})),)),
    (0x06, 0x83): Element(4, (Part(Quantity.ENERGY, "Wh", 0, "<I"),)),
    (0x07, 0xC9): Element(2, (Part(Quantity.CURRENT, "mA", 0, "<H"),)),
    (0x08, 0x70): Element(1, (Part(Quantity.SWITCH, "bool", mask=1),)),
    (0x03, 0x7B): Element(2, (pressure("kPa", 1, quantity=Quantity.WATER_PRESSURE),)),
    (0x09, 0x7B): Element(2, (pressure("kPa", 1, quantity=Quantity.WATER_PRESSURE),)),
}
