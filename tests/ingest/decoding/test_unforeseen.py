"""Names, nestings and spellings no documentation promises and fleets send all the same, written by us."""

from __future__ import annotations

import pytest
from decoding_support import NOW_MS, reports, values

BEFORE_MS = NOW_MS - 60_000
ALINK = "/sys/pk/dn/thing/event/property/post"
V4 = "application/1/device/0101010101010101/event/up"
V3 = "application/2/device/24e1243456789012/event/up"
TUYA = "tylink/dev1/thing/property/report"
JETLINKS = "/prod/dev-1/properties/report"
NEURON = "/neuron/north"


def alink(**params):
    return {"id": "1", "version": "1.0", "params": params, "method": "thing.event.property.post"}


def v4(**decoded):
    return {
        "time": "2026-11-21T03:59:00+00:00",
        "deviceInfo": {"devEui": "0101010101010101", "deviceProfileName": "P"},
        "fPort": 2,
        "object": decoded,
    }


def v3(**decoded):
    return {"applicationID": "2", "devEUI": "24e1243456789012", "rxInfo": [], "fPort": 2, "object": decoded}


def tuya(**data):
    return {"msgId": "1", "time": BEFORE_MS, "data": {code: {"value": one} for code, one in data.items()}}


def jetlinks(**found):
    return {"timestamp": BEFORE_MS, "properties": found}


def neuron(**found):
    return {"node": "plc", "group": "g", "timestamp": BEFORE_MS, "values": found}


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        # units as one sign of the Chinese keyboard, and full-width
        (ALINK, alink(temp="-18.5℃"), {("temperature", ""): (-18.5, "°C")}),
        (ALINK, alink(humidity="61％"), {("humidity", ""): (61.0, "%")}),
        (ALINK, alink(累计流量="123.45㎥"), {("water_volume", ""): (123.45, "m3")}),
        (V4, v4(瞬时流量="0.52 ㎥/h"), {("water_flow", ""): (0.52, "m3/h")}),
        # what only accumulates is no flow, and the present reading of a meter no current
        (ALINK, alink(total_flow=1234.5), {("water_volume", ""): (1234.5, "m3")}),
        (ALINK, alink(reverse_total_flow=1.5), {("water_backflow_volume", ""): (1.5, "m3")}),
        (ALINK, alink(currentReading="123.45"), {("currentReading", ""): (123.45, "")}),
        (ALINK, alink(current_consumption=5), {("current_consumption", ""): (5.0, "")}),
        (ALINK, alink(CurrentVoltage=220.5), {("voltage", ""): (220.5, "V")}),
        (ALINK, alink(current=3.2, current_a=1.5), {("current", ""): (3.2, "A"), ("current", "a"): (1.5, "A")}),
        # units in a name, in their own case
        (V4, v4(ActivePower_kW=1.1), {("active_power", ""): (1.1, "kW")}),
        (V4, v4(**{"energy (kWh)": 12.5}), {("energy", ""): (12.5, "kWh")}),
        (V4, v4(flow_l_h=30), {("water_flow", ""): (30.0, "L/h")}),
        (V4, v4(flow_l_min="2.5"), {("water_flow", ""): (2.5, "L/min")}),
        (V4, v4(flow_m3_h=2.5), {("water_flow", ""): (2.5, "m3/h")}),
        (V4, v4(BatV_mV=3600), {("battery_voltage", ""): (3600.0, "mV")}),
        # phases
        (NEURON, neuron(Ua=220.1, Ib=3.4, Ic=6553.5), {("voltage", "a"): (220.1, "V"), ("current", "b"): (3.4, "A")}),
        (V4, v4(voltageL1N={"data": "230.1", "unit": "V"}), {("voltage", "a"): (230.1, "V")}),
        # states in words
        (V4, v4(漏水状态="正常"), {("leak_detected", ""): (0.0, "bool")}),
        (V4, v4(水浸="报警"), {("leak_detected", ""): (1.0, "bool")}),
        (V4, v4(门="打开"), {("door_open", ""): (1.0, "bool")}),
        (ALINK, alink(WaterLeachState=1), {("leak_detected", ""): (1.0, "bool")}),
        (ALINK, alink(powerstate=1, leakage_read=12), {("switch", ""): (1.0, "bool"), ("residual_current", ""): (12.0, "mA")}),
        (TUYA, tuya(switch_1=True, watersensor_state="alarm", doorcontact_state=False),
         {("switch", "1"): (1.0, "bool"), ("leak_detected", ""): (1.0, "bool"), ("door_open", ""): (0.0, "bool")}),
        # objects in objects, lists by number, siblings of one kind
        (V4, v4(measurements={"air": {"temperature": {"value": 3.1, "unit": "°C"}}}), {("temperature", ""): (3.1, "°C")}),
        (V4, v4(channel1={"temperature": 1.2}, channel2={"temperature": 2.2}),
         {("temperature", ""): (1.2, "°C"), ("temperature", "channel2"): (2.2, "°C")}),
        (V3, v3(temperatureSensor={"1": 22.5, "2": -18.1}, humiditySensor={"3": 55}),
         {("temperature", "1"): (22.5, "°C"), ("temperature", "2"): (-18.1, "°C"), ("humidity", ""): (55.0, "%")}),
        (JETLINKS, jetlinks(meter={"voltage": 220.1, "energy": "3.5 kWh"}), {("voltage", ""): (220.1, "V"), ("energy", ""): (3.5, "kWh")}),
        (NEURON, neuron(水表正向累计流量=12.5), {("water_volume", ""): (12.5, "m3")}),
        (NEURON, neuron(反向累计流量=0.5), {("water_backflow_volume", ""): (0.5, "m3")}),
        # names of the trade, and a unit in a field of its own
        (ALINK, alink(累积流量=3.1), {("water_volume", ""): (3.1, "m3")}),
        (ALINK, alink(水表读数="12.5"), {("water_volume", ""): (12.5, "m3")}),
        (ALINK, alink(正向有功总电能=12, 反向有功总电能=1), {("energy", ""): (12.0, "kWh"), ("energy", "produced"): (1.0, "kWh")}),
        (ALINK, alink(**{"有功功率(kW)": 2.5, "温度(℃)": -4}), {("active_power", ""): (2.5, "kW"), ("temperature", ""): (-4.0, "°C")}),
        (ALINK, alink(剩余电量=95, A线温度=35), {("battery_level", ""): (95.0, "%"), ("temperature", "a_cable"): (35.0, "°C")}),
        (V4, v4(temperature=0.4, temperature_unit="F", pressure=312, pressureUnit="kPa", humidity=5, humidity_unit="m"),
         {("temperature", ""): (0.4, "°F"), ("pressure", ""): (312.0, "kPa"), ("humidity", ""): (5.0, "%")}),
        (V4, v4(Water_flow_value=450.0, vdd=3600), {("water_volume", ""): (450.0, "L"), ("battery_voltage", ""): (3600.0, "mV")}),
        # nothing said is nothing read
        (V4, v4(temperature=None, humidity="NaN", battery="", water_volume="--", pressure="N/A"), {}),
        (JETLINKS, jetlinks(temp=None, flow="", 电压="null", 温度=-327.68), {}),
    ],
)  # fmt: skip
def test_unforeseen(topic, body, expected):
    """Each is read as a person of the trade would read it, and what could mean two things is left to the register."""
    assert values(topic, body) == expected


def test_times_of_single_properties():
    """A property's own time wins over the message's, and a camel-cased event time is one, too."""
    body = jetlinks(temperature=3.2, humidity=61) | {"propertySourceTimes": {"temperature": BEFORE_MS - 5000}}
    (report,) = reports(JETLINKS, body)
    assert {str(one.quantity): one.time_ms for one in report.values} == {
        "temperature": BEFORE_MS - 5000,
        "humidity": None,
    }
    assert report.time_ms == BEFORE_MS
    service = {
        "service_id": "s",
        "properties": {"temperature": 3.2},
        "eventTime": "20261121T035900Z",
    }
    (report,) = reports("$oc/devices/d/sys/properties/report", {"services": [service]})
    assert report.time_ms == BEFORE_MS
