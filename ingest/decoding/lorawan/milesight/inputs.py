"""Elements of Milesight's input modules whose length stands in the bytes: Modbus channels and masked history records.

Every function reads what follows the pair, appends to the uplink and says how many bytes it took; None where bytes are
missing. Modbus channels and analog inputs keep the maker's names (``modbus_chn_1``, ``adc_2``): the register says what
they measure.

Source: uc300, uc501, uc502, uc511 and uc11xx of github.com/Milesight-IoT/SensorDecoders.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable

from campus.quantity import Quantity
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

#: forms of a Modbus value by its type (coil, discrete, input and holding registers; odd 5 and 7 are floats)
_FORMS = {0: "<B", 1: "<B", 2: "<H", 3: "<H", 4: "<I", 5: "<f", 6: "<I", 7: "<f"}
#: UC300's further types: two registers of which the first (8, 10) or the second (9, 11) counts
_FIRST, _SECOND = {8, 10}, {9, 11}
_COUNTER = 2
_RECORDED_VALVE, _VALVE_COUNTS, _SECOND_VALVE = 9, 0x02, 0x10


def modbus(first_channel: int, trailer: int, rest: bytes, uplink: Uplink) -> int | None:
    """UC11xx and UC50x: channel, type, value; *trailer* bytes of alarm behind it."""
    if len(rest) < 2:
        return None
    form = _FORMS[rest[1] & 0x07]
    length = 2 + struct.calcsize(form) + trailer
    if len(rest) < length:
        return None
    (found,) = struct.unpack_from(form, rest, 2)
    _keep(f"modbus_chn_{rest[0] - first_channel + 1}", found, None, uplink)
    return length


#: UC11xx counts its channels from 1, as they are; UC50x and UC11-N1 from 7, so that theirs begins with 1
modbus_from_0 = functools.partial(modbus, 1, 0)
modbus_from_6 = functools.partial(modbus, 7, 0)
modbus_with_alarm = functools.partial(modbus, 7, 1)


def modbus_of_uc300(rest: bytes, uplink: Uplink) -> int | None:
    """Channel from 0, length, type with the sign in its highest bit, value."""
    if len(rest) < 3:
        return None
    length = _uc300_length(rest[2])
    if length is None or len(rest) < 3 + length:
        return None
    _keep(f"modbus_chn_{rest[0] + 1}", _uc300_value(rest[2], rest[3 : 3 + length]), None, uplink)
    return 3 + length


def record_of_uc300(rest: bytes, uplink: Uplink) -> int | None:
    """A time, a mask of 16 channels, and what the channels of the mask said."""
    if len(rest) < 6:
        return None
    seconds, mask = struct.unpack_from("<IH", rest)
    at_ms, position = seconds * 1000, 6
    for number in range(13):
        if not mask >> number & 1:
            continue
        length, read = _uc300_channel(number)
        if len(rest) < position + length:
            return None
        read(rest[position : position + length], at_ms, uplink)
        position += length
    return position


def modbus_record_of_uc300(rest: bytes, uplink: Uplink) -> int | None:
    """A time, a mask of 32 Modbus channels, and a type and four bytes of each."""
    if len(rest) < 8:
        return None
    seconds, mask = struct.unpack_from("<II", rest)
    return _masked_modbus(rest, 8, mask, functools.partial(_recorded, seconds * 1000, _uc300_value, uplink))


def record_of_uc50x(rest: bytes, uplink: Uplink) -> int | None:
    """A time, kind and value of both digital channels, both analog inputs in thousandths."""
    if len(rest) < 22:
        return None
    seconds, kind_1, count_1, kind_2, count_2, analog_1, analog_2 = struct.unpack_from("<IBIBIii", rest)
    at_ms = seconds * 1000
    for channel, kind, count in (("1", kind_1, count_1), ("2", kind_2, count_2)):
        if kind == _COUNTER:
            uplink.values.append(_pulses(count, channel, at_ms))
    _keep("analog_input_1", analog_1 / 1000, at_ms, uplink)
    _keep("analog_input_2", analog_2 / 1000, at_ms, uplink)
    return 22


def modbus_record_of_uc50x(rest: bytes, uplink: Uplink) -> int | None:
    """A time, a mask of 16 Modbus channels, and a type and four bytes of each."""
    if len(rest) < 6:
        return None
    seconds, mask = struct.unpack_from("<IH", rest)
    return _masked_modbus(rest, 6, mask, functools.partial(_recorded, seconds * 1000, _uc50x_value, uplink))


def valve_record(rest: bytes, uplink: Uplink) -> int | None:
    """UC511 and UC512: a time, the valve's state and number, its pulses where it counts."""
    if len(rest) < _RECORDED_VALVE:
        return None
    seconds, state, count = struct.unpack_from("<IBI", rest)
    number = "2" if state & _SECOND_VALVE else "1"
    at_ms = seconds * 1000
    uplink.values.append(Value(Quantity.SWITCH, float(state & 1), "bool", f"valve{number}", "history", at_ms))
    if state & _VALVE_COUNTS:
        uplink.values.append(_pulses(count, number, at_ms))
    return _RECORDED_VALVE


def _masked_modbus(
    rest: bytes, position: int, mask: int, record: Callable[[int, int, bytes], None]
) -> int | None:
    """Type and four bytes of each channel in *mask*, from *position* on."""
    for number in range(mask.bit_length()):
        if not mask >> number & 1:
            continue
        if len(rest) < position + 5:
            return None
        record(number + 1, rest[position], rest[position + 1 : position + 5])
        position += 5
    return position


def _recorded(
    at_ms: int, value: Callable[[int, bytes], float], uplink: Uplink, channel: int, kind: int, raw: bytes
) -> None:
    _keep(f"modbus_chn_{channel}", value(kind, raw), at_ms, uplink)


def _uc300_length(kind: int) -> int | None:
    """How many bytes a value of that type takes; None for types nobody documented."""
    if kind & 0x7F in _FIRST | _SECOND:
        return 4
    form = _FORMS.get(kind & 0x7F)
    return None if form is None else struct.calcsize(form)


def _uc300_value(kind: int, raw: bytes) -> float:
    if _uc300_length(kind) is None:
        return math.nan
    signed, plain = kind & 0x80, kind & 0x7F
    if plain in _FIRST | _SECOND:
        (found,) = struct.unpack_from("<h" if signed else "<H", raw, 0 if plain in _FIRST else 2)
        return float(found)
    form = _FORMS[plain]
    (found,) = struct.unpack_from(form if form == "<f" or not signed else form.lower(), raw)
    return float(found)


def _uc50x_value(kind: int, raw: bytes) -> float:
    """Four bytes whatever the type, an integer in all but the float types."""
    (found,) = struct.unpack_from("<f" if kind & 0x07 in {5, 7} else "<I", raw)
    return float(found)


def _uc300_channel(number: int) -> tuple[int, Callable[[bytes, int, Uplink], None]]:
    """The length of a channel's part of a record, and its reader."""
    if number < 4:  # digital inputs: what they are, and their count
        return 5, functools.partial(_digital, str(number + 1))
    if number < 6:  # outputs
        return 1, functools.partial(_output, str(number - 3))
    if number < 8:
        return 2, functools.partial(_probe, str(number - 5))
    if number < 12:  # value, greatest, least, mean
        return 8, functools.partial(_input, f"adc_{number - 7}" if number < 10 else f"adv_{number - 9}")
    return 48, _text


def _digital(channel: str, raw: bytes, at_ms: int, uplink: Uplink) -> None:
    kind, count = struct.unpack("<BI", raw)
    if kind:
        uplink.values.append(_pulses(count, channel, at_ms))


def _output(channel: str, raw: bytes, at_ms: int, uplink: Uplink) -> None:
    uplink.values.append(Value(Quantity.SWITCH, float(raw[0] & 1), "bool", channel, "history", at_ms))


def _probe(channel: str, raw: bytes, at_ms: int, uplink: Uplink) -> None:
    (found,) = struct.unpack("<e", raw)
    if math.isfinite(found):
        uplink.values.append(
            Value(Quantity.TEMPERATURE, round(found, 2), "°C", channel, f"pt100_{channel}", at_ms)
        )


def _input(name: str, raw: bytes, at_ms: int, uplink: Uplink) -> None:
    _keep(name, struct.unpack_from("<e", raw)[0], at_ms, uplink)


def _text(_raw: bytes, _at_ms: int, _uplink: Uplink) -> None:
    """A text is no reading."""


def _pulses(count: int, channel: str, at_ms: int) -> Value:
    return Value(Quantity.PULSE_COUNT, float(count), "count", channel, "history", at_ms)


def _keep(name: str, found: float, at_ms: int | None, uplink: Uplink) -> None:
    if math.isfinite(found):
        uplink.values.append(Value(name, round(float(found), 6), "", "", name, at_ms))
    else:
        uplink.dropped[name] = f"{found} is no value"
