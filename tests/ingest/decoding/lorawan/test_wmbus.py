"""Wireless M-Bus telegrams and Carlo Gavazzi's values, packed by us after EN 13757-3 and the makers' layouts."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decoding.lorawan import codec
from ingest.decoding.lorawan.wmbus_records import BadRecord, records
from ingest.errors import Rejected

WATER, GAS, HEAT, ELECTRICITY = 0x07, 0x03, 0x04, 0x02


def telegram(body, *, medium=WATER, status=0, configuration=0, header=0x7A):
    """A whole frame of meter 12345678 around the hex of its records."""
    body = bytes.fromhex(body)
    start = bytes.fromhex("44b425") + bytes.fromhex("78563412") + bytes([1, medium])
    transport = {
        0x78: b"\x78",
        0x7A: b"\x7a" + struct.pack("<BBH", 7, status, configuration),
        0x72: b"\x72"
        + bytes.fromhex("21436587b425")
        + bytes([1, medium])
        + struct.pack("<BBH", 7, status, configuration),
        0x8C: bytes.fromhex("8c0009") + b"\x7a" + struct.pack("<BBH", 7, status, configuration),
    }[header]
    frame = start + transport + body
    return bytes([len(frame)]) + frame


def read(raw, model="wM-Bus"):
    return codec.read([model], raw, 0, guess=False)


def found(uplink):
    return {(str(one.quantity), one.channel): (pytest.approx(one.value), one.unit) for one in uplink.values}


@pytest.mark.parametrize(
    ("medium", "body", "expected"),
    [
        (WATER, "0413 e02e0000", {("water_volume", ""): (12.0, "m3")}),
        (WATER, "0c13 45231201", {("water_volume", ""): (1122.345, "m3")}),
        (WATER, "0513 00004842", {("water_volume", ""): (0.05, "m3")}),
        (WATER, "0714 0100000000000000", {("water_volume", ""): (0.01, "m3")}),
        (WATER, "0d13 e3 102700", {("water_volume", ""): (10.0, "m3")}),
        (WATER, "0493 7d 0a000000", {("water_volume", ""): (10.0, "m3")}),
        (WATER, "0493 3c 07000000", {("water_backflow_volume", ""): (0.007, "m3")}),
        (WATER, "023b 1e00", {("water_flow", ""): (0.03, "m3/h")}),
        (WATER, "023b e2ff", {("water_flow", ""): (-0.03, "m3/h")}),
        (WATER, "0a3b 12f0", {("water_flow", ""): (-0.012, "m3/h")}),
        (WATER, "0244 0500", {("water_flow", ""): (0.005, "m3/min")}),
        (WATER, "0259 3cff 0265 d007", {("temperature", "water"): (-1.96, "°C"), ("temperature", "external"): (20.0, "°C")}),
        (WATER, "0269 2c01", {("water_pressure", ""): (3.0, "bar")}),
        (GAS, "0413 e02e0000", {("gas_volume", ""): (12.0, "m3")}),
        (ELECTRICITY, "0403 10270000 022b 9001", {("energy", ""): (10_000.0, "Wh"), ("active_power", ""): (400.0, "W")}),
        (ELECTRICITY, "02fd48 fa08 02fd59 5e01", {("voltage", ""): (229.8, "V"), ("current", ""): (0.35, "A")}),
        (HEAT, "0413 e02e0000 0403 10270000", {}),
        # a maximum, the due date's register, another tariff, a text, fillers, the maker's own data after 0F
        (WATER, "123b 1e00 4413 e02e0000 841013 05000000 0d78 03 414243 2f2f 0f 0102", {}),
        (WATER, "7c 03 414243", None),
        (WATER, "047c 03 414243 01000000 0413 01000000", {("water_volume", ""): (0.001, "m3")}),
    ],
)  # fmt: skip
def test_records(medium, body, expected):
    """Each coding, power of ten and medium; what is no present value of a quantity of ours is none."""
    if expected is None:
        with pytest.raises(Rejected) as caught:
            read(telegram(body, medium=medium))
        assert caught.value.code == "bad_bytes"
        return
    uplink = read(telegram(body, medium=medium))
    assert found(uplink) == expected
    assert not uplink.dropped


@pytest.mark.parametrize("body", ["0c13 eeeeeeee", "0493 15 00000000"])
def test_faults(body):
    """Decimals that are none and records the meter marks as wrong are dropped with a reason."""
    uplink = read(telegram(body))
    assert not uplink.values
    assert list(uplink.dropped) == ["vif0013"]


@pytest.mark.parametrize(
    ("header", "meter"), [(0x78, "12345678"), (0x7A, "12345678"), (0x8C, "12345678"), (0x72, "87654321")]
)
def test_headers(header, meter):
    """Every header leads to the records, and the long one to the meter behind the radio."""
    uplink = read(
        telegram("0413 e02e0000 046d 2d0b553b 02fd74 cb16 01fd17 04", header=header, status=0x04 | 0x10)
    )
    assert found(uplink) == {("water_volume", ""): (12.0, "m3")}
    flags = {"meter": meter, "meter_time": "2026-11-21 11:45", "battery_days": "5835", "error": "0x04"}
    assert uplink.flags == flags | ({} if header == 0x78 else {"status": "low battery, temporary error"})


def test_a_telegram_explains_itself():
    """Without a model it is read where its length and header fit, and a clock marked invalid is none."""
    uplink = codec.read([], telegram("0413 e02e0000 046d ad0b553b"), 2, guess=True)
    assert found(uplink) == {("water_volume", ""): (12.0, "m3")}
    assert uplink.flags == {"meter": "12345678"}


@pytest.mark.parametrize("model", ["wM-Bus", "Integra Aquastream", ""])
def test_encrypted(model):
    """An encrypted telegram is refused as such, never read as noise."""
    raw = telegram("0413 e02e0000", configuration=0x0510)
    with pytest.raises(Rejected) as caught:
        codec.read([model], raw, 0, guess=True)
    assert caught.value.code == "encrypted"
    assert "12345678" in caught.value.detail


@pytest.mark.parametrize(
    ("bits", "leak", "alarm"),
    [(0, 0.0, None), (1 << 11, 1.0, "leakage"), (1 << 10 | 1, 1.0, "low battery, burst"), (1 << 8 | 1 << 15, 0.0, "tamper, no consumption")],
)  # fmt: skip
def test_aquastream(bits, leak, alarm):
    """Its first tariff is the backflow, and of its alarms two are leaks."""
    body = f"0413 e02e0000 841013 07000000 02fd17 {struct.pack('<H', bits).hex()}"
    uplink = read(telegram(body, header=0x72), "Integra Aquastream")
    assert found(uplink) == {
        ("water_volume", ""): (12.0, "m3"),
        ("water_backflow_volume", ""): (0.007, "m3"),
        ("leak_detected", ""): (leak, "bool"),
    }
    assert uplink.flags.get("alarm") == alarm


def uwp(*parts):
    return b"\x01" + b"".join(parts)


VOLTS, AMPS = b"\x91" + struct.pack("<I", 2301), b"\x92" + struct.pack("<I", 5250)
POWER, ENERGY = b"\x93" + struct.pack("<i", -1_250_000), b"\x3c" + struct.pack("<Q", 123_456)


def test_gavazzi():
    """The second phase's volts, amperes and signed power, and the energy; what is not known is handed on."""
    uplink = read(uwp(VOLTS, AMPS, POWER, ENERGY, b"\xff\x46\x00"), "UWP-A")
    assert found(uplink) == {
        ("voltage", "b"): (230.1, "V"),
        ("current", "b"): (5.25, "A"),
        ("active_power", "b"): (-1.25, "kW"),
        ("energy", ""): (12_345.6, "kWh"),
    }
    assert uplink.flags == {}
    assert read(uwp(VOLTS, b"\x88\x01"), "UWPM").flags == {"rest": "8801"}
    assert read(uwp(b"\x92\xff\xff\xff\x7f", VOLTS), "Carlo Gavazzi").dropped == {
        "l2A": "beyond the meter's range"
    }


@pytest.mark.parametrize("raw", [b"\x02" + VOLTS, b"\x01", uwp(b"\x88\x01"), uwp(VOLTS[:3])])
def test_gavazzi_refuses(raw):
    """Another application's bytes, none that is known, or a value cut off."""
    with pytest.raises(Rejected) as caught:
        read(raw, "UWP-A")
    assert caught.value.code == "bad_bytes"


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60),
    st.sampled_from([0x72, 0x7A, 0x78, 0x8C]),
    st.sampled_from(["wM-Bus", "Aquastream"]),
)
def test_no_records_break_a_telegram(body, header, model):
    """Whatever a frame holds ends in finite values or in a rejection."""
    try:
        uplink = read(telegram(body.hex(), header=header), model)
    except Rejected as rejected:
        assert rejected.code == "bad_bytes"
        return
    assert all(abs(one.value) < 1e60 and one.unit for one in uplink.values)


@pytest.mark.parametrize("body", ["04", "0413 00", "0d13 f1 00", "3e", "04" + "93" * 12, "84" * 12])
def test_bad_records(body):
    """Records cut off, reserved codings and endless extensions are named."""
    with pytest.raises(BadRecord):
        list(records(bytes.fromhex(body)))
