"""Each format as its documentation says, on messages of our own."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import pytest
from decoding_support import NOW_MS, values
from decoding_support import reports as read

from campus.clock import SHANGHAI, parse_iso
from campus.device import Device, FieldMapping, Place
from campus.reading import Quality
from campus.site import GenericMapping
from ingest.decoding.contract import Hints
from ingest.decoding.display import decode_for_display
from ingest.decoding.formats.described.generic import GenericJson
from ingest.decoding.reading.number import number, truth
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.registry import Registry
from ingest.decoding.wire.topic import matches
from ingest.errors import Rejected
from ingest.message import Message

SAMPLES = Path(__file__).parents[5] / "shared" / "payloads"


def test_chirpstack_prefers_the_codecs_object():
    """Where a codec named its fields, those are read; the time is the server's; the address is the DevEUI."""
    body = {
        "deviceInfo": {"devEui": "24E124AABBCCDDEE", "deviceProfileName": "x"},
        "time": "2026-11-21T03:59:00.123456789+00:00",
        "fPort": 2,
        "object": {
            "TempC_SHT": 3.5,
            "Hum_SHT": "61.2 %",
            "BatV": 3.1,
            "temperatura": None,
            "alarm_temperature": 50,
        },
    }
    (report,) = read("application/1/device/24e124aabbccddee/event/up", body)
    assert (report.address, report.time_ms) == ("24e124aabbccddee", parse_iso("2026-11-21T03:59:00.123Z"))
    assert values("application/1/device/x/event/up", body) == {
        ("temperature", ""): (3.5, "°C"),
        ("humidity", ""): (61.2, "%"),
        ("battery_voltage", ""): (3.1, "V"),
    }


def uplink(raw, port, model=""):
    return {
        "deviceInfo": {"devEui": "1", "deviceProfileName": model},
        "time": "2026-11-21T03:59:00Z",
        "fPort": port,
        "data": base64.b64encode(raw).decode(),
    }


def test_milesight_bytes_with_history():
    """Self-describing bytes; a history element keeps its own time."""
    then_s = NOW_MS // 1000 - 7200
    raw = bytes.fromhex("01755c0367ecff04686520ce") + struct.pack("<IhB", then_s, 25, 90) + b"\x00"
    (report,) = read("application/1/device/1/event/up", uplink(raw, 85))
    found = [(value.quantity, value.value, value.time_ms) for value in report.values]
    assert found == [
        ("battery_level", 92.0, None),
        ("temperature", -2.0, None),
        ("humidity", 50.5, None),
        ("temperature", 2.5, then_s * 1000),
        ("humidity", 45.0, then_s * 1000),
    ]


def test_a_current_that_failed_is_no_reading():
    """0xFFFF says the sensor failed, never 655.35 A."""
    (report,) = read("application/1/device/1/event/up", uplink(bytes.fromhex("0498ffff"), 85))
    assert report.values == ()
    assert "failed" in next(iter(report.dropped.values()))


def test_dragino_bytes_need_a_model():
    """Bytes on a port of many formats are read by the model, from the profile or the register, and never guessed."""
    raw = bytes.fromhex("cbf60b0d0376010add7fff")
    (unread,) = read("application/1/device/1/event/up", uplink(raw, 2))
    assert unread.values == ()
    assert unread.unread.startswith("no_codec")
    by_profile = values("application/1/device/1/event/up", uplink(raw, 2, "Dragino LHT65N"))
    assert by_profile["temperature", ""] == (28.29, "°C")
    assert by_profile["temperature", "probe"] == (27.81, "°C")
    device = Device(id="d", name="d", kind="cold_storage", place=Place(site="s"), address="1", model="LHT65N")
    assert (
        values("application/1/device/1/event/up", uplink(raw, 2), Hints(device_at=lambda _: device))
        == by_profile
    )


def test_tts_ignores_what_was_simulated():
    """Simulated uplinks are no readings; real ones without f_cnt (0 is omitted) are."""
    body = {
        "end_device_ids": {"dev_eui": "A1"},
        "received_at": "2026-11-21T03:00:00Z",
        "uplink_message": {"decoded_payload": {"TempC_DS18B20": "0.00 °C"}},
    }
    (report,) = read("v3/a@t/devices/eui-a1/up", body)
    assert report.values[0].quality is Quality.SUSPECT  # 0.00 of a one-wire probe may mean no probe
    _, decoded = Registry().decode(
        Message("v3/a@t/devices/eui-a1/up", json.dumps(body | {"simulated": True}).encode(), NOW_MS), Hints()
    )
    assert decoded.ignored


def test_zigbee_knows_batteries_from_mains():
    """Millivolts of a battery, volts of the mains, closed contacts, sentinels and nulls."""
    assert values("zigbee2mqtt/a", {"voltage": 2985})["battery_voltage", ""] == (2985.0, "mV")
    assert values("zigbee2mqtt/a", {"voltage": 230})["voltage", ""] == (230.0, "V")
    assert values("zigbee2mqtt/a", {"contact": False})["door_open", ""] == (1.0, "bool")
    assert values("zigbee2mqtt/a", {"water_leak": True})["leak_detected", ""] == (1.0, "bool")
    assert values("zigbee2mqtt/a", {"local_temperature": -327.68, "current": 6553.5, "humidity": None}) == {}
    assert read("zigbee2mqtt/厨房/左 边", {"temperature": 1})[0].address == "厨房/左 边"
    assert read("zigbee2mqtt/a", {"temperature": 1, "last_seen": NOW_MS})[0].time_ms == NOW_MS


def test_tasmota_in_its_shapes():
    """Local time, Fahrenheit, energy as number, list and object, counters, STATUS10."""
    body = {
        "Time": "2026-11-21T11:59:00",
        "DS18B20": {"Temperature": 41.0},
        "TempUnit": "F",
        "COUNTER": {"C1": 7},
        "AM2301": {"Humidity": 40, "DewPoint": 3},
    }
    (report,) = read("tele/probe/SENSOR", body)
    assert report.time_ms == parse_iso("2026-11-21T11:59:00", SHANGHAI)
    found = values("tele/probe/SENSOR", body)
    assert found["temperature", "DS18B20"] == (41.0, "°F")
    assert found["pulse_count", ""] == (7.0, "count")
    assert ("temperature", "AM2301") not in found
    assert values("tele/p/SENSOR", {"ENERGY": {"Total": 1.5, "Power": [5, 6]}}) == {
        ("energy", ""): (1.5, "kWh"),
        ("active_power", "a"): (5.0, "W"),
        ("active_power", "b"): (6.0, "W"),
    }
    assert values(
        "stat/p/STATUS10", {"StatusSNS": {"Epoch": NOW_MS // 1000, "ENERGY": {"Voltage": 221}}}
    ) == {("voltage", ""): (221.0, "V")}


def test_shelly_components_and_deltas():
    """Three phases, a plug, a notification with only what changed, its own case's temperature apart."""
    em = {
        "id": 0,
        "a_act_power": 375.5,
        "a_current": 2.4,
        "n_current": None,
        "total_act_power": 559.0,
        "user_calibrated_phase": [],
    }
    assert values("shellypro3em-1/status/em:0", em) == {
        ("active_power", "a"): (375.5, "W"),
        ("current", "a"): (2.4, "A"),
        ("active_power", "total"): (559.0, "W"),
    }
    body = {
        "src": "shellyplug-1",
        "method": "NotifyStatus",
        "params": {"ts": NOW_MS / 1000 - 1.5, "switch:0": {"apower": 11.5}, "sys": {"x": 1}},
    }
    (report,) = read("shellyplug-1/events/rpc", body)
    assert (report.address, report.time_ms) == ("shellyplug-1", NOW_MS - 1500)
    assert [(value.quantity, value.channel, value.value) for value in report.values] == [
        ("active_power", "switch:0", 11.5)
    ]
    assert values("shellypro3em-1/status/temperature:0", {"id": 0, "tC": 46.6, "tF": 115.9}) == {
        ("temperature", "device"): (46.6, "°C")  # a meter's own case
    }
    assert values("hall/status/temperature:0", {"id": 0, "tC": 16.6}) == {("temperature", ""): (16.6, "°C")}
    assert values("shellypro3em-1/status/temperature:100", {"id": 100, "tC": 3.2}) == {
        ("temperature", "probe"): (3.2, "°C")
    }


def test_wmbusmeters_registers_and_clocks():
    """Registers, backflow and flow by their endings; past months left; a clock of 1111 falls back to the meter's own."""
    body = {"media": "water", "meter": "hydrodigit", "id": "87654322", "total_m3": 40.263, "backflow_m3": 0.007, "May_total_m3": 3, "volume_flow_m3h": 0.004,
            "target_m3": 30, "voltage_v": 3.05, "leak_date": "2026-10-01", "meter_datetime": "2026-11-21 11:36", "timestamp": "1111-11-11T11:11:11Z"}  # fmt: skip
    (report,) = read("wmbusmeters/x", body)
    assert report.address == "87654322"
    assert report.time_ms == parse_iso("2026-11-21T11:36", SHANGHAI)
    assert report.flags == {"leak_date": "2026-10-01"}
    assert set(values("wmbusmeters/x", body)) == {
        ("water_volume", ""),
        ("water_backflow_volume", ""),
        ("water_flow", ""),
        ("battery_voltage", ""),
    }


def test_alink_identifiers_and_sub_devices():
    """The device is in the topic, each property has its time, sub-devices are devices, texts are no readings."""
    topic = "/sys/pk/dn/thing/event/property/post"
    assert values(
        topic, {"params": {"WF": {"value": 23.6, "time": NOW_MS}, "Power": "on", "电压": 229.5}}
    ) == {("WF", ""): (23.6, ""), ("voltage", ""): (229.5, "V")}
    assert read(topic, {"params": {"WF": {"value": 1, "time": NOW_MS - 5}}})[0].time_ms == NOW_MS - 5
    pack = {
        "params": {
            "properties": {"T": 1},
            "subDevices": [
                {
                    "identity": {"productKey": "p2", "deviceName": "d2"},
                    "properties": {"温度": {"value": 4, "time": NOW_MS}},
                }
            ],
        }
    }
    assert [report.address for report in read("/sys/pk/gw/thing/event/property/pack/post", pack)] == [
        "pk/gw",
        "p2/d2",
    ]
    device = Device(
        id="m",
        name="m",
        kind="water_meter",
        place=Place(site="s"),
        fields={"WF": FieldMapping(quantity="water_flow", unit="L/min")},
    )
    assert values(topic, {"params": {"WF": 23.6}}, Hints(device_at=lambda _: device)) == {
        ("water_flow", ""): (23.6, "L/min")
    }


def test_a_mapping_reads_what_it_says():
    """Paths, lists of records, times in a school's own format, factors, and addresses from the document."""
    mapping = GenericMapping.model_validate(
        {
            "address": "sn",
            "records": "data.items[*]",
            "time": {"path": "when", "format": "%Y/%m/%d %H:%M"},
            "fields": {
                "m[1].v": {"quantity": "water_volume", "unit": "L", "scale": 10},
                "p": {"quantity": "pressure", "unit": "MPa", "channel": "in"},
            },
        }
    )
    body = {
        "when": "2026/11/21 11:30",
        "data": {"items": [{"sn": 7, "m": [{}, {"v": "12"}]}, {"sn": "b", "p": 0.3}]},
    }
    decoded = GenericJson(mapping).decode(Message("t", json.dumps(body).encode(), NOW_MS), Hints())
    first, second = decoded.reports
    assert (first.address, first.values[0].value, first.values[0].unit) == ("7", 120.0, "L")
    assert (second.address, second.values[0].channel) == ("b", "in")
    assert first.time_ms == parse_iso("2026-11-21T11:30", SHANGHAI)
    with pytest.raises(Rejected, match="no_device"):
        GenericJson(mapping).decode(Message("t", b'{"data":{"items":[{"p":1}]}}', NOW_MS), Hints())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("30.11 °C", (30.11, "°C")),
        ("0.00", (0.0, "")),
        (" 5 m3", (5.0, "m3")),
        ("1e3", (1000.0, "")),
        (True, None),
        ("nan", None),
        ("1.2.3", None),
        ("", None),
        (None, None),
        ("ON", None),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_numbers(written, expected):
    """Strict numbers with an optional unit; truth and infinity are none."""
    assert number(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [(True, 1.0), ("ON", 1.0), ("closed", 0.0), (0, 0.0), (2, None), ("perhaps", None), (None, None)],
)
def test_states(written, expected):
    """Switches and contacts in their usual spellings."""
    assert truth(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (1763690400, "2025-11-21T02:00:00Z"),
        (1763690400000, "2025-11-21T02:00:00Z"),
        (1763690400000000, "2025-11-21T02:00:00Z"),
        ("1763690400000", "2025-11-21T02:00:00Z"),
        ("2025-11-21T02:00:00.123456789Z", "2025-11-21T02:00:00.123Z"),
        ("2025-11-21 10:00:00", "2025-11-21T02:00:00Z"),
        ("20251121100000", "2025-11-21T02:00:00Z"),
        ("20251121T020000Z", "2025-11-21T02:00:00Z"),
        ("2025.11.21 10:00:00", "2025-11-21T02:00:00Z"),
        ("2020-0327T12:39:05", None),
        ("yesterday", None),
        (5, None),
        (True, None),
    ],
)
def test_times(written, expected):
    """Epochs by magnitude, ISO, and the compact forms; local ones in the site's zone."""
    found = parse(written, SHANGHAI)
    assert found == (None if expected is None else parse_iso(expected))


def test_absurd_clocks_are_not_believed():
    """1970, 2099 and 1111 are no times of a reading; ten minutes ahead are."""
    assert plausible(0, NOW_MS) is None
    assert plausible(parse_iso("2099-01-01T00:00:00Z"), NOW_MS) is None
    assert plausible(NOW_MS + 599_000, NOW_MS) == NOW_MS + 599_000
    assert plausible(None, NOW_MS) is None


@pytest.mark.parametrize(
    ("wanted", "topic", "expected"),
    [
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/d", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "$SYS/x", False),
        ("+/b", "a/b/c", False),
        ("/a/+", "/a/b", True),
    ],
)
def test_topic_filters(wanted, topic, expected):
    """Filters match as MQTT says."""
    assert matches(wanted, topic) is expected


def test_what_decode_prints():
    """Canonical values with unit and time for a person, a reason for what is rejected."""
    shown = decode_for_display(
        Registry(), Message("zigbee2mqtt/f", b'{"voltage": 2985, "temperature": -18}', NOW_MS), Hints()
    )
    assert {
        "device": "f",
        "quantity": "battery_voltage",
        "channel": "",
        "value": 2.985,
        "unit": "V",
        "time": None,
        "quality": "good",
    } in shown
    assert (
        "malformed_json"
        in decode_for_display(Registry(), Message("zigbee2mqtt/f", b"{", NOW_MS), Hints())["rejected"]
    )


@pytest.mark.samples
@pytest.mark.skipif(
    not SAMPLES.exists(), reason="the third-party payload samples are not beside this checkout"
)
def test_every_third_party_sample_is_right():
    """All samples of the formats we decode are read as their table says."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "decode_samples", Path(__file__).parents[4] / "bench" / "decode_samples.py"
    )
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    right, total, wrong = bench.score()
    assert wrong == {}
    assert right == total
