"""Gateways, meters and platforms of industry, on messages of our own written after their documentation."""

from __future__ import annotations

import json

import pytest

from campus.clock import parse_iso
from campus.device import Device, FieldMapping, Place
from ingest.decoding.contract import Hints
from ingest.decoding.registry import Registry
from ingest.errors import Rejected
from ingest.message import Message

NOW_MS = parse_iso("2026-11-21T04:00:00Z")
NOON_MS = parse_iso("2026-11-21T03:55:00Z")


def decode(topic, body, hints=None):
    return Registry().decode(Message(topic, json.dumps(body).encode(), NOW_MS), hints or Hints())


def read(topic, body, hints=None):
    (report,) = decode(topic, body, hints)[1].reports
    return report


def values(report):
    return {(value.quantity, value.channel): (value.value, value.unit) for value in report.values}


def knowing(address, **fields):
    device = Device(
        id="d",
        name="d",
        kind="electricity_meter",
        place=Place(site="s"),
        address=address,
        fields={name: FieldMapping(**field) for name, field in fields.items()},
    )
    return Hints(device_at=lambda found: device if found == address else None)


FRAME = {
    "type": "data",
    "time": "20261121115500",
    "gwSN": "12109132830001",
    "meterSN": "12109132830004",
    "meterName": "adl400",
    "meterStatus": "normal",
    "ch": 0,
}


def test_acrel_short_names():
    """A gateway's frame: local time, kW and kWh, phases; reactive energy is left out, ratios are handed on."""
    body = FRAME | {
        "ua": 221, "ub": 220.9, "uc": "220.8", "ia": 1.5, "ib": 0, "ic": 2, "pa": 0.3, "p": 0.7, "q": 0.1,
        "pf": 0.96, "pt": 1, "ct": 40, "wh": 8.98, "wl": 0.6, "varh": 5.21, "hz": 50.01,
    }  # fmt: skip
    report = read("/gw/acrelHW/AWT100/data/12109132830001", body)
    assert (report.address, report.time_ms) == ("12109132830004", NOON_MS)
    assert report.flags == {"ct": "40"}
    assert values(report) == {
        ("voltage", "a"): (221, "V"), ("voltage", "b"): (220.9, "V"), ("voltage", "c"): (220.8, "V"),
        ("current", "a"): (1.5, "A"), ("current", "b"): (0, "A"), ("current", "c"): (2, "A"),
        ("active_power", "a"): (0.3, "kW"), ("active_power", "total"): (0.7, "kW"),
        ("power_factor", ""): (0.96, "1"), ("energy", ""): (8.98, "kWh"), ("frequency", ""): (50.01, "Hz"),
    }  # fmt: skip


def test_acrel_points_by_number():
    """The ADW300's numbered points: cable temperatures, residual current in A, energies; what is no measurement stays out."""
    points = {0: "24102809510006", 2: 211.4, 5: 366.2, 8: 3, 13: 1.9, 26: 50.23, 27: 14, 28: 1234.5, 29: 0.5, 33: "8986", 34: 1,
              35: 2, 36: 41.5, 39: 38, 40: 0.031, 46: 400.5, 54: 3.3}  # fmt: skip
    body = {"data": [{"tp": NOON_MS, "point": [{"id": at, "val": value} for at, value in points.items()]}]}
    report = read("/gw/acrelHW/ADW300/data/24102809510006", body)
    assert (report.address, report.time_ms, report.flags) == ("24102809510006", NOON_MS, {"ct": "2"})
    assert values(report) == {
        ("voltage", "b"): (211.4, "V"), ("current", "b"): (3, "A"), ("active_power", "total"): (1.9, "kW"),
        ("frequency", ""): (50.23, "Hz"), ("energy", ""): (1234.5, "kWh"), ("energy", "produced"): (0.5, "kWh"),
        ("temperature", "a"): (41.5, "°C"), ("temperature", "n"): (38, "°C"), ("residual_current", ""): (0.031, "A"),
        ("energy", "b"): (400.5, "kWh"),
    }  # fmt: skip


def test_acrel_reported_by_meter():
    """An AWT200 reports several meters at once, as texts; one that is offline gives no readings."""
    body = {
        "method": "update",
        "sn": "24120405680002",
        "timestamp": NOON_MS // 1000,
        "reported": {
            "0_24120405680027": {"state": "ONLINE", "EPI": "21.60", "EPIJ": "0.00", "EPE": "0.00", "Ua": "226.0",
                                 "Fr": "50.1", "PFa": "0.9"},
            "0_24120405680028": {"state": "OFFLINE", "EPI": "7.00"},
        },
    }  # fmt: skip
    online, offline = decode("data/dev/24120405680002", body)[1].reports
    assert (online.address, online.time_ms) == ("24120405680027", NOON_MS)
    assert values(online) == {
        ("energy", ""): (21.6, "kWh"),
        ("energy", "produced"): (0, "kWh"),
        ("voltage", "a"): (226, "V"),
        ("frequency", ""): (50.1, "Hz"),
        ("power_factor", "a"): (0.9, "1"),
    }
    assert (offline.values, offline.flags) == ((), {"state": "OFFLINE"})


def test_acrel_fire_monitor():
    """Residual current and cable temperatures under the monitor's short names, and under plain ones."""
    report = read(
        "/gw/acrelHW/ARCM300/data/1",
        FRAME | {"IL": 35.2, "tempA": 31.5, "TempN": 30, "cable_temperature": 29},
    )
    assert values(report) == {
        ("residual_current", ""): (35.2, "mA"),
        ("temperature", "a"): (31.5, "°C"),
        ("temperature", "n"): (30, "°C"),
        ("temperature", "cable"): (29, "°C"),
    }


def test_acrel_watts_are_told_by_the_volt_amperes():
    """Power that the volt-amperes cannot hold as kW is in W; without a current nothing is said against kW."""
    watts = values(read("/gw/acrelHW/x/data/1", FRAME | {"ua": 220, "ia": 2, "pa": 430, "p": 430}))
    assert watts["active_power", "total"] == (430, "W")
    assert watts["active_power", "a"] == (430, "W")
    idle = values(read("/gw/acrelHW/x/data/1", FRAME | {"ua": 220, "ia": 0, "p": 0.4}))
    assert idle["active_power", "total"] == (0.4, "kW")


def test_acrel_frames_that_hold_no_readings():
    """A parameter frame tells its interval; a missing meter's repeated values are none; a circuit is its own address."""
    parameters = read(
        "/gw/acrelHW/null/para/1",
        {"type": "para", "meterSN": "7", "time": "20261121115500", "upInterval": "5"},
    )
    assert (parameters.values, parameters.flags, parameters.time_ms) == ((), {"upInterval": "5"}, NOON_MS)
    missing = read("/gw/acrelHW/x/data/1", FRAME | {"meterStatus": "missing", "ua": 220})
    assert (missing.values, missing.flags["state"]) == ((), "missing")
    assert read("/gw/acrelHW/x/hstdata/1", FRAME | {"ch": 3, "ua": 220}).address == "12109132830004/3"
    assert decode("/gw/acrelHW/x/login/1", {"type": "login", "gwSN": "1"})[1].ignored
    with pytest.raises(Rejected, match="no_device"):
        decode("/gw/acrelHW/x/para/1", {"type": "para"})


def test_acrel_register_wins():
    """The register's word on a field, as it is written in the message, wins over the table."""
    hints = knowing("12109132830004", IL={"quantity": "residual_current", "unit": "A"})
    assert values(read("/gw/acrelHW/x/data/1", FRAME | {"IL": 0.03}, hints)) == {
        ("residual_current", ""): (0.03, "A")
    }


NEURON = {"timestamp": NOON_MS, "node": "modbus", "group": "meters"}


@pytest.mark.parametrize(
    "body",
    [
        NEURON | {"values": {"voltage_a": 221, "tag0": 5, "mode": "auto"}, "errors": {"kWh": 2014}, "metas": {}},
        NEURON | {"tags": [{"name": "voltage_a", "value": 221}, {"name": "tag0", "value": 5}, {"name": "kWh", "error": 2014}]},
        NEURON | {"readings": [{"name": "voltage_a", "value": 221}, {"name": "tag0", "value": 5}], "wrong": [{"name": "kWh", "error": 2014}]},
        {"timestamp": NOON_MS, "data": {"child": {"node": "modbus", "group": "meters", "tag_values": {"voltage_a": 221, "tag0": 5},
         "static_tag_values": {"floor": 3}, "tag_error_values": {"kWh": 2014}}}},
    ],
)  # fmt: skip
def test_neuron_formats(body):
    """Values-, tags- and custom format say the same: values by tag, failed tags with their code, static tags none."""
    report = read("/neuron/north", body)
    assert (report.address, report.time_ms) == ("modbus/meters", NOON_MS)
    assert values(report) == {("voltage", "a"): (221, "V"), ("tag0", ""): (5, "")}
    assert report.dropped == {"kWh": "not read: error 2014"}


def test_neuron_ecp_types():
    """ECP-format declares types: a text of digits is no number, a boolean is a switch where its name says so."""
    tags = [
        {"name": "switch", "value": True, "type": 1},
        {"name": "serial", "value": "123456", "type": 4},
        {"name": "power_kw", "value": 1.25, "type": 3},
    ]
    report = read("school/upload", NEURON | {"tags": tags})
    assert values(report) == {("switch", ""): (1, "bool"), ("active_power", ""): (1.25, "kW")}


def test_neuron_of_a_named_gateway():
    """A gateway's serial number in the custom format tells two gateways with equal nodes apart; answers are no uploads."""
    body = NEURON | {"values": {"tag0": 1}, "gateway_info": {"ip": "10.0.0.1", "sn": "SN1"}}
    assert read("any/topic", body).address == "SN1/modbus/meters"
    assert decode("neuron/n/upload", {"uuid": "u", "tags": [{"name": "a", "value": 1}]})[1].ignored
    assert decode("neuron/n/x", {"timestamp": 1, "states": []})[1].ignored


def test_jetlinks_devices_and_children():
    """A device is addressed by product and id, a gateway's child by its own; events and functions hold no readings."""
    body = {"timestamp": NOON_MS, "properties": {"temp": 38.5, "x1": "12.5", "note": "ok"}}
    report = read("/freezer/f-1/properties/report", body)
    assert (report.address, report.time_ms) == ("freezer/f-1", NOON_MS)
    assert values(report) == {("temperature", ""): (38.5, "°C"), ("x1", ""): (12.5, "")}
    child = read("/gateway/g-1/child/f-2/properties/report", {"properties": {"temp": 3}})
    assert (child.address, child.time_ms) == ("f-2", None)
    assert read("/freezer/f-1/properties/read/reply", body | {"success": True}).address == "freezer/f-1"
    assert decode("/freezer/f-1/properties/read/reply", {"success": False})[1].ignored
    with pytest.raises(Rejected, match="no_properties"):
        decode("/freezer/f-1/properties/report", {"properties": [1]})


def _metered(timestamp, device="EM-1"):
    return {
        "timestamp": timestamp,
        "device_id": device,
        "metrics": {
            "voltage": {"unit": "V", "value": {"phase_a": 221, "line_ab": 381}},
            "power": {"active": {"unit": "kW", "value": {"phase_a": 3.3, "total": 9.6}}, "reactive": {"unit": "kvar", "value": {"total": 3.6}}},
            "system": [{"unit": "", "power_factor": 0.92}, {"unit": "Hz", "frequency": 49.98}],
            "energy": {"active": {"unit": "kW", "value": {"forward": 1500.5, "reverse": 0.1}}},
        },
        "status": {"device_status": 3},
    }  # fmt: skip


@pytest.mark.parametrize("timestamp", [str(NOON_MS), NOON_MS, "20261121115500000"])
def test_edgelogger_batches(timestamp):
    """Both kinds of time; the energy labelled kW is kWh; line voltages and reactive power stay out."""
    body = {"msgType": "up", "batch": [_metered(timestamp), _metered(timestamp, "")]}
    first, second = decode("device/power/up/EM-2", body)[1].reports
    assert (first.address, second.address, first.time_ms) == ("EM-1", "EM-2", NOON_MS)
    assert first.flags == {"device_status": "3"}
    assert values(first) == {
        ("voltage", "a"): (221, "V"), ("active_power", "a"): (3.3, "kW"), ("active_power", "total"): (9.6, "kW"),
        ("energy", ""): (1500.5, "kWh"), ("energy", "produced"): (0.1, "kWh"),
        ("power_factor", ""): (0.92, "1"), ("frequency", ""): (49.98, "Hz"),
    }  # fmt: skip
    assert decode("device/power/down/EM-1", {"msgType": "down", "batch": [{"metrics": 1}]})[1].ignored


def test_chndas_declared_types():
    """One message holds many devices; a declared text is none even of digits; "Power" is left to the register."""

    def entry(device, *properties):
        return {"productId": "p", "deviceId": device, "properties": [
            {"key": key, "value": value, "type": kind, "time": NOON_MS} for key, value, kind in properties]}  # fmt: skip

    body = [
        entry("d1", ("Power", True, "bool"), ("WF", 2, "int"), ("temperature", "4.5", "double")),
        entry("d2", ("WF", "1111", "text")),
        entry("d3", ("Power", 1.5, "double")),
    ]
    first, second, third = decode("forward/x", body)[1].reports
    assert (first.address, first.time_ms) == ("d1", NOON_MS)
    assert values(first) == {("WF", ""): (2, ""), ("temperature", ""): (4.5, "°C")}
    assert (second.values, values(third)) == ((), {("Power", ""): (1.5, "")})
    with pytest.raises(Rejected, match="no_device"):
        decode("forward/x", [{"deviceId": "", "properties": []}])
