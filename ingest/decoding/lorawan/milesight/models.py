"""What each Milesight model adds to the common elements, and the layout of its history records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from campus.quantity import Quantity
from ingest.decoding.lorawan.milesight import inputs
from ingest.decoding.lorawan.milesight.elements import (
    Element,
    Layout,
    Part,
    analog,
    charge,
    current,
    flag,
    gauge_pressure,
    humidity,
    pressure,
    pulses,
    temperature,
    water,
)
from ingest.decoding.lorawan.uplink import Uplink

#: reads what follows a pair and says how many bytes that was; None when they are not all there
Reader = Callable[[bytes, Uplink], int | None]


class Model(NamedTuple):
    """*history* is the layout of ``20 CE`` records, *histories* those of other channels (``21 CE``).

    *readers* read pairs whose length stands in the bytes themselves.
    """

    elements: Mapping[tuple[int, int], Element] = MappingProxyType({})
    history: Layout | None = None
    histories: Mapping[int, Layout] = MappingProxyType({})
    readers: Mapping[tuple[int, int], Reader] = MappingProxyType({})


_CLIMATE = (temperature(4), humidity(6))
#: temperature and humidity, with a byte kept in reserve or without
TH = Layout(8, _CLIMATE)
TH_SHORT = Layout(7, _CLIMATE)
#: the digital-input model: type of input (2 = counter), its state, the count
DI = Layout(13, (*_CLIMATE, pulses(9, when=(7, 2))))
_DI_WATER = Layout(18, (*_CLIMATE, water(14, when=(8, 2))))
LEAK = Element(1, (flag(Quantity.LEAK_DETECTED),))
_DOOR = Element(1, (flag(Quantity.DOOR_OPEN),))
_NOTHING = Element(1)

#: without a climate sensor four bytes of its records are kept in reserve
_LEAK_ROPE = Model({(0x05, 0x00): LEAK}, Layout(8, (flag(Quantity.LEAK_DETECTED, 7),)))
_LEAK_SPOT = Model({(0x05, 0x00): LEAK}, Layout(8, (*_CLIMATE, flag(Quantity.LEAK_DETECTED, 7))))
_DIGITAL_INPUT = Model(
    {(0x05, 0x00): _NOTHING, (0x85, 0x00): Element(2)},
    DI,
    {0x20: DI, 0x21: _DI_WATER},
)
_HALL_INPUT = Model(
    {(0x05, 0x00): _NOTHING, (0x85, 0x00): Element(2)},
    Layout(13, (pulses(9, when=(7, 2)),)),
    {0x21: Layout(18, (water(14, when=(8, 2)),))},
)
_ONE_PHASE = Model()
_THREE_PHASE = Model(
    {
        (0x03, 0x97): Element(4, (charge("a"),)),
        (0x04, 0x99): Element(2, (current(10, channel="a"),)),
        (0x05, 0x97): Element(4, (charge("b"),)),
        (0x06, 0x99): Element(2, (current(10, channel="b"),)),
        (0x07, 0x97): Element(4, (charge("c"),)),
        (0x08, 0x99): Element(2, (current(10, channel="c"),)),
        (0x84, 0x99): Element(7, (current(10, 4, "a"),)),
        (0x86, 0x99): Element(7, (current(10, 4, "b"),)),
        (0x88, 0x99): Element(7, (current(10, 4, "c"),)),
    }
)
_TWO_PROBES = Model(
    {
        (0x03, 0x00): _DOOR,
        (0x04, 0x67): Element(2, (temperature(channel="probe2"),)),
        (0x04, 0x00): Element(1, (flag(Quantity.DOOR_OPEN, channel="probe2"),)),
        (0x84, 0x67): Element(3, (temperature(channel="probe2"),)),
        (0x94, 0xD7): Element(5, (temperature(channel="probe2"),)),
    }
)
_SOIL = Model(
    {(0x04, 0x68): _NOTHING, (0x04, 0xCA): Element(2), (0x05, 0x7F): Element(2)},
    Layout(10, (temperature(6, "soil"),)),
)
_VALVES = Model(
    {
        (0x03, 0x01): Element(1, (flag(Quantity.SWITCH, channel="valve1"),)),
        (0x04, 0xC8): Element(4, (pulses(channel="1"),)),
        (0x05, 0x01): Element(1, (flag(Quantity.SWITCH, channel="valve2"),)),
        (0x06, 0xC8): Element(4, (pulses(channel="2"),)),
        (0x07, 0x01): _NOTHING,
        (0x08, 0x01): _NOTHING,
        (0xB9, 0x7B): _NOTHING,
        (0x0B, 0xF5): Element(9),
        (0x0E, 0xAF): Element(3),
        (0x0F, 0xAF): Element(3),
    },
    None,
    {0x21: Layout(6, (pressure("kPa", 1, 4, Quantity.WATER_PRESSURE),))},
    {(0x20, 0xCE): inputs.valve_record},
)


def _analog_pair(
    first: int, kind: int, name: str, form: str, scale: float = 1, *, length: int = 8
) -> dict[tuple[int, int], Element]:
    """Two analog inputs; of value, least, greatest and mean of the interval (8 bytes) the value counts."""
    return {
        (first + number, kind): Element(length, (analog(f"{name}_{number + 1}", form, scale),))
        for number in range(2)
    }


#: UC300: four digital inputs, two outputs, two PT100, two inputs each of mA and V, Modbus
_INPUTS = Model(
    {
        **{(0x02 + number, 0x00): _NOTHING for number in range(1, 5)},
        **{(0x02 + number, 0xC8): Element(4, (pulses(channel=str(number)),)) for number in range(1, 5)},
        (0x07, 0x01): Element(1, (flag(Quantity.SWITCH, channel="1"),)),
        (0x08, 0x01): Element(1, (flag(Quantity.SWITCH, channel="2"),)),
        (0x09, 0x67): Element(2, (temperature(channel="1"),)),
        (0x0A, 0x67): Element(2, (temperature(channel="2"),)),
        (0x09, 0xE2): Element(8, (Part(Quantity.TEMPERATURE, "°C", 0, "<e", channel="1"),)),
        (0x0A, 0xE2): Element(8, (Part(Quantity.TEMPERATURE, "°C", 0, "<e", channel="2"),)),
        **_analog_pair(0x0B, 0x02, "adc", "<I", 100, length=4),
        **_analog_pair(0x0D, 0x02, "adv", "<I", 100, length=4),
        **_analog_pair(0x0B, 0xE2, "adc", "<e"),
        **_analog_pair(0x0D, 0xE2, "adv", "<e"),
    },
    readers={
        (0xFF, 0x19): inputs.modbus_of_uc300,
        (0x20, 0xDC): inputs.record_of_uc300,
        (0x20, 0xDD): inputs.modbus_record_of_uc300,
    },
)
#: UC501 and UC502: two inputs or outputs, two analog inputs, SDI-12 texts, Modbus
_OUTDOOR_INPUTS = Model(
    {
        **{(0x02 + number, 0x00): _NOTHING for number in (1, 2)},
        **{
            (0x02 + number, 0x01): Element(1, (flag(Quantity.SWITCH, channel=str(number)),))
            for number in (1, 2)
        },
        **{(0x02 + number, 0xC8): Element(4, (pulses(channel=str(number)),)) for number in (1, 2)},
        **_analog_pair(0x05, 0x02, "analog_input", "<h", 1000),
        **_analog_pair(0x05, 0xE2, "analog_input", "<e"),
        **_analog_pair(0x85, 0xE2, "analog_input", "<e", length=9),
        (0x08, 0xDB): Element(37),
    },
    readers={
        (0xFF, 0x0E): inputs.modbus_from_6,
        (0x80, 0x0E): inputs.modbus_with_alarm,
        (0x20, 0xDC): inputs.record_of_uc50x,
        (0x20, 0xDD): inputs.modbus_record_of_uc50x,
    },
)
#: UC1114, UC1122, UC1152: two inputs, two outputs, two analog inputs, Modbus
_INDUSTRIAL_INPUTS = Model(
    {
        **{(number, 0x00): _NOTHING for number in (1, 2)},
        **{(number, 0xC8): Element(4, (pulses(channel=str(number)),)) for number in (1, 2)},
        **{
            (0x08 + number, 0x01): Element(1, (flag(Quantity.SWITCH, channel=str(number)),))
            for number in (1, 2)
        },
        **_analog_pair(0x11, 0x02, "adc", "<h", 100),
    },
    readers={(0xFF, 0x0E): inputs.modbus_from_0},
)
_NODE_INPUTS = Model(
    {
        (0x03, 0x00): _NOTHING,
        (0x04, 0x00): _NOTHING,
        (0x04, 0xC8): Element(4, (pulses(),)),
        **_analog_pair(0x05, 0x02, "adc", "<h", 100),
    },
    readers={(0xFF, 0x0E): inputs.modbus_from_6},
)
_NODE_CLIMATE = Model(
    {
        (0x03, 0x75): Element(1, (Part(Quantity.BATTERY_LEVEL, "%", failed=frozenset({0xFF})),)),
        (0x01, 0x67): Element(2, (temperature(),)),
        (0x02, 0x68): Element(1, (humidity(),)),
    }
)
_PRESSURE_1 = pressure("kPa", 1, 0, Quantity.WATER_PRESSURE)._replace(channel="1")
_PRESSURE_2 = _PRESSURE_1._replace(channel="2")
#: UC521: two motor valves, their pulses and pipe pressures
_MOTOR_VALVES = Model(
    {
        (0x03, 0xF6): Element(2),
        (0x05, 0xF6): Element(2),
        (0x04, 0xC8): Element(4, (pulses(channel="1"),)),
        (0x06, 0xC8): Element(4, (pulses(channel="2"),)),
        (0x07, 0x01): _NOTHING,
        (0x08, 0x01): _NOTHING,
        (0x09, 0x7B): Element(2, (_PRESSURE_1,)),
        (0x0A, 0x7B): Element(2, (_PRESSURE_2,)),
        (0x0B, 0xF5): Element(9, (_PRESSURE_1._replace(offset=6),)),
        (0x0C, 0xF5): Element(9, (_PRESSURE_2._replace(offset=6),)),
        (0x0D, 0xE3): Element(4),
        **{(channel, 0xF6): Element(2) for channel in (0xB3, 0xB5)},
        **{(channel, 0x7B): _NOTHING for channel in (0xB9, 0xBA)},
        **{(channel, 0x01): _NOTHING for channel in (0x0E, 0x0F)},
    }
)
#: CO2, air pressure, temperature, humidity
_AIR = Model({}, Layout(11, (pressure("hPa", 10, 6), temperature(8), humidity(10))))
_PROBE = Model({}, Layout(6, (temperature(4),)))
#: the byte before the temperature says whether the probe could be read
_FREEZER_PROBE = Model({(0xB3, 0x67): Element(1)}, Layout(7, (temperature(5),)))
_PIPE_PRESSURE = Model({(0x03, 0x7B): Element(2, (gauge_pressure(),))}, Layout(6, (gauge_pressure(4),)))
_ROOM_AIR = Model(
    {(0x05, 0x00): _NOTHING, (0x05, 0x6A): Element(2), (0x06, 0x65): Element(6), (0x0E, 0x01): _NOTHING}
)

#: by the model's name in lower case (``codec``); longer names stand before their beginnings
MODELS: dict[str, Model] = {
    "em300-di-hall": _HALL_INPUT,
    "em300di": _DIGITAL_INPUT,
    "em300mcs": Model({(0x06, 0x00): _DOOR}, Layout(8, (*_CLIMATE, flag(Quantity.DOOR_OPEN, 7)))),
    "em300sld": _LEAK_SPOT,
    "em300zld": _LEAK_SPOT,
    "em300mld": _LEAK_ROPE,
    "em300cl": Model({(0x03, 0xED): _NOTHING, (0x04, 0xEE): _NOTHING, (0x83, 0xED): Element(2)}),
    "em300th": Model(history=TH),
    "em310udl": Model({(0x04, 0x00): _NOTHING}),
    "em320th": Model(history=TH_SHORT),
    "em500pt100": _PROBE,
    "em500pp": _PIPE_PRESSURE,
    "em500swl": Model({}, Layout(6, ())),
    "em500smtc": _SOIL,
    "em500co2": _AIR,
    "em500lgt": Model({(0x03, 0x94): Element(4)}, Layout(8, ())),
    "em500udl": Model({(0x83, 0xE9): Element(5)}, Layout(6, ())),
    "ct101": _ONE_PHASE,
    "ct103": _ONE_PHASE,
    "ct105": _ONE_PHASE,
    "ct303": _THREE_PHASE,
    "ct305": _THREE_PHASE,
    "ct310": _THREE_PHASE,
    "ts101": Model(),
    "ts201": _FREEZER_PROBE,
    "ts301": _TWO_PROBES,
    "ts302": _TWO_PROBES,
    "uc300": _INPUTS,
    **dict.fromkeys(("uc501", "uc502", "uc50x"), _OUTDOOR_INPUTS),
    **dict.fromkeys(("uc1114", "uc1122", "uc1152", "uc11xx"), _INDUSTRIAL_INPUTS),
    "uc11n1": _NODE_INPUTS,
    "uc11t1": _NODE_CLIMATE,
    "uc511": _VALVES,
    "uc512": _VALVES,
    "uc521": _MOTOR_VALVES,
    "ws301": Model({(0x03, 0x00): _DOOR, (0x04, 0x00): _NOTHING}),
    "ws303": Model({(0x03, 0x00): LEAK}),
    **dict.fromkeys(("ws523", "ws525", "ws52x"), Model()),
    **dict.fromkeys(("am102", "am103", "am104", "am107", "am307", "am308", "am319"), _ROOM_AIR),
}
