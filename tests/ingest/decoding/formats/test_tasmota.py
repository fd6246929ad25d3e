"""Tasmota in its variants, on messages of our own."""

from __future__ import annotations

import pytest
from decoding_support import NOW_MS, decoded, registered, reports, values

from campus.clock import SHANGHAI, parse_iso


@pytest.mark.parametrize(
    ("topic", "address"),
    [
        ("tele/plug/SENSOR", "plug"),
        ("plug/tele/SENSOR", "plug"),
        ("school/hall/plug/tele/SENSOR", "school/hall/plug"),
        ("tele/home/cellar/plug/SENSOR", "home/cellar/plug"),
        ("school/plug/SENSOR", "school/plug"),
        ("plug/stat/STATUS8", "plug"),
        ("stat/plug/STATUS10", "plug"),
    ],
)
def test_every_full_topic(topic, address):
    """The prefix may stand anywhere in the topic or be left out; the rest is the device."""
    name, found = decoded(topic, {"StatusSNS": {"ENERGY": {"Power": 3}}})
    assert (name, found.reports[0].address) == ("tasmota", address)
    assert found.reports[0].values[0].value == 3


@pytest.mark.parametrize(
    "topic", ["plug/tele/LWT", "tele/plug/STATE", "stat/plug/RESULT", "stat/plug/POWER", "plug/stat/POWER1"]
)
def test_states_hold_no_readings(topic):
    """Wills, states, results and relays are understood and ignored in either order of the topic."""
    assert decoded(topic, "Online")[1].ignored


def test_three_phases_with_tariffs():
    """Lists are phases; the tariffs' registers stand beside the total; today and yesterday are no registers."""
    energy = {
        "TotalStartTime": "2026-01-01T00:00:00", "Total": [1.1, 2.2, 3.3], "TotalTariff": [4.0, 2.6], "Yesterday": [1, 1, 1],
        "Today": 3, "ExportActive": [0, 0, 0.5], "ExportTariff": [0.2, 0.3], "Period": 9, "Power": [1, 2, 3], "ApparentPower": [4, 5, 6],
        "Voltage": 231, "Frequency": 50.01,
    }  # fmt: skip
    assert values("tele/m/SENSOR", {"ENERGY": energy}) == {
        ("energy", "a"): (1.1, "kWh"),
        ("energy", "b"): (2.2, "kWh"),
        ("energy", "c"): (3.3, "kWh"),
        ("energy", "tariff1"): (4.0, "kWh"),
        ("energy", "tariff2"): (2.6, "kWh"),
        ("energy", "a_produced"): (0.0, "kWh"),
        ("energy", "b_produced"): (0.0, "kWh"),
        ("energy", "c_produced"): (0.5, "kWh"),
        ("energy", "produced_tariff1"): (0.2, "kWh"),
        ("energy", "produced_tariff2"): (0.3, "kWh"),
        ("active_power", "a"): (1.0, "W"),
        ("active_power", "b"): (2.0, "W"),
        ("active_power", "c"): (3.0, "W"),
        ("voltage", ""): (231.0, "V"),
        ("frequency", ""): (50.01, "Hz"),
    }


def test_many_circuits_keep_their_numbers():
    """More than three in a list are circuits, none is lost."""
    found = values("tele/m/SENSOR", {"ENERGY": {"Power": [10, 20, 30, 40]}})
    assert [found["active_power", str(order)] for order in (1, 2, 3, 4)] == [
        (10, "W"),
        (20, "W"),
        (30, "W"),
        (40, "W"),
    ]


def test_the_meter_of_old_versions():
    """Before version 6 the meter had its own topic, and its own status."""
    assert values("tele/p/ENERGY", {"Total": 1.5, "Power": 20}) == {
        ("energy", ""): (1.5, "kWh"),
        ("active_power", ""): (20.0, "W"),
    }
    assert values("stat/p/STATUS8", {"StatusPWR": {"Total": 1.5}}) == {("energy", ""): (1.5, "kWh")}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"Time": "2026-11-21T11:59:00"}, parse_iso("2026-11-21T11:59:00", SHANGHAI)),
        ({"Time": "2026-11-21T04:59:00+01:00"}, parse_iso("2026-11-21T03:59:00Z")),
        ({"Time": "2026.11.21 11:59:00"}, parse_iso("2026-11-21T03:59:00Z")),
        ({"Time": "2026-11-21T05:00:00", "Epoch": NOW_MS // 1000 - 60}, NOW_MS - 60_000),
        ({"Time": "1970-01-01T00:00:12"}, None),
        ({"Time": "2026-11-22T11:59:00"}, None),
        ({}, None),
    ],
)
def test_clocks(written, expected):
    """Local times by the site's zone, with an offset where the board adds it, the epoch before both, and no absurd ones."""
    (report,) = reports("tele/p/SENSOR", {**written, "ENERGY": {"Power": 1}})
    assert report.time_ms == expected


def test_probes_and_chips():
    """Each chip is a channel; -127 is an unplugged probe; a board's own chip is its case; a distance is nothing of ours."""
    body = {
        "DS18B20-1": {"Id": "00A1", "Temperature": -127},
        "DS18B20-2": {"Id": "00B2", "Temperature": 38.5},
        "BME280": {"Temperature": 68.0, "Humidity": 40, "DewPoint": 43.2, "Pressure": 29.9},
        "SR04": {"Distance": 12.3},
        "ESP32": {"Temperature": 120.2},
        "ANALOG": {"A0": 512, "Temperature1": 50},
        "COUNTER": {"C1": 1, "C2": 2},
        "FLOWRATEMETER": {"Rate": [1.5, 2.5], "Unit": "l/min"},
        "TempUnit": "F",
        "PressureUnit": "inHg",
    }
    (report,) = reports("tele/p/SENSOR", body)
    assert values("tele/p/SENSOR", body) == {
        ("temperature", "DS18B20-2"): (38.5, "°F"),
        ("temperature", "BME280"): (68.0, "°F"),
        ("humidity", "BME280"): (40.0, "%"),
        ("pressure", "BME280"): (29.9, "inHg"),
        ("temperature", "device"): (120.2, "°F"),
        ("temperature", "ANALOG1"): (50.0, "°F"),
        ("pulse_count", "C1"): (1.0, "count"),
        ("pulse_count", "C2"): (2.0, "count"),
        ("water_flow", "1"): (1.5, "L/min"),
        ("water_flow", "2"): (2.5, "L/min"),
    }
    assert "DS18B20-1.Temperature" in report.dropped


def test_probes_may_be_devices_of_their_own():
    """One board with the probes of two freezers: each is read as the device registered under the chip's id or its name."""
    hints = registered(**{"p/00A1": {"kind": "cold_storage"}, "p/DS18B20-2": {"kind": "cold_storage"}})
    body = {
        "DS18B20-1": {"Id": "00A1", "Temperature": -4},
        "DS18B20-2": {"Id": "00B2", "Temperature": -5},
        "TempUnit": "F",
    }
    found = {report.address: [(one.channel, one.value, one.unit) for one in report.values] for report in reports("tele/p/SENSOR", body, hints)}  # fmt: skip
    assert found == {"p": [], "p/00A1": [("", -4.0, "°F")], "p/DS18B20-2": [("", -5.0, "°F")]}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("Total_in", ("energy", "")),
        ("Total_out", ("energy", "produced")),
        ("E_in", ("energy", "")),
        ("Total_in_T1", ("energy", "tariff1")),
        ("1_8_0", ("energy", "")),
        ("1.8.2", ("energy", "tariff2")),
        ("1-0:2.8.0*255", ("energy", "produced")),
        ("Power_curr", ("active_power", "")),
        ("Power_p2", ("active_power", "b")),
        ("power_l3", ("active_power", "c")),
        ("16_7_0", ("active_power", "")),
        ("56_7_0", ("active_power", "b")),
        ("Volt_p1", ("voltage", "a")),
        ("voltage_l2", ("voltage", "b")),
        ("32_7_0", ("voltage", "a")),
        ("Amperage_p3", ("current", "c")),
        ("51_7_0", ("current", "b")),
        ("HZ", ("frequency", "")),
        ("14_7_0", ("frequency", "")),
        ("Meter_Id", None),
        ("96_1_0", None),
        ("Phaseangle_L2_L1", None),
    ],
)
def test_meters_read_by_script(key, expected):
    """The names of the published descriptors and OBIS codes; a meter's number and phase angles are no readings."""
    found = values("tele/reader/SENSOR", {"MT681": {"Meter_Number": "0A0149", key: 12.5}})
    assert list(found) == ([] if expected is None else [expected])


def test_several_scripted_meters_keep_apart():
    """Two meters at one reader are told apart by their names."""
    assert values("tele/r/SENSOR", {"House": {"Total_in": 1}, "Pump": {"Total_in": 2, "Power_p1": 3}}) == {
        ("energy", "House"): (1.0, "kWh"),
        ("energy", "Pump"): (2.0, "kWh"),
        ("active_power", "Pump_a"): (3.0, "W"),
    }


@pytest.mark.parametrize(
    ("topic", "body", "address"),
    [
        ("tele/zb/SENSOR", {"ZbReceived": {"0x5ADF": {"Device": "0x5ADF", "Temperature": 4.5, "LinkQuality": 9}}}, "0x5ADF"),
        ("tele/zb/SENSOR", {"ZbReceived": {"cold": {"Device": "0x5ADF", "Name": "cold", "Temperature": 4.5}}}, "cold"),
        ("tele/zb/RESULT", {"ZbReceived": {"cold": {"Name": "cold", "Temperature": 4.5}}}, "cold"),
        ("tele/zb/SENSOR", {"0x5ADF": {"Device": "0x5ADF", "Temperature": 4.5, "Endpoint": 1, "LinkQuality": 9}}, "0x5ADF"),
        ("tele/zb/5ADF/SENSOR", {"Device": "0x5ADF", "Temperature": 4.5, "Endpoint": 1, "LinkQuality": 9}, "0x5ADF"),
        ("tele/zb/cold/SENSOR", {"Temperature": 4.5, "Endpoint": 1, "LinkQuality": 9}, "zb/cold"),
    ],
)  # fmt: skip
def test_the_zigbee_bridge(topic, body, address):
    """Devices behind the bridge by name or short address, with the wrapper, without it, and on topics of their own."""
    (report,) = reports(topic, body)
    assert (report.address, [(one.quantity, one.channel, one.value) for one in report.values]) == (
        address,
        [("temperature", "", 4.5)],
    )


def test_zigbee_power_is_a_switch():
    """In Zigbee ``Power`` is on or off, watts are ``ActivePower``; invalid markers are none."""
    one = {
        "Power": 1,
        "ActivePower": 12,
        "Contact": 0,
        "Water": 1,
        "BatteryVoltage": 2.9,
        "Humidity": 655.35,
        "LinkQuality": 1,
    }
    assert values("tele/zb/SENSOR", {"ZbReceived": {"x": one}}) == {
        ("switch", ""): (1.0, "bool"),
        ("active_power", ""): (12.0, "W"),
        ("door_open", ""): (0.0, "bool"),
        ("leak_detected", ""): (1.0, "bool"),
        ("battery_voltage", ""): (2.9, "V"),
    }


def test_the_register_names_what_a_board_does_not():
    """Bare fields and freely named ones are read where the register says what they are."""
    fields = {
        "Switch1": {"quantity": "door_open", "unit": "bool"},
        "WATER.count": {"quantity": "water_volume", "unit": "L", "scale": 10},
    }
    hints = registered(p={"kind": "water_meter", "fields": fields})
    assert values("tele/p/SENSOR", {"Switch1": "ON", "Switch2": "ON", "WATER": {"count": 7}}, hints) == {
        ("door_open", ""): (1.0, "bool"),
        ("water_volume", ""): (70.0, "L"),
    }
