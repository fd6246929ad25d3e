"""Decentlab's protocol 2: version, device number, a bit for each sensor that follows, then big-endian words.

The bytes do not say which sensors a device has, so each model has its list; the battery is one of them. Values no
quantity of ours knows (light, soil, CO2) are left.

Source: github.com/decentlab/decentlab-decoders.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from campus.quantity import Quantity
from campus.reading import Quality
from ingest.decoding.lorawan.uplink import Uplink
from ingest.message import Value

_VERSION = 2
_HEADER_BYTES = 5
_BATTERY_MV = (1500, 4000)
#: a DS18B20's own range, and what it says where it measured nothing
_DS18_C = (-55.0, 125.0)


#: from the words of one sensor
Formula = Callable[[tuple[int, ...]], float]


class Known(NamedTuple):
    """A value of a sensor that is a quantity of ours, or one the register has to explain."""

    name: str
    quantity: str
    unit: str
    of: Formula


class Sensor(NamedTuple):
    """How many words a sensor takes, and what we know of them."""

    words: int
    values: tuple[Known, ...] = ()


_BATTERY = Sensor(1, (Known("battery_voltage", Quantity.BATTERY_VOLTAGE, "V", lambda x: x[0] / 1000),))
_DS18 = Sensor(1, (Known("temperature", Quantity.TEMPERATURE, "°C", lambda x: (x[0] - 0x8000) / 16),))
_SHT35 = Sensor(
    2,
    (
        Known("air_temperature", Quantity.TEMPERATURE, "°C", lambda x: 175 * x[0] / 65535 - 45),
        Known("air_humidity", Quantity.HUMIDITY, "%", lambda x: 100 * x[1] / 65535),
    ),
)
_SHT21 = Sensor(
    2,
    (
        Known("air_temperature", Quantity.TEMPERATURE, "°C", lambda x: 175.72 * x[0] / 65536 - 46.85),
        Known("air_humidity", Quantity.HUMIDITY, "%", lambda x: 125 * x[1] / 65536 - 6),
    ),
)
#: the transmitter's range is printed on it: the register's factor turns the fraction into a pressure
_PRESSURE = Sensor(
    2,
    (
        Known("pressure_fraction", "pressure_fraction", "", lambda x: (x[0] - 16384) / 32768),
        Known("temperature", Quantity.TEMPERATURE, "°C", lambda x: (x[1] - 384) * 0.003125 - 50),
    ),
)
_BAROMETER = Sensor(1, (Known("barometric_pressure", Quantity.PRESSURE, "Pa", lambda x: x[0] * 2.0),))
_PULSES = Sensor(
    4,
    (
        Known(
            "cumulative_pulse_count",
            Quantity.PULSE_COUNT,
            "count",
            lambda x: float(x[2] + x[3] * 65536),
        ),
    ),
)
#: by the model's name in lower case, the maker's prefix ``DL-`` taken off
MODELS: dict[str, tuple[Sensor, ...]] = {
    "ds18": (_DS18, _BATTERY),
    "sht35": (_SHT35, _BATTERY),
    "sht21": (_SHT21, _BATTERY),
    "pr26": (_PRESSURE, _BATTERY),
    "pr21": (_PRESSURE, _BATTERY),
    "dlr2-002": (_PULSES, _BATTERY),
    "iam": (_BATTERY, _SHT35, _BAROMETER, Sensor(2), Sensor(3), Sensor(1), Sensor(1)),
}


def codec(name: str) -> Callable[[bytes, int, Uplink], bool]:
    """The codec of the model of that name."""
    sensors = MODELS[name]

    def read(raw: bytes, _f_port: int, uplink: Uplink) -> bool:
        return _read(raw, sensors, uplink)

    return read


def unnamed(raw: bytes, _f_port: int, uplink: Uplink) -> bool:
    """A device whose model nobody names: one word and a battery are most likely the temperature probe DL-DS18.

    The battery is sure, as all models have it; the temperature is stored as suspect until the register names the model.
    """
    if not _read(raw, MODELS["ds18"], uplink) or len(uplink.values) != len(MODELS["ds18"]):
        return False
    temperature, battery = uplink.values
    if not _DS18_C[0] <= temperature.value <= _DS18_C[1]:
        return False
    if not _BATTERY_MV[0] <= battery.value * 1000 <= _BATTERY_MV[1]:
        return False
    uplink.values[0] = msgspec.structs.replace(temperature, quality=Quality.SUSPECT)
    return True


def _read(raw: bytes, sensors: tuple[Sensor, ...], uplink: Uplink) -> bool:
    """Whether the bytes are exactly the sensors that their flags name."""
    if len(raw) < _HEADER_BYTES or len(raw) % 2 == 0 or raw[0] != _VERSION:
        return False
    (flags,) = struct.unpack_from(">H", raw, 3)
    present = [sensor for number, sensor in enumerate(sensors) if flags >> number & 1]
    words = struct.unpack_from(f">{(len(raw) - _HEADER_BYTES) // 2}H", raw, _HEADER_BYTES)
    if flags >> len(sensors) or sum(sensor.words for sensor in present) != len(words):
        return False
    position = 0
    for sensor in present:
        own = words[position : position + sensor.words]
        position += sensor.words
        for one in sensor.values:
            uplink.values.append(Value(one.quantity, round(one.of(own), 4), one.unit, "", one.name))
    return True
