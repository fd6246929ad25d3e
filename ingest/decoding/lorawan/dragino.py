"""Dragino LHT65N, CPL03-LB and SW3L (f_port 2, big-endian)."""

from __future__ import annotations

import struct

from campus.quantity import Quantity
from campus.reading import Quality
from ingest.decoding.sentinel import is_probe_fault
from ingest.message import Value

_ABSENT = 0x7FFF
_DS18B20 = 1
#: pulses a litre by the model flag of the SW3L (004, 006 and 010 meters)
_SW3L_PULSES_PER_LITRE = {0: 450.0, 1: 390.0, 2: 64.0}


def lht65n(raw: bytes, dropped: dict[str, str]) -> list[Value] | None:
    """Battery, the built-in SHT, and a DS18B20 on the cable where one is plugged."""
    if len(raw) != 11:
        return None
    battery, inside, humidity, extension, outside = struct.unpack_from(">HhHBh", raw)
    values = [
        Value(Quantity.BATTERY_VOLTAGE, (battery & 0x3FFF) / 1000, "V", field="BatV"),
        Value(Quantity.HUMIDITY, humidity / 10, "%", field="Hum_SHT"),
    ]
    if inside == _ABSENT:
        dropped["TempC_SHT"] = "0x7FFF: no measurement"
    else:
        values.append(Value(Quantity.TEMPERATURE, inside / 100, "°C", field="TempC_SHT"))
    if extension & 0x0F == _DS18B20:
        if outside == _ABSENT:
            dropped["TempC_DS"] = "0x7FFF: no probe connected"
        else:
            fault = is_probe_fault(Quantity.TEMPERATURE, outside / 100)
            quality = Quality.SUSPECT if fault else Quality.GOOD
            values.append(
                Value(Quantity.TEMPERATURE, outside / 100, "°C", "probe", "TempC_DS", quality=quality)
            )
    return values


def cpl03(raw: bytes, _dropped: dict[str, str]) -> list[Value] | None:
    """Flags, total pulses (24 bit), last open duration, device time."""
    if len(raw) != 11:
        return None
    pulses = int.from_bytes(raw[1:4], "big")
    (seconds,) = struct.unpack_from(">I", raw, 7)
    return [Value(Quantity.PULSE_COUNT, float(pulses), "count", field="Total_pulse", time_ms=seconds * 1000)]


def sw3l(raw: bytes, _dropped: dict[str, str]) -> list[Value] | None:
    """Status with the meter's model, total pulses, mode, device time; pulses become litres by the model."""
    if len(raw) < 10:
        return None
    status = raw[0]
    (pulses,) = struct.unpack_from(">I", raw, 1)
    (seconds,) = struct.unpack_from(">I", raw, 6)
    per_litre = _SW3L_PULSES_PER_LITRE.get((status >> 2) & 0x0F)
    values = [
        Value(
            Quantity.LEAK_DETECTED, float(bool(status & 0x02)), "bool", field="Alarm", time_ms=seconds * 1000
        ),
    ]
    if per_litre is None:
        values.append(
            Value(Quantity.PULSE_COUNT, float(pulses), "count", field="Total_pulse", time_ms=seconds * 1000)
        )
    else:
        litres = round(pulses / per_litre, 3)
        values.append(Value(Quantity.WATER_VOLUME, litres, "L", field="Water_flow", time_ms=seconds * 1000))
    return values
