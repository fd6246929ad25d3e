"""Sparkplug B, encoded by a library of others over the real protobuf runtime."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.clock import parse_iso
from campus.reading import Quality
from ingest.births_file import BirthsFile
from ingest.decoding.contract import Hints
from ingest.decoding.metric_name import metric_meaning
from ingest.decoding.registry import Registry
from ingest.decoding.sparkplug_births import Births, KnownMetric
from ingest.decoding.sparkplug_payload import MOST_METRICS, DataType, payload_of, typed
from ingest.errors import Rejected
from ingest.message import Message

peer = pytest.importorskip("esio_spb_builder", reason="the peer library of the dev group is not installed")
wire = pytest.importorskip("esio_spb_builder.core.sparkplug_b_pb2")
runtime = pytest.importorskip("google.protobuf.message")

NOW_MS = parse_iso("2026-11-21T04:00:00Z")
THEN_MS = parse_iso("2026-11-21T03:00:00Z")
NODE = "spBv1.0/campus/{}/edge"
DEVICE = "spBv1.0/campus/{}/edge/meter"
_SIGNED = {"Int8": 8, "Int16": 16, "Int32": 32, "Int64": 64}


def metric(
    payload, name=None, value=None, datatype=None, *, alias=None, time_ms=None, historical=False, **properties
):
    """One metric, set the way the runtime's generated code has it."""
    given = {"name": name, "alias": alias, "timestamp": time_ms}
    one = payload.metrics.add(**{key: said for key, said in given.items() if said is not None})
    if datatype is not None:
        one.datatype = wire.DataType.Value(datatype)
    one.is_historical = historical
    field, sent = held(value, datatype)
    setattr(one, field, sent)
    for key, said in properties.items():
        one.properties.keys.append(key)
        told = {"type": 12, "string_value": said} if isinstance(said, str) else {"type": 3, "int_value": said}
        one.properties.values.add(**told)


def held(value, datatype):
    """The field that holds *value*, and what is written to it."""
    if isinstance(value, bool) or value is None:
        return ("is_null", True) if value is None else ("boolean_value", value)
    if isinstance(value, int):
        long = datatype in {"Int64", "UInt64", "DateTime"}
        return ("long_value", value & (1 << 64) - 1) if long else ("int_value", value & (1 << 32) - 1)
    return ("double_value", value) if isinstance(value, float) else ("string_value", value)


def payload(sequence=None, time_ms=NOW_MS):
    found = wire.Payload(timestamp=time_ms)
    if sequence is not None:
        found.seq = sequence
    return found


def decode(topic, body, hints, received_ms=NOW_MS):
    raw = body if isinstance(body, bytes) else body.SerializeToString()
    return Registry().decode(Message(topic, raw, received_ms), hints)[1]


def read(topic, body, hints, received_ms=NOW_MS):
    (report,) = decode(topic, body, hints, received_ms).reports
    return report


def values(report):
    return {(value.quantity, value.channel): (value.value, value.unit) for value in report.values}


def born(hints, received_ms=NOW_MS):
    birth = payload(0)
    metric(birth, "bdSeq", 4, "Int64")
    decode(NODE.format("NBIRTH"), birth, hints, received_ms)
    birth = payload(1)
    metric(birth, "Inputs/Freezer 1/Temperature", -18.5, "Double", alias=1, engUnit="°C")
    metric(birth, "Phase A/Voltage", 2215, "UInt16", alias=2, engUnit="0.1V")
    metric(birth, "Counter", -3, "Int16", alias=3)
    metric(birth, "Properties/Make", "x", "String")
    return read(DEVICE.format("DBIRTH"), birth, hints, received_ms)


def test_births_are_read_and_remembered():
    """A birth's values are readings; data by alias alone then have its names, datatypes and units."""
    hints = Hints()
    report = born(hints)
    assert (report.address, report.time_ms) == ("campus/edge/meter", NOW_MS)
    assert values(report) == {
        ("temperature", "freezer_1"): (-18.5, "°C"),
        ("voltage", "a"): (2215, "0.1V"),
        ("pulse_count", ""): (-3, "count"),
    }
    data = payload(2)
    metric(data, value=-17.0, alias=1, time_ms=NOW_MS - 5000)
    metric(data, value=2230, alias=2)
    metric(data, value=-4, alias=3)
    report = read(DEVICE.format("DDATA"), data, hints)
    assert values(report) == {
        ("temperature", "freezer_1"): (-17, "°C"),
        ("voltage", "a"): (2230, "0.1V"),
        ("pulse_count", ""): (-4, "count"),
    }
    assert [value.time_ms for value in report.values] == [NOW_MS - 5000, None, None]
    assert report.flags == {}


def test_an_unknown_alias_waits_for_its_birth():
    """Data before their birth are rejected by name, and are read when they come again after it."""
    hints = Hints()
    data = payload(2)
    metric(data, value=-17.0, alias=1)
    with pytest.raises(Rejected) as caught:
        decode(DEVICE.format("DDATA"), data, hints)
    assert caught.value.code == "unknown_alias"
    born(hints)
    assert ("temperature", "freezer_1") in values(read(DEVICE.format("DDATA"), data, hints))
    untyped = payload(3)
    metric(untyped, "Pump/Count", 7)
    with pytest.raises(Rejected, match="no_birth"):
        decode(NODE.format("NDATA"), untyped, hints)


def test_deaths_end_aliases():
    """After a death aliases mean nothing; the will of an earlier connection ends nothing, nor does an old birth replayed."""
    hints = Hints()
    born(hints)
    data = payload(2)
    metric(data, value=1.0, alias=1)
    late = payload()
    metric(late, "bdSeq", 3, "Int64")
    assert decode(NODE.format("NDEATH"), late, hints).ignored == "the death of an earlier connection"
    old = payload(0)
    metric(old, "bdSeq", 2, "Int64")
    decode(NODE.format("NBIRTH"), old, hints, received_ms=NOW_MS - 1000)
    assert read(DEVICE.format("DDATA"), data, hints).values
    assert decode(DEVICE.format("DDEATH"), payload(), hints).ignored == "a device's death"
    with pytest.raises(Rejected, match="unknown_alias"):
        decode(DEVICE.format("DDATA"), data, hints)
    born(hints, NOW_MS + 1)
    own = payload()
    metric(own, "bdSeq", 4, "Int64")
    assert decode(NODE.format("NDEATH"), own, hints).ignored == "a node's death"
    with pytest.raises(Rejected, match="unknown_alias"):
        decode(DEVICE.format("DDATA"), data, hints)


def test_a_nodes_new_birth_ends_its_devices():
    """Aliases of devices are void when their node is born again: only their own new birth tells them."""
    hints = Hints()
    born(hints)
    decode(NODE.format("NBIRTH"), payload(0), hints, received_ms=NOW_MS + 5)
    data = payload(1)
    metric(data, value=1.0, alias=1)
    with pytest.raises(Rejected, match="unknown_alias"):
        decode(DEVICE.format("DDATA"), data, hints)


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


@given(st.sampled_from(sorted(_SIGNED)), st.data())
def test_signed_integers_in_unsigned_fields(datatype, data):
    """Two's complement of the datatype's width, or of the field's, is the same negative number."""
    bits = _SIGNED[datatype]
    wanted = data.draw(st.integers(-(1 << bits - 1), (1 << bits - 1) - 1))
    for width in {bits, 32 if bits < 64 else 64, 64}:
        found = wire.Payload()
        one = found.metrics.add(name="x", datatype=wire.DataType.Value(datatype))
        if width == 64:
            one.long_value = wanted & ((1 << 64) - 1)
        else:
            one.int_value = wanted & ((1 << width) - 1)
        (read_back,) = payload_of(found.SerializeToString()).metrics
        assert typed(read_back, read_back.datatype) == wanted


_METRICS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=20),
        "alias": st.integers(0, 2**64 - 1),
        "timestamp": st.integers(0, 2**64 - 1),
        "datatype": st.integers(0, 40),
        "is_historical": st.booleans(),
        "is_null": st.booleans(),
    },
)
_VALUES = st.one_of(
    st.tuples(st.just("int_value"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("long_value"), st.integers(0, 2**64 - 1)),
    st.tuples(st.just("float_value"), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just("double_value"), st.floats(allow_nan=False)),
    st.tuples(st.just("boolean_value"), st.booleans()),
    st.tuples(st.just("string_value"), st.text(max_size=20)),
)


@given(st.lists(st.tuples(_METRICS, _VALUES), max_size=5), st.integers(0, 2**64 - 1))
def test_we_read_what_the_runtime_wrote(metrics, sequence):
    """Every field of every metric comes back as the protobuf runtime was given it."""
    written = wire.Payload(seq=sequence)
    for fields, (kind, value) in metrics:
        written.metrics.add(**fields, **{kind: value})
    found = payload_of(written.SerializeToString() or b"\x18\x00")
    assert found.sequence == sequence
    assert len(found.metrics) == len(metrics)
    for one, (fields, (_, value)) in zip(found.metrics, metrics, strict=True):
        assert one.value == value
        assert (one.name, one.alias) == (fields.get("name", ""), fields.get("alias"))
        assert (one.time_ms, one.datatype) == (fields.get("timestamp"), fields.get("datatype", 0))
        assert (one.historical, one.null) == (
            fields.get("is_historical", False),
            fields.get("is_null", False),
        )


@given(st.binary(min_size=1, max_size=8), st.data())
def test_we_and_the_runtime_agree_on_broken_bytes(noise, data):
    """What the runtime reads of broken bytes we read alike; we refuse more only where a text is not UTF-8."""
    written = wire.Payload(seq=1)
    metric(written, "Temperature", 20.5, "Double", alias=7)
    raw = bytearray(written.SerializeToString())
    at = data.draw(st.integers(0, len(raw)))
    raw[at : at + data.draw(st.integers(0, 3))] = noise
    try:
        theirs = [(one.name, one.alias, one.datatype) for one in wire.Payload.FromString(bytes(raw)).metrics]
    except runtime.DecodeError:
        theirs = None
    try:
        ours = [(one.name, one.alias or 0, one.datatype) for one in payload_of(bytes(raw)).metrics]
    except Rejected as rejected:
        assert theirs is None or rejected.code == "not_utf8"
        return
    assert theirs is None or theirs == ours


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty"),
        (b"\x08" + b"\xff" * 11, "malformed_protobuf"),
        (b"\x12\x7f\x00", "malformed_protobuf"),
        (b"\x08", "malformed_protobuf"),
        (b"\x07\x00", "malformed_protobuf"),
        (b"\x12\x04\x0a\x02\xff\xfe", "not_utf8"),
        (b"\x12\x00" * (MOST_METRICS + 1), "too_many_values"),
        (b"\x00" * (1024 * 1024 + 1), "too_large"),
        (b"\x1b" * 64, "malformed_protobuf"),
    ],
)
def test_bad_payloads_are_named(raw, code):
    """Each way a payload can be bad has a name of its own."""
    with pytest.raises(Rejected) as caught:
        payload_of(raw)
    assert caught.value.code == code


def test_templates_are_not_read_without_end():
    """Templates within templates are refused beyond a depth."""
    data = wire.Payload()
    one = data.metrics.add(name="a", datatype=19)
    for _ in range(8):
        one = one.template_value.metrics.add(name="a", datatype=19)
    with pytest.raises(Rejected, match="too_deep"):
        payload_of(data.SerializeToString())


@pytest.mark.parametrize("topic", ["spBv1.0/campus/XDATA/edge", "spBv1.0/campus/DDATA/edge", "spBv1.0/campus/NDATA/edge/meter", "spBv1.0//NDATA/edge"])  # fmt: skip
def test_other_topics_are_unknown_messages(topic):
    """A topic that is of no message of Sparkplug's is rejected by that name."""
    with pytest.raises(Rejected, match="unknown_message"):
        decode(topic, payload(1), Hints())


def test_memory_of_births_is_bounded():
    """Past its limits the births used longest ago go first."""
    births = Births(most_metrics=10, most_births=100)
    for number in range(50):
        births.learn(
            f"g/e/{number}", [(at, KnownMetric(f"m{at}", DataType.DOUBLE)) for at in range(4)], number
        )
    assert len(births) == 8
    assert births.metric("g/e/49", 3, "") == KnownMetric("m3", DataType.DOUBLE)
    assert births.metric("g/e/1", 3, "") is None
    births.learn("g/e/x", [(at, KnownMetric("m", DataType.DOUBLE)) for at in range(11)], 51)
    assert len(births) == 0  # more aliases than may be remembered at all
    few = Births(most_births=2)
    for number in range(9):
        few.node_born(f"g/{number}", 1, number)
        few.learn(f"g/{number}", [(1, KnownMetric("m", 10))], number)
    assert len(few) == 2


def test_births_outlive_a_restart(tmp_path):
    """What births said is read again from its file; one that is broken or missing only means to wait for births."""
    path = tmp_path / "births.msgpack"
    file = BirthsFile(path)
    born(Hints(births=file.births))
    file.save(NOW_MS)
    data = payload(9)
    metric(data, value=-17.0, alias=1)
    again = BirthsFile(path)
    report = read(DEVICE.format("DDATA"), data, Hints(births=again.births))
    assert values(report) == {("temperature", "freezer_1"): (-17, "°C")}
    assert report.flags == {}
    assert len(again.births) == len(file.births)
    decode(DEVICE.format("DDEATH"), payload(), Hints(births=file.births))
    file.save(NOW_MS + 1)
    assert (
        len(BirthsFile(path).births) == len(again.births) > len(file.births)
    )  # saved again only after a while
    file.save(NOW_MS + 1, at_once=True)
    assert len(BirthsFile(path).births) == len(file.births)
    for broken in (b"", b"\xff\x00", path.read_bytes()[:-3]):
        path.write_bytes(broken)
        assert len(BirthsFile(path).births) == 0
    path.unlink()
    path.mkdir()
    assert len(BirthsFile(path).births) == 0
    file.births.device_died("campus/edge")
    file.save(NOW_MS, at_once=True)  # cannot be written, and is no reason to stop
    assert path.is_dir()


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
