"""LoRaWAN network servers beside ChirpStack v4 and The Things Stack, on messages of our own."""

from __future__ import annotations

import base64
import json
import struct

import pytest

from campus.clock import parse_iso
from campus.device import Device, FieldMapping, Place
from campus.reading import Quality
from ingest.decoding.contract import Hints
from ingest.decoding.formats.lorawan_servers.flat import eui
from ingest.decoding.registry import Registry
from ingest.errors import Rejected
from ingest.message import Message

NOW_MS = parse_iso("2026-11-21T04:00:00Z")
#: battery 92 %, 1.5 °C, 50.5 % as a Milesight EM300-TH packs them
CLIMATE = bytes.fromhex("01755c03670f00046865")
READ = {"battery_level": 92.0, "temperature": 1.5, "humidity": 50.5}


def decoded(topic, body, device=None):
    hints = Hints() if device is None else Hints(device_at=lambda _: device)
    return Registry().decode(Message(topic, json.dumps(body).encode(), NOW_MS), hints)


def only(topic, body, device=None):
    name, found = decoded(topic, body, device)
    (report,) = found.reports
    return name, report


def read(report):
    return {str(value.quantity): value.value for value in report.values}


V3 = {
    "applicationID": "7",
    "applicationName": "school",
    "deviceName": "EM300-TH 3",
    "devEUI": "24e1640092837465",
    "rxInfo": [
        {"gatewayID": "a84041ffff1e2f00", "time": None},
        {"gatewayID": "a84041ffff1e2f01", "time": "2026-11-21T03:59:58.123456Z"},
    ],
    "fCnt": 4,
    "fPort": 85,
    "data": base64.b64encode(CLIMATE).decode(),
}


@pytest.mark.parametrize(
    ("topic", "changed"),
    [
        ("application/7/device/24e1640092837465/event/up", {}),
        ("application/7/device/24e1640092837465/rx", {}),
        ("application/7/node/24e1640092837465/rx", {"rxInfo": None, "time": "2026-11-21T03:59:58.123456Z"}),
        # protobuf-JSON: bytes as base64, and nothing that is zero
        (
            "application/7/device/24e1640092837465/event/up",
            {
                "devEUI": base64.b64encode(bytes.fromhex("24e1640092837465")).decode(),
                "rxInfo": [{"gatewayID": "qEBB//8eLwA="}],
                "publishedAt": "2026-11-21T03:59:58.123456Z",
                "objectJSON": '{"battery":92,"temperature":1.5,"humidity":50.5}',
                "data": "",
            },
        ),
        ("elsewhere/7", {"object": {"battery": 92, "temperature": 1.5, "humidity": 50.5}, "data": "?"}),
    ],
)
def test_chirpstack_v3_in_its_ages(topic, changed):
    """Topics of every age, both marshalers' ids, time where one is told, the codec's output before the bytes."""
    name, report = only(topic, V3 | changed)
    assert name == "chirpstack_v3"
    assert report.address == "24e1640092837465"
    assert report.time_ms == parse_iso("2026-11-21T03:59:58.123Z")
    assert read(report) == READ


def test_chirpstack_v3_other_events():
    """Joins and errors of the same topics hold no readings; version 4 keeps its own."""
    assert decoded("application/7/device/24e1640092837465/event/join", V3)[1].ignored == "event join"
    v4 = {"deviceInfo": {"devEui": "24e1640092837465"}, "object": {"temperature": 2}}
    assert only("application/7/device/24e1640092837465/event/up", v4)[0] == "chirpstack_v4"


@pytest.mark.parametrize(
    ("data", "code"), [("12%", "bad_base64"), ("AQIDBA==", "no_codec"), ("A", "bad_base64")]
)
def test_unreadable_bytes_leave_the_device_alive(data, code):
    """A device whose bytes nobody can read has still sent something, at its time; what it said waits."""
    _, report = only("application/7/device/x/event/up", V3 | {"data": data, "fPort": 3, "deviceName": "hall"})
    assert (report.values, report.time_ms) == ((), parse_iso("2026-11-21T03:59:58.123Z"))
    assert report.unread.startswith(f"{code}: ")


def test_malformed_texts_of_the_codec_fall_back_to_the_bytes():
    """An ``objectJSON`` that is no JSON is no reason to lose the bytes beside it."""
    assert read(only("application/7/device/x/rx", V3 | {"objectJSON": "{nope"})[1]) == READ


MILESIGHT = {
    "applicationID": 1,
    "applicationName": "cloud",
    "deviceName": "cellar",
    "devEUI": "24E1640092837465",
    "rxInfo": [
        {
            "mac": "24e124fffef00000",
            "rssi": -62,
            "loRaSNR": 9,
            "name": "local",
            "time": "2026-11-21T03:59:00Z",
        }
    ],
    "fPort": 85,
    "data": base64.b64encode(CLIMATE).decode(),
    "time": "2026-11-21T03:59:00Z",
}


def test_milesight_gateways():
    """The bytes, the codec's object, the codec's keys between the others; single and in lists, on any topic."""
    assert only("school/radio", MILESIGHT)[0] == "milesight_gateway"
    decoder, report = only("/milesight/uplink/24e1640092837465", MILESIGHT)
    assert (decoder, report.address, read(report)) == ("milesight_gateway", "24e1640092837465", READ)
    bare = {key: one for key, one in MILESIGHT.items() if key != "data"}
    assert read(only("t", bare | {"object": {"temperature": 4}})[1]) == {"temperature": 4.0}
    assert read(only("t", bare | {"temperature": 4, "battery": 90})[1]) == {
        "temperature": 4.0,
        "battery_level": 90.0,
    }
    _, both = decoded("/milesight/uplink/all", [MILESIGHT, MILESIGHT | {"devEUI": "24e1640092837466"}])
    assert [one.address for one in both.reports] == ["24e1640092837465", "24e1640092837466"]


def test_a_malformed_time_is_named():
    """A time that is none falls back to the receipt and says so."""
    body = MILESIGHT | {"time": "2026-1121T03:59:00", "rxInfo": []}
    _, report = only("/milesight/uplink/x", body)
    assert report.time_ms is None
    assert "2026-1121" in report.dropped["time"]
    assert read(report) == READ


def test_an_unconfirmed_leak_is_suspect():
    """Channel 5 of an unnamed Milesight device is nearly always a leak: stored, but flagged until the model is known."""
    body = MILESIGHT | {"data": base64.b64encode(CLIMATE + bytes.fromhex("050001")).decode()}
    (leak,) = [one for one in only("t", body)[1].values if one.quantity == "leak_detected"]
    assert (leak.value, leak.quality) == (1.0, Quality.SUSPECT)
    named = body | {"deviceName": "EM300-SLD cellar"}
    (leak,) = [one for one in only("t", named)[1].values if one.quantity == "leak_detected"]
    assert (leak.value, leak.quality) == (1.0, Quality.GOOD)


UPLINK = {
    "Time": "2026-11-21T11:59:58.5+08:00",
    "DevEUI": "24E1640092837465",
    "FPort": "85",
    "payload_hex": CLIMATE.hex(),
    "DriverCfg": {"mod": {"pId": "milesight-iot", "mId": "em300-th"}},
}


@pytest.mark.parametrize(
    "body",
    [
        {"DevEUI_uplink": UPLINK},
        UPLINK,
        {"DevEUI_uplink": UPLINK | {"FPort": 85, "CustomerData": '{"alr":{}}', "DriverCfg": None}},
        {
            "DevEUI_uplink": UPLINK
            | {"payload_hex": "", "payload": {"battery": 92, "temperature": 1.5, "humidity": 50.5}}
        },
        {
            "DevEUI_uplink": UPLINK
            | {
                "points": {
                    "batteryLevel": {"unitId": "%", "records": [{"value": 92}]},
                    "temperature": {
                        "unitId": "Cel",
                        "records": [{"eventTime": "2026-11-21T03:59:58Z", "value": 1.5}],
                    },
                    "humidity": {"unitId": "%RH", "records": [{"value": 50.5}]},
                }
            }
        },
    ],
)
def test_thingpark(body):
    """Wrapped or not, ports as texts, bytes in hex, the driver's output and its points with units."""
    name, report = only("mqtt/things/24E1640092837465/uplink", body)
    assert (name, report.address) == ("thingpark", "24e1640092837465")
    assert report.time_ms == parse_iso("2026-11-21T03:59:58.500Z")
    assert read(report) == READ


def test_thingpark_other_messages():
    """Locations and notices share the address and hold no readings."""
    assert decoded("any/where", {"DevEUI_location": {"DevEUI": "24E1"}})[1].ignored == "DevEUI_location"


def test_loriot():
    """Uplinks with hex and milliseconds, the list of gateways beside them, decoded fields; other commands are ignored."""
    body = {"cmd": "rx", "EUI": "24E1640092837465", "ts": NOW_MS - 1500, "port": 85, "data": CLIMATE.hex()}
    name, report = only("school/loriot", body)
    assert (name, report.address, report.time_ms) == ("loriot", "24e1640092837465", NOW_MS - 1500)
    assert read(report) == READ
    heard = {key: one for key, one in body.items() if key != "ts"} | {
        "cmd": "gw",
        "gws": [{"rssi": -90}, {"rssi": -99, "time": "2026-11-21T03:59:59Z"}],
    }
    _, report = only("loriot/up", heard)
    assert (report.time_ms, read(report)) == (parse_iso("2026-11-21T03:59:59Z"), READ)
    fields = body | {"data": "zz", "decoded": {"data": {"temperature": 3.5}}}
    assert read(only("loriot/up", fields)[1]) == {"temperature": 3.5}
    assert only("loriot/up", body | {"data": "zz"})[1].unread.startswith("bad_hex")
    for command in ("txd", "stat", ""):
        assert decoded("loriot/up", {"cmd": command, "EUI": "24E1"})[1].ignored


def test_decentlab_probes():
    """A named probe is read; one that nobody names is read as the likeliest and flagged; what cannot be one waits."""
    raw = struct.pack(">BHHHH", 2, 4711, 3, 0x8000 + 16 * 4, 3050)
    body = {"cmd": "rx", "EUI": "70B3D57BA0001234", "port": 1, "ts": NOW_MS, "data": raw.hex()}
    temperature, battery = only("loriot/up", body)[1].values
    assert (temperature.value, temperature.quality) == (4.0, Quality.SUSPECT)
    assert (battery.value, battery.unit, battery.quality) == (3.05, "V", Quality.GOOD)
    device = Device(id="p", name="p", kind="cold_storage", place=Place(site="s"), model="Decentlab DL-DS18")
    temperature, _ = only("loriot/up", body, device)[1].values
    assert temperature.quality is Quality.GOOD
    for wrong in (
        raw[:-1],
        b"\3" + raw[1:],
        struct.pack(">BHHHH", 2, 1, 3, 0xFFFF, 3050),
        struct.pack(">BHHHH", 2, 1, 3, 0x8040, 9000),
        struct.pack(">BHHHHH", 2, 1, 3, 0x8040, 0x8040, 3050),
    ):
        assert only("loriot/up", body | {"data": wrong.hex()})[1].unread.startswith("no_codec")
    assert only("loriot/up", body | {"data": raw[:-1].hex()}, device)[1].unread.startswith("bad_bytes")


def test_the_register_explains_analog_inputs():
    """What hangs on a Milesight module's analog input stands in the register, by the maker's name of the input."""
    raw = bytes.fromhex("05e2") + struct.pack("<4e", 12.0, 11.5, 12.5, 12.0)
    device = Device(
        id="p",
        name="p",
        kind="pipe_probe",
        place=Place(site="s"),
        model="UC501",
        fields={"analog_input_1": FieldMapping(quantity="water_pressure", unit="kPa", scale=62.5)},
    )
    body = V3 | {"data": base64.b64encode(raw).decode()}
    (value,) = only("application/7/device/x/rx", body, device)[1].values
    assert (value.quantity, value.value, value.unit) == ("water_pressure", 750.0, "kPa")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("24E1640092837465", "24e1640092837465"),
        ("24-E1-64-00-92-83-74-65", "24e1640092837465"),
        ("JOFkAJKDdGU=", "24e1640092837465"),
        ("JOFkAJKDdG==", "jofkajkddg=="),
        ("123", "123"),
        ("", ""),
    ],
)
def test_device_numbers(written, expected):
    """Hex as it is, eight bytes of base64 as hex, anything else as it is written."""
    assert eui(written) == expected


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("application/7/device/x/rx", {"data": "AQ=="}),
        ("mqtt/things/x/uplink", {"DevEUI_uplink": {"FPort": 1}}),
        ("loriot/x", {"cmd": "rx", "data": "00"}),
        ("/milesight/uplink/x", {"data": "AQ=="}),
    ],
)
def test_uplinks_without_a_device(topic, body):
    """An uplink that names no device is rejected as such."""
    with pytest.raises(Rejected, match="no_device"):
        decoded(topic, body)
