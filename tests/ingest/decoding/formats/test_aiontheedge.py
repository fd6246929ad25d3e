"""AI-on-the-edge: what a camera reads off a dial, on messages of our own."""

from __future__ import annotations

import pytest
from decoding_support import decoded, registered, reports, values

from campus.clock import parse_iso
from campus.reading import Quality

TOPIC = "watermeter/main/json"


def read(**fields):
    return {
        "value": "521.171",
        "raw": "521.171",
        "pre": "521.171",
        "error": "no error",
        "rate": "0.02",
        "timestamp": "2026-11-21T11:59:00+0800",
        **fields,
    }


def test_a_reading():
    """Texts with the register and the device's own flow a minute, apart from the flow we derive; its clock has an offset."""
    (report,) = reports(TOPIC, read())
    assert (report.address, report.time_ms, report.flags) == (
        "watermeter/main",
        parse_iso("2026-11-21T03:59:00Z"),
        {},
    )
    assert values(TOPIC, read()) == {
        ("water_volume", ""): (521.171, "m3"),
        ("water_flow", "reported"): (0.02, "m3/min"),
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {
                "value": "",
                "error": "Neg. Rate - Read:  - Raw: 013.30 - Pre: 999.93",
                "raw": "013.30",
                "rate": "",
            },
            13.3,
        ),
        ({"value": "", "error": "Rate too high - Read: 9", "raw": "999.0", "rate": ""}, 999.0),
        ({"value": "", "error": "Neg. Rate", "raw": "0N3.30", "rate": ""}, None),
        ({"value": "", "error": "no error", "raw": "13.3", "rate": ""}, None),
        ({"value": "", "error": "", "raw": "", "rate": ""}, None),
    ],
)
def test_what_the_device_does_not_trust(fields, expected):
    """An empty value with an error leaves what was read, suspect, for the meter's arithmetic; unreadable digits leave nothing."""
    (report,) = reports(TOPIC, read(**fields))
    assert [(one.value, one.quality, one.field) for one in report.values] == (
        [] if expected is None else [(expected, Quality.SUSPECT, "raw")]
    )
    assert bool(report.flags) is (fields["error"] not in {"", "no error"})
    assert bool(report.dropped) is (expected is None)


def test_values_by_topic():
    """The value's own topic is read; the parts it is made of, and the camera's state, are not."""
    assert values("watermeter/main/value", "521.171") == {("water_volume", ""): (521.171, "m3")}
    assert reports("watermeter/main/error", "Neg. Rate")[0].flags == {"error": "Neg. Rate"}
    assert reports("watermeter/main/error", "no error")[0].flags == {}
    for topic in ("main/raw", "main/rate", "main/timestamp", "freeMem", "status", "connection"):
        assert decoded(f"watermeter/{topic}", "5")[1].ignored


@pytest.mark.parametrize(
    ("topic", "kind", "expected"),
    [
        ("gasmeter/main/json", None, ("gas_volume", "m3")),
        ("powermeter/main/json", None, ("energy", "kWh")),
        ("cellar/main/json", None, ("water_volume", "m3")),
        ("cellar/main/json", "gas_meter", ("gas_volume", "m3")),
        ("watermeter/json", "electricity_meter", ("energy", "kWh")),
    ],
)
def test_the_dial_is_of_its_kind(topic, kind, expected):
    """The register says what the dial counts, else the topic's words; a default number needs no name."""
    address = topic.rpartition("/")[0]
    hints = registered(**({address: {"kind": kind}} if kind else {}))
    name, found = decoded(topic, read(), hints)
    assert name == "aiontheedge"
    assert (found.reports[0].values[0].quantity, found.reports[0].values[0].unit) == expected
