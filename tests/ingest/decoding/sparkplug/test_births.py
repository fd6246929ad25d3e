"""What births of Sparkplug B say is remembered, until a death ends it, within bounds, and over a restart."""

from __future__ import annotations

import pytest
from sparkplug_support import DEVICE, NODE, NOW_MS, born, decode, metric, payload, read, values

from ingest.births_file import BirthsFile
from ingest.decoding.contract import Hints
from ingest.decoding.formats.sparkplug.births import Births, KnownMetric
from ingest.decoding.formats.sparkplug.payload import DataType
from ingest.errors import Rejected


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
