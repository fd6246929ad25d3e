"""Sparkplug B through a real broker to the journal: births first, data held back without them, and replayed after."""

from __future__ import annotations

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests_support import PATIENCE_S, wait_until

from campus.campus import Campus
from campus.device import Device, Place
from ingest.message_reader import MessageReader
from ingest.mqtt.connection import BrokerAddress, Connection
from ingest.pipeline import Pipeline

peer = pytest.importorskip("esio_spb_builder", reason="the peer library of the dev group is not installed")
DOUBLE = peer.MetricDataType.Double


@pytest.fixture
def known(site, devices):
    """The campus of the moment, last of a list; the freezer behind the edge node is registered."""
    freezer = Device(
        id="sp1",
        name="PLC 冰柜",
        kind="cold_storage",
        place=Place(site="school"),
        address="canteen/edge/freezer",
        decoder="sparkplug_b",
    )
    return [Campus(site=site, devices=[*devices, freezer])]


@pytest.fixture
def publish(broker, journal, clock, known):
    """Publishes to a real broker that feeds the pipeline; the pipeline and its campus are at hand."""
    pipeline = Pipeline(journal, MessageReader(lambda: known[-1]), now_ms=clock)
    pipeline.start()
    connection = Connection(
        BrokerAddress("127.0.0.1", broker.port, "shouyuan-test"), ("spBv1.0/#",), pipeline.put, now_ms=clock
    )
    connection.start()
    wait_until(lambda: connection.listening)
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    def send(kind, payload, device="/freezer"):
        topic = f"spBv1.0/canteen/{kind}/edge{device}"
        client.publish(topic, payload.SerializeToString(), qos=1).wait_for_publish(PATIENCE_S)

    send.pipeline = pipeline
    yield send
    client.disconnect()
    client.loop_stop()
    connection.stop()
    pipeline.stop()


def stored(journal):
    return [(reading.series.device, reading.value) for batch in journal.read(0) for reading in batch.readings]


def test_held_until_born_and_kept_through_a_reload(publish, journal, known):
    """Data of an unknown alias wait; after the birth they are read, and a reload of the register forgets no birth."""
    protocol = peer.SparkplugBProtocol()
    early = protocol.get_device_data_payload()
    protocol.add_metric(early, None, 7, DOUBLE, -18.5)
    publish("DDATA", early)
    wait_until(lambda: journal.counts().quarantined == 1)
    assert journal.quarantined()[0].code == "unknown_alias"
    publish("NBIRTH", protocol.get_node_birth_payload(), device="")
    birth = protocol.get_device_birth_payload()
    protocol.add_metric(birth, "Temperature", 7, DOUBLE, -18.0)
    publish("DBIRTH", birth)
    wait_until(lambda: len(stored(journal)) == 1)
    publish.pipeline.replay(journal.quarantined(code="unknown_alias"))
    wait_until(lambda: len(stored(journal)) == 2)
    known.append(Campus(site=known[-1].site, devices=list(known[-1].devices.values())))
    late = protocol.get_device_data_payload()
    protocol.add_metric(late, None, 7, DOUBLE, -17.0)
    publish("DDATA", late)
    wait_until(lambda: len(stored(journal)) == 3)
    assert stored(journal) == [("sp1", -18.0), ("sp1", -18.5), ("sp1", -17.0)]
    assert journal.counts().quarantined == 0
