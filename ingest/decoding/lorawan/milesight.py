"""Milesight's channel-type-value payloads (EM300, EM320, EM500, CT101/103, UC pulse inputs; f_port 85).

Every element is a channel byte, a type byte and a little-endian value, so the bytes describe themselves; an unknown
pair ends the reading, as its length is not known. History elements (``20 CE``) carry their own time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from campus.quantity import Quantity
from ingest.message import Value

F_PORT = 85
_FAILED_U16 = 0xFFFF


def decode(raw: bytes, dropped: dict[str, str]) -> list[Value] | None:
    """The values of *raw*; None when it does not read as this format from its first element."""
    values: list[Value] = []
    position = 0
    while position + 2 <= len(raw):
        pair = (raw[position], raw[position + 1])
        if not any(raw[position:]):  # trailing zero padding
            break
        if pair == (0x20, 0xCE):
            step = _history(raw[position + 2 :], values)
        else:
            step = _element(pair, raw[position + 2 :], values, dropped)
        if step is None:
            return None if position == 0 else values
        position += 2 + step
    return values


def _element(pair: tuple[int, int], rest: bytes, values: list[Value], dropped: dict[str, str]) -> int | None:
    if pair[0] == 0xFF:
        return _attribute_length(pair[1])
    known = _ELEMENTS.get(pair)
    if known is None or len(rest) < known[0]:
        return None
    length, read = known
    value = read(rest[:length])
    if value is None:
        dropped[f"{pair[0]:02x}{pair[1]:02x}"] = "the sensor says its reading failed"
    else:
        values.append(value)
    return length


def _history(rest: bytes, values: list[Value]) -> int | None:
    """``time u32`` then temperature i16/10 and humidity u8/2, and for pulse inputs a status, pad and u32 count."""
    if len(rest) < 7:
        return None
    seconds, temperature, humidity = struct.unpack_from("<IhB", rest)
    time_ms = seconds * 1000
    values.append(Value(Quantity.TEMPERATURE, temperature / 10, "°C", field="history", time_ms=time_ms))
    values.append(Value(Quantity.HUMIDITY, humidity / 2, "%", field="history", time_ms=time_ms))
    if len(rest) >= 13 and rest[7] in {0, 1, 2} and not _starts_element(rest[7:9]):
        # EM300-DI: kind of input (2 = counter), its state, then the count
        if rest[7] == 2:
            (pulses,) = struct.unpack_from("<I", rest, 9)
            values.append(
                Value(Quantity.PULSE_COUNT, float(pulses), "count", field="history", time_ms=time_ms)
            )
        return 13
    return min(len(rest), 8) if len(rest) <= 8 or rest[7] == 0 else 7


def _starts_element(two: bytes) -> bool:
    return len(two) == 2 and ((two[0], two[1]) in _ELEMENTS or (two[0], two[1]) == (0x20, 0xCE))


def _attribute_length(kind: int) -> int | None:
    """Lengths of the ``FF`` attributes (versions, serial number, reset and power words)."""
    return {0x01: 1, 0x09: 2, 0x0A: 2, 0x0B: 1, 0x0F: 1, 0x16: 8, 0x18: 1, 0xFE: 1, 0xFF: 2}.get(kind)


def _u8(quantity: str, unit: str, scale: float = 1, channel: str = "") -> Callable[[bytes], Value | None]:
    return lambda raw: Value(quantity, raw[0] / scale, unit, channel)


def _i16(quantity: str, unit: str, scale: float, channel: str = "") -> Callable[[bytes], Value | None]:
    def read(raw: bytes) -> Value | None:
        (found,) = struct.unpack("<h", raw)
        return None if found in {-1, 0x7FFF, -0x8000} and quantity != Quantity.TEMPERATURE else Value(
            quantity, found / scale, unit, channel
        )  # fmt: skip

    return read


def _u16(quantity: str, unit: str, scale: float, channel: str = "") -> Callable[[bytes], Value | None]:
    def read(raw: bytes) -> Value | None:
        (found,) = struct.unpack("<H", raw)
        return None if found == _FAILED_U16 else Value(quantity, found / scale, unit, channel)

    return read


def _u32(quantity: str, unit: str, scale: float = 1, channel: str = "") -> Callable[[bytes], Value | None]:
    return lambda raw: Value(quantity, struct.unpack("<I", raw)[0] / scale, unit, channel)


def _water(raw: bytes) -> Value | None:
    """``05 E1``: two conversion words, then litres or m3 as the device is set (its float, EM300-DI)."""
    (amount,) = struct.unpack_from("<f", raw, 4)
    return Value(Quantity.WATER_VOLUME, round(float(amount), 3), "L") if 0 <= amount < 1e12 else None


def _alarm_temperature(raw: bytes) -> Value | None:
    return Value(Quantity.TEMPERATURE, struct.unpack_from("<h", raw)[0] / 10, "°C")


_ELEMENTS: dict[tuple[int, int], tuple[int, Callable[[bytes], Value | None]]] = {
    (0x01, 0x75): (1, _u8(Quantity.BATTERY_LEVEL, "%")),
    (0x03, 0x67): (2, _i16(Quantity.TEMPERATURE, "°C", 10)),
    (0x04, 0x67): (2, _i16(Quantity.TEMPERATURE, "°C", 10, "probe2")),
    (0x09, 0x67): (2, _i16(Quantity.TEMPERATURE, "°C", 10)),
    (0x04, 0x68): (1, _u8(Quantity.HUMIDITY, "%", 2)),
    (0x05, 0xC8): (4, _u32(Quantity.PULSE_COUNT, "count")),
    (0x05, 0xE1): (8, _water),
    (0x05, 0x00): (1, _u8(Quantity.LEAK_DETECTED, "bool")),
    (0x06, 0x00): (1, _u8(Quantity.DOOR_OPEN, "bool")),
    (0x03, 0x97): (4, _u32(Quantity.CHARGE_TOTAL, "Ah", 100)),
    (0x04, 0x98): (2, _u16(Quantity.CURRENT, "A", 100)),
    (0x04, 0x99): (2, _u16(Quantity.CURRENT, "A", 10)),
    (0x03, 0x73): (2, _u16(Quantity.PRESSURE, "hPa", 10)),
    (0x83, 0xD7): (5, _alarm_temperature),
}
