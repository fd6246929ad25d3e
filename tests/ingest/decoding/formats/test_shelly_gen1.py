"""First-generation Shelly, on messages of our own."""

from __future__ import annotations

import pytest
from decoding_support import NOW_MS, decoded, registered, reports, values


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("shellyplug-s-1/relay/0", "on", ("switch", "relay:0", 1.0, "bool")),
        ("shellyplug-s-1/relay/0", "overpower", None),
        ("shellyplug-s-1/relay/0/power", "12.34", ("active_power", "relay:0", 12.34, "W")),
        ("shellyplug-s-1/relay/0/energy", "6000", ("energy", "relay:0", 6000.0, "Wmin")),
        ("shellyswitch25-1/roller/0/energy", "60", ("energy", "roller:0", 60.0, "Wmin")),
        ("shellyswitch25-1/roller/0/pos", "60", None),
        ("shellydimmer-1/light/0/power", "3", ("active_power", "light:0", 3.0, "W")),
        ("shellyem3-1/emeter/1/voltage", "231.5", ("voltage", "b", 231.5, "V")),
        ("shellyem3-1/emeter/2/total", "1500.5", ("energy", "c", 1500.5, "Wh")),
        ("shellyem3-1/emeter/0/total_returned", "5", ("energy", "a.produced", 5.0, "Wh")),
        ("shellyem3-1/emeter/0/energy", "90", ("energy", "a.since_start", 90.0, "Wmin")),
        ("shellyem-1/emeter/0/power", "-5", ("active_power", "emeter:0", -5.0, "W")),
        ("shellyem-1/emeter/0/reactive_power", "-5", None),
        ("shellyht-1/sensor/temperature", "4.50", ("temperature", "", 4.5, "°C")),
        ("shellyht-1/sensor/humidity", "61.5", ("humidity", "", 61.5, "%")),
        ("shellyht-1/sensor/battery", "88", ("battery_level", "", 88.0, "%")),
        ("shellyflood-1/sensor/flood", "true", ("leak_detected", "", 1.0, "bool")),
        ("shellydw2-1/sensor/state", "open", ("door_open", "", 1.0, "bool")),
        ("shellydw2-1/sensor/lux", "300", None),
        ("shelly1pm-1/temperature", "41.2", ("temperature", "device", 41.2, "°C")),
        ("shelly1pm-1/temperature_f", "106.2", None),
        ("shelly1-1/ext_temperature/0", "-18.25", ("temperature", "probe", -18.25, "°C")),
        ("shelly1-1/ext_temperature/1", "3.5", ("temperature", "probe2", 3.5, "°C")),
        ("shelly1-1/ext_temperature_f/1", "38.3", None),
        ("shelly1-1/ext_temperature/0", "999", None),
        ("shelly1-1/ext_humidity/0", "55", ("humidity", "probe", 55.0, "%")),
        ("shellyuni-1/adc/0", "12.1", ("voltage", "adc", 12.1, "V")),
        ("shelly1-1/input/0", "1", None),
        ("shelly1-1/online", "true", None),
        ("shelly1-1/announce", '{"id": "shelly1-1"}', None),
        ("shelly1-1/relay/0/command", "on", None),
        ("shelly1-1/input_event/0", '{"event": "S", "event_cnt": 1}', None),
        ("announce", '{"id": "shelly1-1"}', None),
        ("command", "announce", None),
    ],
)
def test_values_by_topic(topic, payload, expected):
    """Energy of relays in watt-minutes, of emeters in watt-hours; phases of the 3EM; commands and events are ignored."""
    _, found = decoded(f"shellies/{topic}", payload)
    values = [
        (one.quantity, one.channel, one.value, one.unit) for report in found.reports for one in report.values
    ]
    assert values == ([] if expected is None else [expected])
    assert all(report.address == topic.split("/")[0] for report in found.reports)


def test_the_whole_status():
    """``info`` holds what the topics hold, with the board's own clock."""
    body = {
        "unixtime": NOW_MS // 1000 - 5,
        "relays": [{"ison": False}],
        "meters": [{"power": 3.5, "is_valid": True, "total": 600}, {"power": 9, "is_valid": False}],
        "tmp": {"tC": 33.1, "tF": 91.6, "is_valid": True},
        "bat": {"value": 80, "voltage": 2.91},
        "ext_temperature": {"0": {"hwID": "x", "tC": -18.5, "tF": -1.3}, "1": {"tC": 999}},
    }
    (report,) = reports("shellies/shelly1pm-1/info", body)
    assert (report.address, report.time_ms) == ("shelly1pm-1", NOW_MS - 5000)
    assert values("shellies/shelly1pm-1/info", body) == {
        ("switch", "relay:0"): (0.0, "bool"),
        ("active_power", "relay:0"): (3.5, "W"),
        ("energy", "relay:0"): (600.0, "Wmin"),
        ("temperature", "device"): (33.1, "°C"),
        ("battery_level", ""): (80.0, "%"),
        ("battery_voltage", ""): (2.91, "V"),
        ("temperature", "probe"): (-18.5, "°C"),
    }
    sensor = {
        "tmp": {"value": 4, "tC": 4.0, "is_valid": True},
        "hum": {"value": 50, "is_valid": True},
        "flood": True,
    }
    assert values("shellies/shellyflood-1/info", sensor) == {
        ("temperature", ""): (4.0, "°C"),
        ("humidity", ""): (50.0, "%"),
        ("leak_detected", ""): (1.0, "bool"),
    }
    phases = {
        "emeters": [
            {
                "power": 1,
                "pf": 0.9,
                "current": 0.1,
                "voltage": 230,
                "is_valid": True,
                "total": 5,
                "total_returned": 0,
            }
        ]
        * 3
    }
    assert values("shellies/shellyem3-1/info", phases)["energy", "c"] == (5.0, "Wh")


def test_faults_are_flags():
    """Overheating and overload are the device's own words; a fine state is none."""
    assert reports("shellies/s/overtemperature", "1")[0].flags == {"overtemperature": "1"}
    assert reports("shellies/s/overtemperature", "0")[0].flags == {}


def test_the_register_names_channels():
    """A circuit's topic is a field of the register."""
    fields = {"relay/0/energy": {"quantity": "energy", "unit": "Wmin"}}
    hints = registered(s={"kind": "electricity_meter", "fields": fields})
    assert values("shellies/s/relay/0/energy", "60", hints) == {("energy", ""): (60.0, "Wmin")}


def test_later_generations_are_not_taken():
    """A newer Shelly with a prefix under ``shellies/`` keeps its own decoder."""
    assert decoded("shellies/hall/status/switch:0", {"id": 0, "apower": 5})[0] == "shelly_gen2"
    assert decoded("shellies/hall/events/rpc", {"method": "NotifyStatus", "params": {}})[0] == "shelly_gen2"
