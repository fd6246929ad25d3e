"""Payload bytes of LoRaWAN models, packed by us after the makers' layouts."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lorawan_support import THEN_S, found, read

from ingest.decoding.lorawan import codec
from ingest.errors import Rejected

T_BIG = struct.pack(">I", THEN_S)
LHT = struct.pack(">HhH", 0xC000 | 3050, 410, 612)


@pytest.mark.parametrize(
    ("model", "port", "raw", "expected"),
    [
        (
            "LHT65N",
            2,
            LHT + b"\x01" + struct.pack(">hH", -1850, 0x7FFF),
            [
                ("battery_voltage", "", 3.05, "V", None),
                ("humidity", "", 61.2, "%", None),
                ("temperature", "", 4.1, "°C", None),
                ("temperature", "probe", -18.5, "°C", None),
            ],
        ),
        (
            "LHT65N",
            2,
            LHT[:2] + b"\x28\xaa\xbb\xcc\x20" + struct.pack(">hH", -1850, 0x0102),
            [("battery_voltage", "", 3.05, "V", None), ("temperature", "probe", -18.5, "°C", None)],
        ),
        (
            "LHT65N",
            3,
            (struct.pack(">hhHB", -1850, 410, 612, 0x41) + T_BIG) * 2,
            [
                ("temperature", "probe", -18.5, "°C", THEN_S),
                ("humidity", "", 61.2, "%", THEN_S),
                ("temperature", "", 4.1, "°C", THEN_S),
            ]
            * 2,
        ),
        (
            "LHT65N",
            3,
            LHT[:2] + b"\x01" + struct.pack(">hh", 400, 410),
            [("battery_voltage", "", 3.05, "V", None)],
        ),
        ("LHT65N", 5, "0b014001ff0bea", [("battery_voltage", "", 3.05, "V", None)]),
        (
            "LTC2",
            2,
            struct.pack(">HBhh", 3050, 1, -1850, 410) + T_BIG,
            [
                ("battery_voltage", "", 3.05, "V", None),
                ("temperature", "", -18.5, "°C", THEN_S),
                ("temperature", "probe2", 4.1, "°C", THEN_S),
            ],
        ),
        (
            "Dragino LTC2-HT",
            2,
            struct.pack(">HBHH", 3050, 1, 35000, 0x8001) + T_BIG,
            [("battery_voltage", "", 3.05, "V", None), ("temperature", "", 350.0, "°C", THEN_S)],
        ),
        (
            "LTC2-LB",
            2,
            struct.pack(">HBhh", 3050, 0, -185, 0x7FFF) + T_BIG,
            [("battery_voltage", "", 3.05, "V", None), ("temperature", "", -18.5, "°C", THEN_S)],
        ),
        (
            "LTC2-LB",
            3,
            struct.pack(">HhhB", 0, 41, -185, 0) + T_BIG,
            [("temperature", "", -18.5, "°C", THEN_S), ("temperature", "probe2", 4.1, "°C", THEN_S)],
        ),
        (
            "SW3L-LB",
            2,
            b"\x06" + struct.pack(">IBB", 780, 0, 0) + T_BIG,
            [
                ("leak_detected", "", 1.0, "bool", THEN_S),
                ("pulse_count", "raw", 780.0, "count", THEN_S),
                ("water_volume", "", 2.0, "L", THEN_S),
            ],
        ),
        (
            "SW3L-LB-020",
            3,
            b"\x00\x00\x00" + struct.pack(">I", 24) + T_BIG,
            [
                ("leak_detected", "", 0.0, "bool", THEN_S),
                ("pulse_count", "raw", 24.0, "count", THEN_S),
                ("water_volume", "", 2.0, "L", THEN_S),
            ],
        ),
        (
            "CPL03-LB",
            3,
            (b"\x00\x00\x00\x07\x00\x00\x00" + T_BIG) + (b"\x20\x00\x00\x07\x00\x00\x00" + T_BIG),
            [("pulse_count", "", 7.0, "count", THEN_S)],
        ),
        (
            "CPL03-LB",
            2,
            b"\x08\x00\x00\x01\x00\x00\x02\x00\x00\x03\x00",
            [
                ("pulse_count", "1", 1.0, "count", None),
                ("pulse_count", "2", 2.0, "count", None),
                ("pulse_count", "3", 3.0, "count", None),
            ],
        ),
        # a flag of the first model's server is no mode
        ("CPL01", 2, b"\x28\x00\x00\x07\x00\x00\x00" + T_BIG, [("pulse_count", "", 7.0, "count", THEN_S)]),
    ],
)
def test_dragino(model, port, raw, expected):
    """Live payloads, logs with their own times, status with the battery."""
    assert found(model, raw, port) == expected


def extended(steps, *, status=0, spacing_s=3600, late_s=600, litres=None):
    """An Axioma payload whose log began as many spacings ago as it has steps, and a little."""
    logged = 10_000
    now_s = THEN_S + len(steps) * spacing_s + late_s
    total = logged + sum(steps) + 3 if litres is None else litres
    head = struct.pack("<IBIII", now_s, status, total, THEN_S, logged)
    return head + struct.pack(f"<{len(steps)}H", *steps), now_s, total


def test_axioma_extended_steps():
    """The logged volume and each step at their own times; the spacing follows from the times of log and message."""
    for spacing_s in (900, 1200, 3600, 86_400):
        raw, now_s, total = extended(list(range(15)), spacing_s=spacing_s, late_s=spacing_s // 6)
        volumes = [
            (value, at) for name, _, value, _, at in found("Axioma W1", raw, 100) if name == "water_volume"
        ]
        assert volumes[:2] == [(float(total), now_s), (10_000.0, THEN_S)]
        assert volumes[2:] == [
            (10_000.0 + sum(range(number + 1)), THEN_S + (number + 1) * spacing_s) for number in range(15)
        ]


@pytest.mark.parametrize(
    ("late_s", "litres"),
    [(3700, None), (-60, None), (600, 10_001), (600, 0xFFFFFFFF)],
)
def test_axioma_steps_that_do_not_fit_are_left(late_s, litres):
    """Where times and volumes disagree, only the two volumes that carry a time are believed."""
    raw, _, _ = extended([5] * 15, late_s=late_s, litres=litres)
    assert sum(one[0] == "water_volume" for one in found("Qalcosonic W1", raw, 100)) == (
        1 if litres == 0xFFFFFFFF else 2
    )


def test_axioma_enhanced_and_its_states():
    """Twenty-three hourly steps of 14 bits after the logged volume; the status's words; alarms passed on."""
    packed = sum(number << (14 * number) for number in range(23)).to_bytes(41, "little")
    raw = b"\x01" + struct.pack("<IBI", THEN_S, 0x20, 5000) + packed
    volumes = [
        (value, at) for name, _, value, _, at in found("W1 Axioma", raw, 100) if name == "water_volume"
    ]
    assert volumes[0] == (5000.0, THEN_S - 23 * 3600)
    assert volumes[-1] == (5000.0 + sum(range(23)), THEN_S)
    assert len(volumes) == 24
    for status, words, leak in (
        (0x20, "leakage", 1.0),
        (0xA4, "burst, low battery", 1.0),
        (0x60, "backflow", 0.0),
        (0x90, "low temperature, temporary error", 0.0),
    ):
        uplink = read("axioma", extended([], status=status)[0], 100)
        assert uplink.flags == {"status": words}
        assert [one.value for one in uplink.values if one.quantity == "leak_detected"] == [leak]
    assert read("axioma", struct.pack("<IB", THEN_S, 0x21), 103).flags == {"alarm": "0x21"}
    assert read("axioma", "04ff891331fd17", 101).values == []


def test_quandify():
    """A status report, asked for or not: volume, leak, temperatures, battery, the meter's own error."""
    report = bytearray(28)
    struct.pack_into("<HI", report, 4, 384, 5342)
    report[22:28] = bytes([3, 200, 230, 60, 70, 84])
    uplink = read("Quandify CubicMeter 1.1", bytes(report), 1)
    assert uplink.flags == {"error": "reverse flow"}
    values = [(str(one.quantity), one.channel, one.value, one.unit) for one in uplink.values]
    assert values == [
        ("water_volume", "", 5342.0, "L"),
        ("leak_detected", "", 1.0, "bool"),
        ("temperature", "water_min", 10.0, "°C"),
        ("temperature", "water_max", 15.0, "°C"),
        ("temperature", "", 22.0, "°C"),
        ("battery_voltage", "", 3640.0, "mV"),
    ]
    asked = read("cubicmeter", b"\x01\x00\x01" + bytes(report), 6)
    assert asked.values == uplink.values
    assert read("cubicmeter", b"\x01\x00\x04" + bytes(38), 6).values == []


@pytest.mark.parametrize(
    ("model", "words", "flags", "expected"),
    [
        (
            "DL-SHT35",
            [26214, 32768, 3050],
            3,
            [("temperature", 25.0), ("humidity", 50.0008), ("battery_voltage", 3.05)],
        ),
        ("DL-DLR2-002", [1, 60, 7, 1, 3050], 3, [("pulse_count", 65543.0), ("battery_voltage", 3.05)]),
        (
            "DL-PR26",
            [32768, 22784, 3050],
            3,
            [("pressure_fraction", 0.5), ("temperature", 20.0), ("battery_voltage", 3.05)],
        ),
        ("DL-DS18", [3050], 2, [("battery_voltage", 3.05)]),
        ("DL-IAM", [3050, 50660], 5, [("battery_voltage", 3.05), ("pressure", 101320.0)]),
    ],
)
def test_decentlab(model, words, flags, expected):
    """Sensors in the order of their flags; those whose bit is not set are not there."""
    raw = struct.pack(">BHH", 2, 4711, flags) + struct.pack(f">{len(words)}H", *words)
    assert [(str(one.quantity), one.value) for one in read(model, raw, 1).values] == expected


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Milesight EM300-TH-868M", True),
        ("em300_di", True),
        ("EM300-DI-HALL", True),
        ("LHT65N-PIR", False),
        ("project101", False),
        ("Dragino SW3L-010", True),
        ("DL-DS182", False),
    ],
)
def test_models_are_words_of_a_name(name, known):
    """A model is found within a profile's name, never within another word, nor is a variant of another format."""
    assert (codec.read([name], b"", 85, guess=False) is not None) is True
    try:
        answer = codec.read([name], b"\xff", 99, guess=False)
    except Rejected:
        answer = "tried"
    assert (answer is not None) is known


MODELS = [
    "EM300-DI", "EM500-PP", "WS523", "UC300", "UC501", "UC1152", "UC511", "UC521", "TS201", "CT305", "LHT65N", "LTC2", "LTC2-LB",
    "SW3L", "CPL03", "CPL01", "D20-LB", "Axioma W1", "Quandify", "DL-IAM", "UWP-A", "Aquastream",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(MODELS),
    st.one_of(
        st.binary(max_size=60),
        st.lists(st.sampled_from([b"\x20\xdc", b"\x20\xdd", b"\xff\x19", b"\xff\x0e", b"\x20\xce", b"\x01\x75\x5c", b"\xff" * 9, b"\0" * 7]), max_size=9).map(b"".join),
    ),
    st.sampled_from([1, 2, 3, 5, 6, 7, 85, 100, 103]),
)  # fmt: skip
def test_no_bytes_break_a_codec(model, raw, port):
    """Whatever a radio delivers ends in finite values or in a rejection."""
    try:
        uplink = read(model, raw, port)
    except Rejected:
        return
    assert all(abs(one.value) < 1e40 and isinstance(one.unit, str) for one in uplink.values)
