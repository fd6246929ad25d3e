"""Milesight's channel-type-value payloads, packed by us after the maker's tables."""

from __future__ import annotations

import struct

import pytest
from lorawan_support import THEN_S, found, read

from ingest.errors import Rejected

T = struct.pack("<I", THEN_S)
BATTERY = ("battery_level", "", 92.0, "%", None)
COLD = ("temperature", "", -1.5, "°C", None)


@pytest.mark.parametrize(
    ("model", "raw", "expected"),
    [
        ("EM300-TH", "01755c0367f1ff046865", [BATTERY, COLD, ("humidity", "", 50.5, "%", None)]),
        ("EM300-MCS", "0367f1ff060001", [COLD, ("door_open", "", 1.0, "bool", None)]),
        ("EM300-ZLD", "0367f1ff050001", [COLD, ("leak_detected", "", 1.0, "bool", None)]),
        (
            "EM300-MLD",
            b"\x05\x00\x00\x20\xce" + T + b"\0\0\0\x01",
            [("leak_detected", "", 0.0, "bool", None), ("leak_detected", "", 1.0, "bool", THEN_S)],
        ),
        ("EM300-CL", "01755c03ed0204ee01", [BATTERY]),
        (
            "EM300-DI",
            b"\x05\xe1" + struct.pack("<HHf", 10, 10, 1234.5) + b"\x21\xce" + T + struct.pack("<hBBBBHHf", -15, 101, 0, 2, 0, 1, 1, 1200.25)[:14],
            [
                ("water_volume", "", 1234.5, "L", None),
                ("temperature", "", -1.5, "°C", THEN_S),
                ("humidity", "", 50.5, "%", THEN_S),
                ("water_volume", "", 1200.25, "L", THEN_S),
            ],
        ),
        (
            "EM300-DI-HALL",
            b"\x21\xce" + T + b"\0\0\0\0\x02\0" + struct.pack("<HHf", 10, 10, 1200.25),
            [("water_volume", "", 1200.25, "L", THEN_S)],
        ),
        ("EM500-PT100", b"\x03\x67\xf1\xff\x20\xce" + T + b"\xf1\xff", [COLD, ("temperature", "", -1.5, "°C", THEN_S)]),
        (
            "EM500-PP",
            b"\x03\x7b\x2c\x01\x20\xce" + T + b"\xfe\xff",
            [("water_pressure", "", 300.0, "kPa", None), ("water_pressure", "", -2.0, "kPa", THEN_S)],
        ),
        ("EM500-SWL", b"\x01\x75\x5c\x03\x77\x10\x00\x20\xce" + T + b"\xff\xff", [BATTERY]),
        (
            "EM500-CO2",
            b"\x03\x67\xf1\xff\x05\x7d\x90\x01\x06\x73\x94\x27\x20\xce" + T + struct.pack("<HHhB", 400, 10132, -15, 101),
            [
                COLD,
                ("pressure", "", 1013.2, "hPa", None),
                ("pressure", "", 1013.2, "hPa", THEN_S),
                ("temperature", "", -1.5, "°C", THEN_S),
                ("humidity", "", 50.5, "%", THEN_S),
            ],
        ),
        (
            "WS523",
            "0374f6080480d20400000581630683e803000007c9b0040870f1",
            [
                ("voltage", "", 229.4, "V", None),
                ("active_power", "", 1234.0, "W", None),
                ("power_factor", "", 99.0, "%", None),
                ("energy", "", 1000.0, "Wh", None),
                ("current", "", 1200.0, "mA", None),
                ("switch", "", 1.0, "bool", None),
            ],
        ),
        ("UC1152", "01000102c8e8030000", [("pulse_count", "2", 1000.0, "count", None)]),
        (
            "UC1114",
            "02c8e80300000901011102f401000000000000ff0e010307002a",
            [
                ("pulse_count", "2", 1000.0, "count", None),
                ("switch", "1", 1.0, "bool", None),
                ("adc_1", "", 5.0, "", None),
                ("modbus_chn_1", "", 7.0, "", None),
            ],
        ),
        ("UC11-T1", "03755c0167f1ff026865", [BATTERY, COLD, ("humidity", "", 50.5, "%", None)]),
        (
            "UC502",
            b"\x03\xc8\xe8\x03\0\0\x05\x02" + struct.pack("<4h", 4200, 0, 0, 0) + b"\x06\xe2" + struct.pack("<4e", 2.5, 0, 0, 0)
            + b"\xff\x0e\x07\x05" + struct.pack("<f", 3.25),
            [
                ("pulse_count", "1", 1000.0, "count", None),
                ("analog_input_1", "", 4.2, "", None),
                ("analog_input_2", "", 2.5, "", None),
                ("modbus_chn_1", "", 3.25, "", None),
            ],
        ),
        (
            "UC501",
            b"\x20\xdc" + T + struct.pack("<BIBIii", 2, 77, 0, 1, 4200, -5) + b"\x20\xdd" + T + struct.pack("<HBI", 4, 4, 99),
            [
                ("pulse_count", "1", 77.0, "count", THEN_S),
                ("analog_input_1", "", 4.2, "", THEN_S),
                ("analog_input_2", "", -0.005, "", THEN_S),
                ("modbus_chn_3", "", 99.0, "", THEN_S),
            ],
        ),
        (
            "UC300",
            b"\x03\xc8\xe8\x03\0\0\x07\x01\x01\x09\xe2" + struct.pack("<4e", -1.5, 0, 0, 0) + b"\x0b\x02" + struct.pack("<I", 420)
            + b"\xff\x19\x02\x00\x84" + struct.pack("<i", -6) + b"\xff\x15\x01",
            [
                ("pulse_count", "1", 1000.0, "count", None),
                ("switch", "1", 1.0, "bool", None),
                ("temperature", "1", -1.5, "°C", None),
                ("adc_1", "", 4.2, "", None),
                ("modbus_chn_3", "", -6.0, "", None),
            ],
        ),
        (
            "UC300",
            b"\x20\xdc" + T + struct.pack("<HBIBIBe4e", 0x0153, 1, 500, 0, 1, 1, -1.5, 4.5, 0, 0, 0),
            [
                ("pulse_count", "1", 500.0, "count", THEN_S),
                ("switch", "1", 1.0, "bool", THEN_S),
                ("temperature", "1", -1.5, "°C", THEN_S),
                ("adc_1", "", 4.5, "", THEN_S),
            ],
        ),
        (
            "UC300",
            b"\x20\xdd" + T + struct.pack("<IBfBhh", 0x80000001, 5, 2.5, 0x89, 1, -2),
            [("modbus_chn_1", "", 2.5, "", THEN_S), ("modbus_chn_32", "", -2.0, "", THEN_S)],
        ),
        (
            "UC512",
            b"\x03\x01\x01\x09\x7b\x2c\x01\x20\xce" + T + b"\x13" + struct.pack("<I", 9),
            [
                ("switch", "valve1", 1.0, "bool", None),
                ("water_pressure", "", 300.0, "kPa", None),
                ("switch", "valve2", 1.0, "bool", THEN_S),
                ("pulse_count", "2", 9.0, "count", THEN_S),
            ],
        ),
        (
            "UC521",
            "03f600640a7b2c010bf50001000000002d0101",
            [("water_pressure", "2", 300.0, "kPa", None), ("water_pressure", "1", 301.0, "kPa", None)],
        ),
    ],
)  # fmt: skip
def test_milesight(model, raw, expected):
    """Live elements and history of each model; what hangs on analog and Modbus channels keeps the maker's name."""
    assert found(model, raw) == expected


def test_milesight_faults_and_answers():
    """Failed sensors are named; answers to settings are understood; half an element ends the reading."""
    uplink = read("CT103", "0498ffff")
    assert (uplink.values, list(uplink.dropped)) == ([], ["0498"])
    assert read("UC300", b"\x09\xe2" + struct.pack("<4e", float("nan"), 0, 0, 0)).values == []
    assert read("EM300-TH", "fe03580200").values == []
    assert found("EM300-TH", "01755c03") == [BATTERY]
    with pytest.raises(Rejected, match="bad_bytes"):
        read("EM300-TH", "77777777")
