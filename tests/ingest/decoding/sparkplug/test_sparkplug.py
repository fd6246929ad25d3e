"""Sparkplug B, encoded by a library of others over the real protobuf runtime."""

from __future__ import annotations

import pytest
from sparkplug_support import DEVICE, NODE, born, decode, metric, payload, read, values, wire

from campus.clock import parse_iso
from campus.reading import Quality
from ingest.decoding.contract import Hints
from ingest.decoding.reading.metric_name import metric_meaning
from ingest.errors import Rejected

peer = pytest.importorskip("esio_spb_builder", reason="the peer library of the dev group is not installed")

THEN_MS = parse_iso("2026-11-21T03:00:00Z")


def test_lost_messages_are_flagged():
    """A gap in the sequence is said; 0 after 255 is none."""
    hints = Hints()
    born(hints)
    data = wire.Payload(seq=2)
    metric(data, "Temperature", 20.5, "Double")
    assert read(DEVICE.format("DDATA"), data, hints).flags == {}
    data.seq = 255
    assert read(DEVICE.format("DDATA"), data, hints).flags == {"sequence": "255 after 2"}
    data.seq = 0
    assert read(DEVICE.format("DDATA"), data, hints).flags == {}


def test_null_historical_and_bad_quality():
    """Null is no reading, history keeps its time and is late, bad and stale values are dropped, uncertain ones suspect."""
    data = payload(1)
    metric(data, "Temperature", None, "Double")
    metric(data, "Room/Humidity", 51.5, "Double", time_ms=THEN_MS, historical=True)
    metric(data, "Voltage/A", 230.0, "Double", Quality=0)
    metric(data, "Voltage/B", 230.0, "Double", Quality=500)
    metric(data, "Voltage/C", 230.0, "Double", Quality=64)
    metric(data, "Frequency", 50.0, "Double", Quality=192)
    report = read(NODE.format("NDATA"), data, Hints())
    assert report.address == "campus/edge"
    assert [(one.quantity, one.channel, one.time_ms, one.quality) for one in report.values] == [
        ("humidity", "", THEN_MS, Quality.LATE),
        ("voltage", "c", None, Quality.SUSPECT),
        ("frequency", "", None, Quality.GOOD),
    ]
    assert set(report.dropped) == {"Voltage/A", "Voltage/B"}


def test_templates_are_flattened():
    """An instance of a template gives its metrics under its own name; a definition gives none."""
    data = payload(1)
    outer = data.metrics.add(name="Freezer 2", datatype=19)
    outer.template_value.metrics.add(name="Temperature", datatype=10, double_value=-20)
    inner = outer.template_value.metrics.add(name="Door", datatype=19)
    inner.template_value.metrics.add(name="Open", datatype=11, boolean_value=True)
    kind = data.metrics.add(name="Types/Freezer", datatype=19)
    kind.template_value.metrics.add(name="Temperature", datatype=10, double_value=0)
    kind.template_value.is_definition = True
    assert values(read(NODE.format("NDATA"), data, Hints())) == {
        ("temperature", "freezer_2"): (-20, "°C"),
        ("door_open", "freezer_2"): (1, "bool"),
    }


def test_templates_by_alias():
    """An instance told by alias alone has its birth's name; what is in it is known by its own."""
    hints = Hints()
    birth = payload(0)
    outer = birth.metrics.add(name="Freezer 2", alias=5, datatype=19)
    outer.template_value.metrics.add(name="Count", datatype=2, int_value=3)
    read(DEVICE.format("DBIRTH"), birth, hints)
    data = payload(1)
    outer = data.metrics.add(alias=5)
    outer.template_value.metrics.add(name="Count", int_value=0xFFFE)
    data.metrics.add(name="Serial", datatype=15, string_value="12345")
    assert values(read(DEVICE.format("DDATA"), data, hints)) == {("pulse_count", "freezer_2"): (-2, "count")}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Temperature", ("temperature", "")),
        ("Electrical/Phase B/Current", ("current", "b")),
        ("Kitchen/Power", ("active_power", "kitchen")),
        ("Line1/Voltage", ("voltage", "line1")),
        ("Inputs/Temperature", ("temperature", "")),
        ("Setpoints/Temperature", None),
        ("Alarms/High/Temperature", None),
        ("Recipe/Step", None),
    ],
)
def test_paths_in_names(name, found):
    """Folders become channels unless they only group; settings and alarms are no measurements at any depth."""
    meant = metric_meaning(name)
    assert (meant and (str(meant.quantity), meant.channel)) == found


@pytest.mark.parametrize("topic", ["spBv1.0/campus/XDATA/edge", "spBv1.0/campus/DDATA/edge", "spBv1.0/campus/NDATA/edge/meter", "spBv1.0//NDATA/edge"])  # fmt: skip
def test_other_topics_are_unknown_messages(topic):
    """A topic that is of no message of Sparkplug's is rejected by that name."""
    with pytest.raises(Rejected, match="unknown_message"):
        decode(topic, payload(1), Hints())


def test_the_peers_own_builders():
    """Birth and data as the peer library itself builds them, with its sequence numbers and control metrics."""
    protocol = peer.SparkplugBProtocol()
    kinds = peer.MetricDataType
    birth = protocol.get_node_birth_payload()
    protocol.add_metric(birth, "Node Control/Rebirth", 0, kinds.Boolean, value=False)
    one = protocol.add_metric(birth, "Pipes/Supply/Temperature", 10, kinds.Float, 42.5)
    protocol.add_metric_property(one, "engUnit", peer.ParameterDataType.String, "°C")
    hints = Hints()
    now_ms = birth.timestamp + 1
    report = read(NODE.format("NBIRTH"), birth, hints, now_ms)
    assert values(report) == {("temperature", "pipes_supply"): (42.5, "°C")}
    data = protocol.get_node_data_payload()
    protocol.add_metric(data, None, 10, kinds.Float, 41.25)
    report = read(NODE.format("NDATA"), data, hints, now_ms + 1000)
    assert values(report) == {("temperature", "pipes_supply"): (41.25, "°C")}
    assert report.flags == {}
