"""Homie, ESPHome and Home Assistant's discovery: values that other topics describe. Messages of our own."""

from __future__ import annotations

import pytest
from decoding_support import decoded, message, registered, reports, values
from hypothesis import given
from hypothesis import strategies as st

from campus.campus import Campus
from campus.device import Device, Place
from ingest.decoding.contract import Hints
from ingest.decoding.formats.described.ha_template import picked
from ingest.decoding.reading.descriptions import MOST_OF_ONE, Described, Descriptions
from ingest.decoding.registry import Registry
from ingest.errors import Rejected
from ingest.message_reader import MessageReader


def test_descriptions_are_bounded():
    """Those who spoke longest ago make room, one message cannot fill the memory, and what is forgotten leaves nothing."""
    told = Descriptions(most=3)
    for number in range(5):
        told.tell(f"origin{number}", [(f"topic{number}", Described("x"))])
    assert len(told) == 3
    assert [bool(told.on(f"topic{number}")) for number in range(5)] == [False, False, True, True, True]
    told.tell("origin4", [("a", Described("p")), ("a", Described("q"))])
    assert [one.field for one in told.on("a")] == ["p", "q"]
    assert told.on("topic4") == ()
    for number in range(5):
        told.forget(f"origin{number}")
    assert len(told) == 0
    assert told.on("a") == ()
    many = Descriptions()
    many.tell("flood", ((f"t{number}", Described("x")) for number in range(10_000)))
    assert len(many) == MOST_OF_ONE
    for number in range(3):
        many.tell(f"origin{number}", [("one topic", Described("x"))] * MOST_OF_ONE)
    assert len(many.on("one topic")) == MOST_OF_ONE


def test_long_topics_of_descriptions_are_not_kept():
    """A base topic of half a megabyte, which 500 components would each hold once more, takes no memory and no time."""
    told = Descriptions()
    body = {
        "~": "x" * 500_000,
        "dev": {"ids": "d"},
        "cmps": {f"c{n}": {"p": "sensor", "stat_t": "~/t", "unit_of_meas": "W"} for n in range(500)},
    }
    registry = Registry(descriptions=told)
    registry.decode(message("homeassistant/device/d/config", body), Hints())
    assert not told.on("x" * 500_000 + "/t")
    nodes = {"n" * 500_000: {"properties": {f"p{n}": {"unit": "W"} for n in range(500)}}}
    registry.decode(message("homie/5/d/$description", {"nodes": nodes}), Hints())
    assert sum(len(topic) for _, topic in told._on) < 100_000


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.lists(st.sampled_from("uvw"), max_size=4)), max_size=40)
)
def test_the_count_of_descriptions_is_right(steps):
    """Whatever is told, replaced and pushed out, the count is that of what can be found, and within the bound."""
    told = Descriptions(most=6)
    for origin, topics in steps:
        told.tell(origin, [(topic, Described("x")) for topic in topics])
        assert len(told) == sum(len(told.on(topic)) for topic in "uvw") <= 6


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("", ()),
        ("{{ value }}", ()),
        ("{{ value | float }}", ()),
        ("{{ float(value) }}", ()),
        ("{{ value_json.temperature }}", ("temperature",)),
        ("{{value_json.a.b}}", ("a", "b")),
        ("{{ value_json['ENERGY']['Power'] }}", ("ENERGY", "Power")),
        ('{{ value_json["a b"] | round(1) }}', ("a b",)),
        ("{{ value_json.list[0].t | float(0) | round(2) }}", ("list", 0, "t")),
        ("{{ value_json.get('x') }}", ("x",)),
        ("{{ value_json.x | default('') }}", ("x",)),
        ("{{- value_json.x -}}", ("x",)),
        ("{{ value_json.x * 1000 }}", None),
        ("{{ value_json.x / 10 | round }}", None),
        ("{{ 'ON' if value_json.x else 'OFF' }}", None),
        ("{% if x %}{{ value_json.x }}{% endif %}", None),
        ("{{ states('sensor.x') }}", None),
        ("{{ value.x }}", None),
        ("{{ value_json.x | multiply(3) }}", None),
        ("{{ " + "value_json" + ".a" * 200 + " }}", None),
    ],
)
def test_templates_that_only_pick(template, path):
    """A template that picks a value gives its path; one that calculates or decides gives none."""
    assert picked(template) == path


@given(st.text(max_size=80))
def test_no_template_breaks_the_reader(text):
    """Any text gives a path or none."""
    for template in (text, "{{ value_json" + text + " }}"):
        found = picked(template)
        assert found is None or all(isinstance(step, str | int) for step in found)


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("sensor/freezer_temperature/state", "-18.5", ("temperature", "freezer_temperature", -18.5, "°C")),
        (
            "sensor/inverter0_power_demand/state",
            "190",
            ("active_power", "inverter0_power_demand", 190.0, "W"),
        ),
        ("sensor/plug_energy_yesterday/state", "0.105", ("energy", "plug_energy_yesterday", 0.105, "kWh")),
        ("sensor/water_total/state", "12.5", ("water_volume", "water_total", 12.5, "m3")),
        ("sensor/wifi_signal/state", "-61", ("signal_strength", "wifi_signal", -61.0, "dBm")),
        ("sensor/target_temperature/state", "20", None),
        ("sensor/reactive_power/state", "20", None),
        ("sensor/uptime/state", "3600", None),
        ("sensor/freezer_temperature/state", "nan", None),
        ("sensor/operation_mode/state", "Normal", None),
        ("binary_sensor/pipe_leak/state", "ON", ("leak_detected", "pipe_leak", 1.0, "bool")),
        ("binary_sensor/cold_door/state", "OFF", ("door_open", "cold_door", 0.0, "bool")),
        ("binary_sensor/motion/state", "ON", None),
        ("switch/pump/state", "ON", ("switch", "pump", 1.0, "bool")),
        ("light/lamp/state", '{"state": "ON", "color_mode": "onoff"}', ("switch", "lamp", 1.0, "bool")),
        ("text_sensor/ip/state", "10.0.0.3", None),
    ],
)
def test_esphome(topic, payload, expected):
    """Values by the words of their object id, which is the channel; texts, settings and failed sensors are none."""
    name, found = decoded(f"node/{topic}", payload)
    got = [
        (one.quantity, one.channel, one.value, one.unit) for report in found.reports for one in report.values
    ]
    assert (name, got) == ("esphome", [] if expected is None else [expected])
    assert all(report.address == "node" for report in found.reports)


def test_esphome_beside_its_values():
    """Log, will and other formats' topics of the same shape are not values; a long prefix is part of the node."""
    assert decoded("node/debug", "\x1b[0;36m[D][sensor:094]")[1].ignored
    assert decoded("node/status", "online")[1].ignored
    assert reports("school/hall/node/sensor/t_temperature/state", "4")[0].address == "school/hall/node"
    assert decoded("zigbee2mqtt/sensor/x/state", "{}")[0] == "zigbee2mqtt"
    assert decoded("homie/sensor/x/state", "4")[0] == "homie"


def test_one_board_many_devices():
    """A value registered under its own path is that device's, on the plain channel."""
    hints = registered(
        **{
            "node/probe_1": {
                "kind": "cold_storage",
                "fields": {"probe_1": {"quantity": "temperature", "unit": "°F"}},
            }
        }
    )
    (report,) = reports("node/sensor/probe_1/state", "5", hints)
    assert (report.address, report.values[0].channel, report.values[0].unit) == ("node/probe_1", "", "°F")


def test_discovery_gives_esphome_its_units():
    """Abbreviated discovery says unit and class; the register's word wins over it; an empty message takes it back."""
    registry = Registry()
    config = {"~": "node", "name": "Main", "stat_t": "~/sensor/main/state", "dev_cla": "water", "unit_of_meas": "L", "stat_cla": "total_increasing",
              "avty_t": "~/status", "uniq_id": "x", "dev": {"ids": "aabbcc", "name": "node", "mdl": "esp32", "sw": "2026.1"}}  # fmt: skip
    topic, told = "node/sensor/main/state", "homeassistant/sensor/node/main/config"
    assert values(topic, "1500", registry=registry) == {}
    name, found = decoded(told, config, registry=registry)
    assert (name, found.reports, bool(found.ignored)) == ("ha_discovery", (), True)
    assert values(topic, "1500", registry=registry) == {("water_volume", "main"): (1500.0, "L")}
    hints = registered(
        node={"kind": "water_meter", "fields": {"main": {"quantity": "water_volume", "unit": "gal"}}}
    )
    assert values(topic, "1500", hints, registry=registry) == {("water_volume", ""): (1500.0, "gal")}
    assert decoded(told, b"", registry=registry)[1].ignored
    assert values(topic, "1500", registry=registry) == {}


@pytest.mark.parametrize(
    ("config", "payload", "expected"),
    [
        ({"device_class": "temperature", "unit_of_measurement": "°F"}, "41", ("temperature", "x1", 41.0, "°F")),
        ({"device_class": "temperature"}, "4", ("temperature", "x1", 4.0, "°C")),
        ({"device_class": "energy", "unit_of_measurement": "Wh"}, "4", ("energy", "x1", 4.0, "Wh")),
        ({"device_class": "volume_flow_rate", "unit_of_measurement": "L/min"}, "4", ("water_flow", "x1", 4.0, "L/min")),
        ({"device_class": "voltage", "unit_of_measurement": "V", "name": "Battery voltage"}, "3.1", ("battery_voltage", "x1", 3.1, "V")),
        ({"unit_of_measurement": "kWh"}, "4", ("energy", "x1", 4.0, "kWh")),
        ({"unit_of_measurement": "m³/h"}, "4", ("water_flow", "x1", 4.0, "m3/h")),
        ({"name": "Freezer temperature"}, "4", ("temperature", "x1", 4.0, "°C")),
        ({"name": "Target temperature", "device_class": "temperature"}, "4", None),
        ({"device_class": "illuminance", "unit_of_measurement": "lx"}, "4", None),
        ({"device_class": "energy", "unit_of_measurement": "EUR"}, "4", None),
        ({"unit_of_measurement": "lqi"}, "4", None),
        ({"unit_of_measurement": "kWh", "value_template": "{{ value | float * 10 }}"}, "4", None),
        ({"unit_of_measurement": "kWh"}, "unavailable", None),
    ],
)  # fmt: skip
def test_device_classes(config, payload, expected):
    """Class, name and unit say what is measured, in this order; what does not fit together is not read."""
    registry = Registry()
    decoded(
        "homeassistant/sensor/x1/config",
        {"state_topic": "diy/x", "unique_id": "u", **config},
        registry=registry,
    )
    if not registry_knows(registry, "diy/x"):
        found = []
    else:
        found = [
            (one.quantity, one.channel, one.value, one.unit)
            for report in reports("diy/x", payload, registry=registry)
            for one in report.values
        ]
    assert found == ([] if expected is None else [expected])


def registry_knows(registry, topic):
    try:
        registry.choose(message(topic, "{}"))
    except Rejected:
        return False
    return True


def test_device_discovery():
    """One message describes all values of a device; what it leaves out the next time is forgotten."""
    registry = Registry()
    told, topic = "homeassistant/device/d1/config", "diy/d1"
    temperature = {
        "p": "sensor",
        "dev_cla": "temperature",
        "unit_of_meas": "°C",
        "val_tpl": "{{ value_json.t | round(1) }}",
    }
    leak = {
        "p": "binary_sensor",
        "dev_cla": "moisture",
        "val_tpl": "{{ value_json['w'] }}",
        "pl_on": "WET",
        "pl_off": "DRY",
    }
    config = {
        "dev": {"ids": ["d1"]},
        "o": {"name": "x"},
        "state_topic": topic,
        "cmps": {"temp": temperature, "leak": leak, "s": {"p": "switch"}},
    }
    decoded(told, config, registry=registry)
    body = {"t": 3.25, "w": "WET", "last_seen": "2026-11-21T03:59:00Z"}
    (report,) = reports(topic, body, registry=registry)
    assert (report.address, report.time_ms) == ("d1", message("x", b"").received_ms - 60_000)
    assert values(topic, body, registry=registry) == {
        ("temperature", ""): (3.25, "°C"),
        ("leak_detected", ""): (1.0, "bool"),
    }
    decoded(told, config | {"cmps": {"temp": temperature}}, registry=registry)
    assert values(topic, body, registry=registry) == {("temperature", ""): (3.25, "°C")}
    hints = registered(**{"diy/d1": {"kind": "climate"}})
    assert reports(topic, body, hints, registry=registry)[0].address == "diy/d1"


def test_discovery_does_not_take_other_formats_topics():
    """A described topic of a format we know is read by that format's decoder."""
    registry = Registry()
    config = {
        "state_topic": "zigbee2mqtt/冰柜 1",
        "value_template": "{{ value_json.linkquality }}",
        "unit_of_measurement": "lqi",
    }
    decoded("homeassistant/sensor/0x1/linkquality/config", config, registry=registry)
    assert (
        decoded("zigbee2mqtt/冰柜 1", {"temperature": -18, "linkquality": 90}, registry=registry)[0]
        == "zigbee2mqtt"
    )


def test_a_reload_keeps_descriptions():
    """A second registry with the same memory knows what the first was told: the broker does not repeat it."""
    told = Descriptions()
    decoded("homie/d/n/p/$unit", "°F", registry=Registry(descriptions=told))
    assert values("homie/d/n/p", "5", registry=Registry(descriptions=told)) == {
        ("temperature", "n"): (5.0, "°F")
    }


def test_homie_4():
    """Attributes of a property are topics of their own, in any order; without them names decide."""
    registry = Registry()
    assert values("homie/board/fridge/temperature", "4.5", registry=registry) == {
        ("temperature", "fridge"): (4.5, "°C")
    }
    for attribute, said in {
        "$datatype": "float",
        "$unit": "°F",
        "$name": "Air",
        "$settable": "false",
    }.items():
        assert decoded(f"homie/board/fridge/temperature/{attribute}", said, registry=registry)[1].ignored
    assert values("homie/board/fridge/temperature", "40.5", registry=registry) == {
        ("temperature", "fridge"): (40.5, "°F")
    }
    decoded("homie/board/fridge/setting/$unit", "°C", registry=registry)
    decoded("homie/board/fridge/setting/$name", "Target temperature", registry=registry)
    assert values("homie/board/fridge/setting", "5", registry=registry) == {}
    for topic in ("$state", "$homie", "$nodes", "$stats/uptime", "fridge/$name", "fridge/temperature/set"):
        assert decoded(f"homie/board/{topic}", "x", registry=registry)[1].ignored


HOMIE_5 = {
    "homie": "5.0",
    "version": 7,
    "name": "Board",
    "nodes": {
        "meter": {
            "name": "Meter",
            "properties": {
                "total": {"name": "Water volume", "datatype": "float", "unit": "m³"},
                "flow-rate": {"name": "Flow", "datatype": "float", "unit": "L/min"},
                "power": {"datatype": "float", "unit": "kW"},
                "leak": {"datatype": "boolean"},
                "mode": {"datatype": "enum", "format": "1,2"},
                "target": {
                    "name": "Temperature setpoint",
                    "datatype": "float",
                    "unit": "°C",
                    "settable": True,
                },
            },
        }
    },
}


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        ("total", "12.5", ("water_volume", "meter", 12.5, "m3")),
        ("flow-rate", "3", ("water_flow", "meter.flow-rate", 3.0, "L/min")),
        ("power", "1.2", ("active_power", "meter", 1.2, "kW")),
        ("leak", "true", ("leak_detected", "meter", 1.0, "bool")),
        ("mode", "2", None),
        ("target", "5", None),
        ("total", "", None),
        ("total", "\0", None),
    ],
)
@pytest.mark.parametrize("domain", ["homie", "school"])
def test_homie_5(domain, name, payload, expected):
    """The device's own description gives units and types, under whatever first level."""
    registry = Registry()
    assert decoded(f"{domain}/5/board/$description", HOMIE_5, registry=registry)[1].ignored
    found = reports(f"{domain}/5/board/meter/{name}", payload.encode(), registry=registry)
    assert [
        (one.quantity, one.channel, one.value, one.unit) for report in found for one in report.values
    ] == ([] if expected is None else [expected])
    assert all(report.address == "board" for report in found)


def test_homie_5_beside_its_values():
    """Alerts are flags until they are over; states, logs, commands, targets and broadcasts hold nothing."""
    assert reports("homie/5/board/$alert/battery", "low, 8%")[0].flags == {"battery": "low, 8%"}
    assert decoded("homie/5/board/$alert/battery", b"")[1].ignored
    for topic in (
        "board/$state",
        "board/$log/warn",
        "board/meter/total/set",
        "board/meter/total/$target",
        "$broadcast/alert",
    ):
        assert decoded(f"homie/5/{topic}", "ready")[1].ignored


def test_homie_nodes_may_be_devices_of_their_own():
    """A node, or a property, registered as a device is read as that one."""
    hints = registered(
        **{"board/fridge": {"kind": "cold_storage"}, "board/hall/temperature": {"kind": "climate"}}
    )
    assert [
        reports(f"homie/board/{topic}/temperature", "4", hints)[0].address
        for topic in ("fridge", "hall", "attic")
    ] == [
        "board/fridge",
        "board/hall/temperature",
        "board",
    ]


def test_a_forgotten_description_is_named():
    """Somebody fixed discovery for a topic that nothing describes: the rejection says so."""
    with pytest.raises(Rejected, match="not_described"):
        Registry().decode(message("some/where", "1"), Hints(), name="ha_discovery")


def test_a_reload_of_the_register_keeps_descriptions(campus):
    """The judge hands its memory to the registry of each new campus: the broker says descriptions on subscribing only."""
    known = [campus]
    judge = MessageReader(lambda: known[-1])
    judge(message("homie/d/n/p/$unit", "°F"))
    device = Device(id="d", name="d", kind="climate", place=Place(site="s"), address="d")
    known.append(Campus(site=campus.site, devices=[device]))
    (reading,) = judge(message("homie/d/n/p", "41")).readings
    assert (reading.series.quantity, reading.value) == ("temperature", pytest.approx(5.0))
