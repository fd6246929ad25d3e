"""Dragino LHT65N, CPL03-LB, CPL01, SW3L and D20/D22/D23-LB: big-endian, f_port 2 live, 3 logged, 5 the device's status.

Sources: the maker's manuals and published decoders (github.com/dragino/dragino-end-node-decoder).
"""

from __future__ import annotations

import struct

from campus.quantity import Quantity
from campus.reading import Quality
from ingest.decoding.lorawan.dragino import frame
from ingest.decoding.lorawan.uplink import Uplink
from ingest.decoding.reading.sentinel import is_probe_fault
from ingest.decoding.reading.timestamp import EARLIEST_MS
from ingest.message import Value

#: kinds of LHT65N's external connector
_DS18B20, _TMP117, _COUNT_16, _COUNT_32, _DS18B20_LOGGED, _TMP117_LOGGED, _SHT31 = 1, 2, 7, 8, 9, 10, 11
#: and those that answer with the probe's own number, which takes the place of the built-in sensor's bytes
_SHT31_ID, _DS18B20_ID, _TMP117_ID = 0x10, 0x15, 0x20
_NO_INSIDE = {0x0E, 0x0F, _SHT31_ID, _DS18B20_ID, _TMP117_ID}
#: pulses a litre by the model flag of the SW3L (004, 006, 010 and 020 meters)
_SW3L_PULSES_PER_LITRE = {0: 450.0, 1: 390.0, 2: 64.0, 3: 12.0}
_SW3L_020_PULSES_PER_LITRE = 12.0
_D2X_NORMAL = 3


def lht65n(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """Battery, the built-in SHT, and whatever is plugged into the external connector."""
    if f_port == frame.STATUS:
        return frame.status(raw, uplink)
    kind = raw[6] if len(raw) > 6 else 0
    if f_port == frame.LOG and len(raw) % frame.RECORD and len(raw) > 2:
        # samples of one interval without times: only the battery is of now
        frame.battery(int.from_bytes(raw[0:2], "big") & 0x3FFF, uplink)
        return True
    if f_port == frame.LOG or kind & 0x40 or (kind & 0x80 and _is_time(raw)):
        return _lht65n_log(raw, uplink)
    if len(raw) not in {11, 15}:
        return False
    first, inside, humidity = struct.unpack_from(">HhH", raw)
    ext = kind & 0x3F
    seconds = None
    if ext in {_DS18B20_LOGGED, _TMP117_LOGGED}:
        # these carry a time, and the probe's value in the place of the battery
        (seconds,) = struct.unpack_from(">I", raw, 7)
        _probe(struct.unpack_from(">h", raw)[0], uplink, seconds * 1000)
    else:
        frame.battery(first & 0x3FFF, uplink)
    if ext not in _NO_INSIDE:
        _inside(inside, humidity, uplink, None if seconds is None else seconds * 1000)
    if not kind & 0x80:
        _external(ext, raw, uplink)
    else:
        uplink.dropped["TempC_DS"] = "the device says its probe is not connected"
    return True


def cpl03(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """Pulses of one input with the device's time, or of three inputs without."""
    if f_port in {frame.CONFIGURATION, 7}:
        return True
    if f_port == frame.STATUS:
        return frame.status(raw, uplink)
    if f_port != frame.LOG and len(raw) != frame.RECORD:
        return False
    for record in frame.records(raw):
        if record[0] & 0x08:  # CPL03 mode: one counter each of PA8, PA4 and PB15
            for position, pin in enumerate(("PA8", "PA4", "PB15")):
                pulses = int.from_bytes(record[1 + 3 * position : 4 + 3 * position], "big")
                uplink.values.append(
                    Value(Quantity.PULSE_COUNT, float(pulses), "count", str(position + 1), pin)
                )
            continue
        pulses = int.from_bytes(record[1:4], "big")
        at_ms = frame.time_ms(record)
        if not record[0] & 0x20:  # PART counts since the last uplink: no register
            uplink.values.append(
                Value(Quantity.PULSE_COUNT, float(pulses), "count", "", "Total_pulse", at_ms)
            )
    return bool(raw)


def cpl01(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """Pulses of one input with the device's time; its flags are a number for the server, not modes."""
    if f_port == frame.CONFIGURATION:
        return True
    if f_port == frame.STATUS:
        return frame.status(raw, uplink)
    for record in frame.records(raw):
        pulses = float(int.from_bytes(record[1:4], "big"))
        at_ms = frame.time_ms(record)
        uplink.values.append(Value(Quantity.PULSE_COUNT, pulses, "count", "", "TOTAL_PULSE", at_ms))
    return len(raw) >= frame.RECORD


def sw3l_020(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """The DN20 meter of the SW3L: 12 pulses a litre whatever its flag says."""
    return _sw3l_of(_SW3L_020_PULSES_PER_LITRE, raw, f_port, uplink)


def sw3l(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """Status with the meter's model, total pulses, mode, device time; pulses become litres by the model."""
    return _sw3l_of(None, raw, f_port, uplink)


def _sw3l_of(per_litre: float | None, raw: bytes, f_port: int, uplink: Uplink) -> bool:
    if f_port == frame.CONFIGURATION:
        return True
    if f_port == frame.STATUS:
        return frame.status(raw, uplink)
    if f_port == frame.LOG:
        for record in frame.records(raw):
            _sw3l(record[0], record[1], record[3:7], frame.time_ms(record), uplink, per_litre)
        return bool(raw)
    if len(raw) != frame.RECORD:
        return False
    _sw3l(raw[0], raw[5], raw[1:5], frame.time_ms(raw), uplink, per_litre)
    return True


def d2x(raw: bytes, f_port: int, uplink: Uplink) -> bool:
    """One to three DS18B20 probes in 0.1 °C."""
    if f_port == frame.STATUS:
        return frame.status(raw, uplink)
    if f_port == frame.LOG:
        for record in frame.records(raw):
            at_ms = frame.time_ms(record)
            for number, tenths in enumerate(struct.unpack_from(">hhh", record), 1):
                _tenths(number, tenths, uplink, at_ms)
        return bool(raw)
    if f_port != frame.LIVE or len(raw) != frame.RECORD:
        return False
    if (raw[6] & 0x7C) >> 2 == _D2X_NORMAL:
        frame.battery(int.from_bytes(raw[0:2], "big"), uplink)
        for number, offset in ((1, 2), (2, 7), (3, 9)):
            _tenths(number, struct.unpack_from(">h", raw, offset)[0], uplink, None)
    return True


def _is_time(raw: bytes) -> bool:
    """Whether bytes 7 to 10 are a time: bit 7 of the kind says "resent log" in new firmware, "no probe" in old."""
    return EARLIEST_MS // 1000 < int.from_bytes(raw[7:11], "big") < 0x7FFFFFFF


def _inside(centi: int, per_mille: int, uplink: Uplink, at_ms: int | None) -> None:
    if centi == frame.ABSENT:
        uplink.dropped["TempC_SHT"] = "0x7FFF: no measurement"
        return
    humidity = (per_mille & 0x0FFF) / 10
    uplink.values.append(Value(Quantity.HUMIDITY, humidity, "%", "", "Hum_SHT", at_ms))
    uplink.values.append(Value(Quantity.TEMPERATURE, centi / 100, "°C", "", "TempC_SHT", at_ms))


def _external(ext: int, raw: bytes, uplink: Uplink) -> None:
    if ext in {_DS18B20, _TMP117, _SHT31, _SHT31_ID, _TMP117_ID}:
        _probe(struct.unpack_from(">h", raw, 7)[0], uplink, None)
    if ext in {_SHT31, _SHT31_ID}:
        humidity = (int.from_bytes(raw[9:11], "big") & 0x0FFF) / 10
        uplink.values.append(Value(Quantity.HUMIDITY, humidity, "%", "probe", "Ext_Hum_SHT"))
    elif ext in {_COUNT_16, _COUNT_32}:
        pulses = int.from_bytes(raw[7 : 9 if ext == _COUNT_16 else 11], "big")
        uplink.values.append(Value(Quantity.PULSE_COUNT, float(pulses), "count", field="Exit_count"))


def _probe(centi: int, uplink: Uplink, at_ms: int | None) -> None:
    if centi == frame.ABSENT:
        uplink.dropped["TempC_DS"] = "0x7FFF: no probe connected"
        return
    fault = is_probe_fault(Quantity.TEMPERATURE, "TempC_DS", centi / 100)
    quality = Quality.SUSPECT if fault else Quality.GOOD
    uplink.values.append(Value(Quantity.TEMPERATURE, centi / 100, "°C", "probe", "TempC_DS", at_ms, quality))


def _tenths(number: int, tenths: int, uplink: Uplink, at_ms: int | None) -> None:
    celsius = None if tenths in {frame.ABSENT, -0x8000, -3276} else tenths / 10
    frame.numbered_probe(number, celsius, uplink, at_ms, f"TempC{number}")


def _lht65n_log(raw: bytes, uplink: Uplink) -> bool:
    """Logged records: the external value, the built-in SHT's, the kind and the time."""
    kind = raw[6] & 0x0F if len(raw) > 6 else 0
    for record in frame.records(raw):
        outside, inside, humidity = struct.unpack_from(">hhH", record)
        at_ms = frame.time_ms(record)
        if kind in {_DS18B20, _TMP117, _DS18B20_LOGGED, _TMP117_LOGGED, _SHT31}:
            _probe(outside, uplink, at_ms)
        _inside(inside, humidity, uplink, at_ms)
    return len(raw) >= frame.RECORD


def _sw3l(
    status: int, mode: int, counted: bytes, at_ms: int, uplink: Uplink, per_litre: float | None
) -> None:
    pulses = int.from_bytes(counted, "big")
    alarm = float(bool(status & 0x02))
    uplink.values.append(Value(Quantity.LEAK_DETECTED, alarm, "bool", "", "Alarm", at_ms))
    if mode & 0x3F == 1:  # pulses since the last uplink: no register
        return
    per_litre = per_litre or _SW3L_PULSES_PER_LITRE.get((status >> 2) & 0x0F)
    # the litres are the register; its pulses stay beside it on a channel of their own
    channel = "" if per_litre is None else "raw"
    uplink.values.append(Value(Quantity.PULSE_COUNT, float(pulses), "count", channel, "Total_pulse", at_ms))
    if per_litre is not None:
        litres = round(pulses / per_litre, 3)
        uplink.values.append(Value(Quantity.WATER_VOLUME, litres, "L", "", "Water_flow", at_ms))
