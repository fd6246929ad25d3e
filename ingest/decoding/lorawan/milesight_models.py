"""What each Milesight model adds to the common elements, and the layout of its history records."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from campus.quantity import Quantity
from ingest.decoding.lorawan.milesight_elements import (
    Element,
    Layout,
    charge,
    current,
    flag,
    humidity,
    pressure,
    pulses,
    temperature,
    water,
)


class Model(NamedTuple):
    """*history* is the layout of ``20 CE`` records, *histories* those of other channels (``21 CE``)."""

    elements: Mapping[tuple[int, int], Element] = MappingProxyType({})
    history: Layout | None = None
    histories: Mapping[int, Layout] = MappingProxyType({})


_CLIMATE = (temperature(4), humidity(6))
#: temperature and humidity, with a byte kept in reserve or without
TH = Layout(8, _CLIMATE)
TH_SHORT = Layout(7, _CLIMATE)
#: the digital-input model: type of input (2 = counter), its state, the count
DI = Layout(13, (*_CLIMATE, pulses(9, when=(7, 2))))
_DI_WATER = Layout(18, (*_CLIMATE, water(14, when=(8, 2))))
_LEAK = Element(1, (flag(Quantity.LEAK_DETECTED),))
_DOOR = Element(1, (flag(Quantity.DOOR_OPEN),))
_NOTHING = Element(1)

_LEAK_SPOT = Model({(0x05, 0x00): _LEAK}, Layout(8, (*_CLIMATE, flag(Quantity.LEAK_DETECTED, 7))))
_DIGITAL_INPUT = Model(
    {(0x05, 0x00): _NOTHING, (0x85, 0x00): Element(2)},
    DI,
    {0x20: DI, 0x21: _DI_WATER},
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
_INPUTS = Model(
    {
        **{(0x02 + number, 0x00): _NOTHING for number in range(1, 5)},
        **{(0x02 + number, 0xC8): Element(4, (pulses(channel=str(number)),)) for number in range(1, 5)},
        (0x07, 0x01): Element(1, (flag(Quantity.SWITCH, channel="1"),)),
        (0x08, 0x01): Element(1, (flag(Quantity.SWITCH, channel="2"),)),
        (0x09, 0x67): Element(2, (temperature(channel="1"),)),
        (0x0A, 0x67): Element(2, (temperature(channel="2"),)),
        **{(channel, 0x02): Element(4) for channel in range(0x0B, 0x0F)},
        **{(channel, 0xE2): Element(8) for channel in range(0x0B, 0x0F)},
        (0x09, 0xE2): Element(8),
        (0x0A, 0xE2): Element(8),
    }
)
_VALVES = Model(
    {
        (0x03, 0x01): Element(1, (flag(Quantity.SWITCH, channel="valve1"),)),
        (0x04, 0xC8): Element(4, (pulses(channel="1"),)),
        (0x05, 0x01): Element(1, (flag(Quantity.SWITCH, channel="valve2"),)),
        (0x06, 0xC8): Element(4, (pulses(channel="2"),)),
        (0x07, 0x01): _NOTHING,
        (0x08, 0x01): _NOTHING,
    },
    Layout(9, ()),
    {0x21: Layout(6, (pressure("kPa", 1, 4, Quantity.WATER_PRESSURE),))},
)
#: CO2, air pressure, temperature, humidity
_AIR = Model({}, Layout(11, (pressure("hPa", 10, 6), temperature(8), humidity(10))))
_PROBE = Model({}, Layout(6, (temperature(4),)))
#: the byte before the temperature says whether the probe could be read
_FREEZER_PROBE = Model({(0xB3, 0x67): Element(1)}, Layout(7, (temperature(5),)))
_PIPE_PRESSURE = Model({}, Layout(6, (pressure("kPa", 1, 4, Quantity.WATER_PRESSURE),)))
_ROOM_AIR = Model(
    {(0x05, 0x00): _NOTHING, (0x05, 0x6A): Element(2), (0x06, 0x65): Element(6), (0x0E, 0x01): _NOTHING}
)

#: by the model's name in lower case without separators; longer names stand before their beginnings
MODELS: dict[str, Model] = {
    "em300dihall": _DIGITAL_INPUT,
    "em300di": _DIGITAL_INPUT,
    "em300mcs": Model({(0x06, 0x00): _DOOR}, Layout(8, (*_CLIMATE, flag(Quantity.DOOR_OPEN, 7)))),
    "em300sld": _LEAK_SPOT,
    "em300zld": _LEAK_SPOT,
    "em300mld": Model({(0x05, 0x00): _LEAK}),
    "em300th": Model(history=TH),
    "em310udl": Model({(0x04, 0x00): _NOTHING}),
    "em320th": Model(history=TH_SHORT),
    "em500pt100": _PROBE,
    "em500pp": _PIPE_PRESSURE,
    "em500swl": Model({}, Layout(6, ())),
    "em500smtc": _SOIL,
    "em500co2": _AIR,
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
    "uc511": _VALVES,
    "uc512": _VALVES,
    "ws301": Model({(0x03, 0x00): _DOOR, (0x04, 0x00): _NOTHING}),
    "ws303": Model({(0x03, 0x00): _LEAK}),
    "ws523": Model(),
    "ws525": Model(),
    **dict.fromkeys(("am102", "am103", "am104", "am107", "am307", "am308", "am319"), _ROOM_AIR),
}
