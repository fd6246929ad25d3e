"""Modbus replies of a transparent DTU, packed by us, read by a site's map of registers."""

from __future__ import annotations

import json
import math
import struct

import pytest
from decoding_support import decoded, registered
from hypothesis import given
from hypothesis import strategies as st

from campus.modbus import ModbusMapping
from campus.site import Site
from ingest.decoding.contract import Hints
from ingest.decoding.formats.described.raw_modbus import RawModbus
from ingest.decoding.registry import Registry
from ingest.decoding.wire.modbus_frame import crc16
from ingest.errors import Rejected
from ingest.message import Message

TH = [
    {"offset": 0, "scale": 0.1, "quantity": "humidity", "unit": "%"},
    {"offset": 1, "type": "int16", "scale": 0.1, "quantity": "temperature", "unit": "°C", "invalid": [-9999]},
]


def rtu(unit, function, data):
    body = bytes([unit, function, len(data)]) + data
    return body + crc16(body).to_bytes(2, "little")


def tcp(unit, function, data):
    return struct.pack(">HHHBBB", 7, 0, 3 + len(data), unit, function, len(data)) + data


def read(sent, replies, hints=None, **settings):
    mapping = {"kind": "modbus", "address": "topic:1", "replies": replies} | settings
    site = Site.model_validate(
        {
            "id": "s",
            "name": "学校",
            "sources": [{"topic": "dtu/#", "decoder": "raw_modbus", "mapping": "m"}],
            "mappings": {"m": mapping},
        }
    )
    name, found = decoded("dtu/d7/up", sent, hints, registry=Registry(site))
    assert name == "raw_modbus"
    return found.reports


def values(report):
    return {(str(one.quantity), one.channel): (pytest.approx(one.value), one.unit) for one in report.values}


REPLY = rtu(1, 3, struct.pack(">Hh", 620, -127))


@pytest.mark.parametrize(
    ("payload", "settings"),
    [
        (REPLY, {}),
        (REPLY.hex().encode(), {}),
        (REPLY.hex(" ").upper().encode() + b"\r\n", {}),
        (" ".join(f"0x{byte:02X}" for byte in REPLY).encode(), {}),
        (json.dumps({"sn": "x", "rowdata": REPLY.hex()}).encode(), {"payload": "rowdata"}),
        (json.dumps({"d": {"sn": "d7"}, "up": [REPLY.hex("-")]}).encode(), {"payload": "up[0]", "address": "d.sn"}),
        (tcp(1, 3, REPLY[3:-2]), {"framing": "tcp"}),
        (tcp(1, 3, REPLY[3:-2]).hex().encode(), {"framing": "tcp"}),
    ],
)  # fmt: skip
def test_the_same_reply_however_it_is_written(payload, settings):
    """Bytes, hexadecimal in the usual spellings, within JSON, and behind a TCP header; -12.7 is no probe's -127."""
    (report,) = read(payload, [{"registers": 2, "values": TH}], **settings)
    assert report.address == "d7"
    assert values(report) == {("humidity", ""): (62.0, "%"), ("temperature", ""): (-12.7, "°C")}
    assert not report.dropped


@pytest.mark.parametrize(
    ("kind", "order", "data", "expected"),
    [
        ("uint32", "ABCD", b"\x00\x01\x86\xa0", 100_000.0),
        ("uint32", "CDAB", b"\x86\xa0\x00\x01", 100_000.0),
        ("uint32", "BADC", b"\x01\x00\xa0\x86", 100_000.0),
        ("uint32", "DCBA", b"\xa0\x86\x01\x00", 100_000.0),
        ("int32", "ABCD", b"\xff\xff\xff\xfe", -2.0),
        ("float32", "CDAB", b"\x00\x00\x42\x28", 42.0),
        ("float64", "ABCD", struct.pack(">d", 1.5), 1.5),
        ("uint64", "CDAB", b"\x00\x05\x00\x00\x00\x00\x00\x00", 5.0),
        ("uint16", "DCBA", b"\x05\x00", 5.0),
        ("int16", "ABCD", b"\xff\xfb", -5.0),
    ],
)
def test_types_and_orders(kind, order, data, expected):
    """Each type in each order of words and bytes."""
    one = {"offset": 0, "type": kind, "order": order, "quantity": "water_flow", "unit": "m3/h"}
    (report,) = read(rtu(1, 3, data), [{"values": [one]}])
    assert values(report) == {("water_flow", ""): (expected, "m3/h")}


def test_several_devices_behind_one_dtu():
    """Replies glued together go each to its own device, told apart by unit, function and length; bits are read, too."""
    payload = (
        rtu(1, 3, struct.pack(">H", 2301))
        + rtu(1, 3, struct.pack(">HH", 620, 35))
        + rtu(2, 2, b"\x00\x02")
        + rtu(2, 4, struct.pack(">H", 0b1000))
    )
    volts = [{"offset": 0, "scale": 0.1, "quantity": "voltage", "channel": "a"}]
    leak = [{"offset": 9, "type": "bit", "quantity": "leak_detected"}]
    door = [{"offset": 0, "type": "bit", "bit": 3, "quantity": "door_open"}]
    replies = [
        {"unit": 1, "registers": 1, "suffix": "meter", "values": volts},
        {"unit": 1, "registers": 2, "suffix": "th", "values": TH},
        {"unit": 2, "function": 2, "values": leak},
        {"unit": 2, "function": 4, "values": door},
    ]
    found = [(one.address, values(one)) for one in read(payload, replies)]
    assert found == [
        ("d7/meter", {("voltage", "a"): (230.1, "V")}),
        ("d7/th", {("humidity", ""): (62.0, "%"), ("temperature", ""): (3.5, "°C")}),
        ("d7", {("leak_detected", ""): (1.0, "bool")}),
        ("d7", {("door_open", ""): (1.0, "bool")}),
    ]


@pytest.mark.parametrize(
    ("payload", "dropped"),
    [
        (rtu(1, 3, struct.pack(">Hh", 620, -9999)), {"1:3:1": "-9999 means no measurement"}),
        (rtu(1, 3, struct.pack(">Hh", 65535, 35)), {"1:3:0": "65535 means no measurement"}),
        (rtu(1, 3, struct.pack(">H", 620)), {"1:3:1": "the reply holds 1 registers"}),
    ],
)
def test_what_is_no_value_is_dropped(payload, dropped):
    """The device's own word for no value, the ends of a register, and registers that are not there."""
    (report,) = read(payload, [{"values": TH}])
    assert len(report.values) == 1
    assert report.dropped == dropped


def test_an_exception_is_told():
    """A device that refuses is alive and says why."""
    body = b"\x01\x83\x02"
    (report,) = read(body + crc16(body).to_bytes(2, "little"), [{"values": TH}])
    assert not report.values
    assert report.dropped == {"1:3": "the device says: illegal data address"}


def test_nan_is_dropped():
    """A float that is no number is none."""
    one = {"offset": 0, "type": "float32", "quantity": "temperature"}
    (report,) = read(rtu(1, 3, struct.pack(">f", math.nan)), [{"values": [one]}])
    assert not report.values
    assert list(report.dropped) == ["1:3:0"]


def test_the_register_wins():
    """The column fields of devices.csv says better what a register means."""
    hints = registered(
        d7={
            "kind": "climate",
            "fields": {"1:3:1": {"quantity": "temperature", "channel": "pipe", "scale": 0.01}},
        }
    )
    (report,) = read(REPLY, [{"values": TH}], hints)
    assert values(report)["temperature", "pipe"] == (pytest.approx(-1.27), "°C")


@pytest.mark.parametrize(
    ("payload", "settings", "code"),
    [
        (REPLY[:-1] + b"\x00", {}, "bad_crc"),
        (REPLY[:-3], {}, "cut_off"),
        (REPLY + b"\x01", {}, "cut_off"),
        (rtu(9, 3, b"\x00\x01"), {}, "not_mapped"),
        (b"\x01\x06\x00\x01\x00\x05\x18\x09", {}, "not_modbus"),
        (b"", {}, "empty"),
        (REPLY * 2000, {}, "too_large"),
        (b'{"rowdata": "01 03 zz"}', {"payload": "rowdata"}, "bad_hex"),
        (b'{"other": 1}', {"payload": "rowdata"}, "no_payload"),
        (b"{", {"payload": "rowdata"}, "malformed_json"),
        (REPLY, {"address": "topic:7"}, "no_device"),
        (tcp(1, 3, b"\x00\x01")[:-1], {"framing": "tcp"}, "cut_off"),
        (b"\x00\x07\x00\x01" + tcp(1, 3, b"\x00\x01")[4:], {"framing": "tcp"}, "not_modbus"),
    ],
)
def test_refused(payload, settings, code):
    """What is no whole reply, or not of a device on the map, is refused by name."""
    with pytest.raises(Rejected) as caught:
        read(payload, [{"registers": 2, "values": TH}], **settings)
    assert caught.value.code == code


def test_without_a_mapping():
    """The decoder alone reads nothing."""
    with pytest.raises(Rejected) as caught:
        RawModbus().decode(Message("a", REPLY, 0), Hints())
    assert caught.value.code == "no_mapping"


def test_checksum():
    """The check value of CRC-16/MODBUS in the catalogue of parametrised CRC algorithms."""
    assert crc16(b"123456789") == 0x4B37


@given(st.binary(max_size=80), st.sampled_from(["rtu", "tcp"]), st.booleans())
def test_no_bytes_break_it(data, framing, whole):
    """Whatever a serial line delivers ends in finite values or in a rejection."""
    mapping = ModbusMapping.model_validate(
        {"kind": "modbus", "address": "topic:0", "framing": framing, "replies": [{"values": TH}]}
    )
    payload = (rtu if framing == "rtu" else tcp)(1, 3, data) if whole else data
    try:
        found = RawModbus(mapping).decode(Message("d", payload, 0), Hints())
    except Rejected as rejected:
        assert rejected.code
        return
    assert all(math.isfinite(one.value) for report in found.reports for one in report.values)
