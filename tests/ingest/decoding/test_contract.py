"""One suite for every decoder: whatever arrives, the answer is a decoding or a rejection."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campus.site import GenericMapping
from ingest.decoding.contract import Hints
from ingest.decoding.formats.described.generic import GenericJson
from ingest.decoding.registry import Registry, decoder_names, decoders
from ingest.errors import Rejected, UnknownDecoder
from ingest.message import Decoded, Message

NOW_MS = 1_795_233_600_000
TOPICS = {
    "chirpstack_v4": "application/1/device/24e1/event/up",
    "chirpstack_v3": "application/1/device/24e1/rx",
    "tts_v3": "v3/app@school/devices/eui-1/up",
    "thingpark": "mqtt/things/70B3/uplink",
    "loriot": "loriot/school",
    "milesight_gateway": "/milesight/uplink/24e1",
    "zigbee2mqtt": "zigbee2mqtt/冰柜 1/左",
    "tasmota": "tele/plug/SENSOR",
    "shelly_gen2": "shellypro3em-a0/status/em:0",
    "wmbusmeters": "wmbusmeters/33225544",
    "aliyun_alink": "/sys/pk/dn/thing/event/property/post",
    "huawei_iotda": "$oc/devices/d1/sys/properties/report",
    "onenet_onejson": "$sys/pid/dn/thing/property/post",
    "tencent_iot": "$thing/up/property/pid/dn",
    "tuya_tylink": "tylink/d1/thing/property/report",
    "thingsboard_json": "v1/devices/meter1/telemetry",
    "acrel": "/gw/acrelHW/ADW300/data/24102809510006",
    "neuron": "/neuron/north/plc/meters",
    "jetlinks": "/product/device/properties/report",
    "edgelogger": "device/power/up/EM-1",
    "chndas_array": "forwarded",
    "sparkplug_b": "spBv1.0/campus/DDATA/edge/meter",
    "shelly_gen1": "shellies/shellyht-1/info",
    "rtl_433": "rtl_433/host/events",
    "rtlamr": "rtlamr/1",
    "rtlamr2mqtt": "rtlamr/1/state",
    "theengs_omg": "home/gateway/BTtoMQTT/C6C752663CBF",
    "homie": "homie/5/dev/$description",
    "esphome": "node/sensor/temperature/state",
    "ha_discovery": "homeassistant/sensor/x/config",
    "aiontheedge": "watermeter/main/json",
    "generic": "factory/x/data",
    "raw_modbus": "dtu/x/up",
}
MAPPING = GenericMapping.model_validate(
    {
        "address": "topic:1",
        "records": "list[*]",
        "time": {"path": "ts", "format": "epoch"},
        "fields": {"v[0].t": {"quantity": "temperature", "unit": "°C"}},
    }
)
#: words that decoders look for, so that random documents reach deep
WORDS = st.sampled_from(
    [
        "deviceInfo",
        "devEui",
        "object",
        "data",
        "fPort",
        "time",
        "uplink_message",
        "decoded_payload",
        "frm_payload",
        "end_device_ids",
        "dev_eui",
        "received_at",
        "temperature",
        "voltage",
        "current",
        "power",
        "energy",
        "contact",
        "battery",
        "last_seen",
        "ENERGY",
        "Total",
        "Power",
        "DS18B20",
        "Temperature",
        "COUNTER",
        "C1",
        "Time",
        "Epoch",
        "StatusSNS",
        "params",
        "value",
        "properties",
        "subDevices",
        "identity",
        "id",
        "meter",
        "total_m3",
        "timestamp",
        "em:0",
        "switch:0",
        "aenergy",
        "total",
        "apower",
        "ts",
        "sys",
        "unixtime",
        "src",
        "method",
        "list",
        "v",
        "t",
        "point",
        "tp",
        "val",
        "meterSN",
        "reported",
        "node",
        "group",
        "values",
        "errors",
        "tags",
        "name",
        "error",
        "batch",
        "metrics",
        "system",
        "deviceId",
        "device_id",
        "key",
        "type",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    WORDS,
    st.sampled_from(["30.1 °C", "AXVcA2c0AQ==", "2026-11-21T00:00:00Z", 1e300]),
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=6)),
    max_leaves=25,
)
PAYLOADS = st.one_of(st.binary(max_size=200), DOCUMENTS.map(lambda one: json.dumps(one).encode()))


@pytest.fixture(params=sorted(TOPICS))
def decoder(request):
    return GenericJson(MAPPING) if request.param == "generic" else decoders()[request.param]


def checked(decode, message):
    """What a decoder may do: give finite values with text units, or reject."""
    try:
        decoded = decode(message)
    except Rejected as rejected:
        assert rejected.code
        return
    assert isinstance(decoded, Decoded)
    for report in decoded.reports:
        assert report.address
        for value in report.values:
            assert math.isfinite(value.value)
            assert isinstance(value.unit, str)
            assert value.time_ms is None or value.time_ms <= NOW_MS + 600_000


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_nothing_breaks_a_decoder(data):
    """Random bytes and random documents of the formats' own words end in values or in a rejection."""
    registry = Registry()
    name = data.draw(st.sampled_from(sorted(set(TOPICS) - {"generic", "raw_modbus"})))
    payload = data.draw(PAYLOADS)
    checked(
        lambda message: registry.decode(message, Hints(), name=name)[1],
        Message(TOPICS[name], payload, NOW_MS),
    )
    checked(
        lambda message: registry.decode(message, Hints())[1],
        Message(data.draw(st.text(max_size=20)), payload, NOW_MS),
    )


@settings(max_examples=60, deadline=None)
@given(PAYLOADS)
def test_nothing_breaks_a_mapping(payload):
    """A school's own mapping meets whatever comes."""
    try:
        checked(
            lambda message: GenericJson(MAPPING).decode(message, Hints()),
            Message(TOPICS["generic"], payload, NOW_MS),
        )
    except (OverflowError, ValueError) as error:
        pytest.fail(str(error))


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "empty"),
        (b"\xff\xfe{}", "not_utf8"),
        (b"{not json", "malformed_json"),
        (b"[1,2", "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": Infinity}', "malformed_json"),
        (b" " * (1024 * 1024 + 1), "too_large"),
        (b"[" * 100 + b"]" * 100, "too_deep"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "too_deep"),
        (b"[" + b"-1e+308," * 120_000 + b"1]", "too_many_parts"),
        (b"[" + b"[[]]," * 29_000 + b"1]", "too_many_parts"),
        (b"[1, 2]", "not_an_object"),
        (b'"text"', "not_an_object"),
    ],
)
def test_bad_documents_are_named(payload, code):
    """Each way a document can be bad has a name of its own, and ten megabytes are refused unread."""
    # a bare text is one attribute of a Zigbee device, where its topic names one; an empty description is a deleted one
    means_something = {b'"text"': {"zigbee2mqtt"}, b"": {"ha_discovery", "homie"}}.get(payload, set())
    for name in set(TOPICS) - {"generic", "raw_modbus", "sparkplug_b"} - means_something:
        with pytest.raises(Rejected) as caught:
            Registry().decode(Message(TOPICS[name], payload, NOW_MS), Hints(), name=name)
        assert caught.value.code == code, name


def test_each_topic_finds_its_decoder(decoder):
    """A format's own topic leads to its decoder, and decoding leaves no trace in it."""
    if decoder.name not in {
        "generic",
        "raw_modbus",
        "chndas_array",
    }:  # its topic is the subscriber's own choice
        assert Registry().choose(Message(TOPICS[decoder.name], b"{}", NOW_MS)).name == decoder.name
    assert set(decoder_names()) == set(TOPICS)


@pytest.mark.parametrize(
    "topic",
    [
        "application/1/device/2/event/join",
        "application/1/device/2/event/log",
        "v3/app@school/devices/eui-1/join",
        "zigbee2mqtt/bridge/state",
        "zigbee2mqtt/freezer/availability",
        "tele/plug/LWT",
        "tele/plug/STATE",
        "shellyplus1-1/online",
        "/sys/pk/dn/thing/event/property/post_reply",
        "/server/acrelHW/null/para/1",
        "/neuron/north/read/resp",
        "spBv1.0/campus/NCMD/edge",
        "spBv1.0/STATE/host",
    ],
)
def test_sibling_topics_hold_no_readings(topic):
    """Joins, logs, wills and availability are understood and rightly yield nothing, whatever they hold."""
    for payload in (b"Online", b"{}", b'{"temperature": 1}', b""):
        _, decoded = Registry().decode(Message(topic, payload, NOW_MS), Hints())
        assert decoded.ignored
        assert decoded.reports == ()


def test_unknown_formats_and_decoders_are_named():
    """A message nobody recognises is rejected; a decoder nobody wrote is named with those there are."""
    with pytest.raises(Rejected, match="unknown_format"):
        Registry().decode(Message("some/where", b"{}", NOW_MS), Hints())
    with pytest.raises(UnknownDecoder, match="tasmota"):
        Registry().decode(Message("some/where", b"{}", NOW_MS), Hints(), name="tasmoto")


def test_mutations_of_real_shapes_do_no_harm():
    """Documents of the right shape with bytes changed, cut and doubled end in values or a rejection, 20,000 times."""
    generator = random.Random(11)
    shapes = {
        "zigbee2mqtt": b'{"temperature":-16.7,"voltage":2855,"current_phase_b":6553.5,"last_seen":"2026-11-20T12:00:00+08:00"}',
        "tasmota": b'{"Time":"2026-11-20T10:00:00","ENERGY":{"Total":[1,2,3],"Power":5},"DS18B20":{"Temperature":85.0}}',
        "tts_v3": b'{"end_device_ids":{"dev_eui":"A1"},"uplink_message":{"f_port":85,"frm_payload":"AXVcA2c0AQRoZQ=="}}',
        "aliyun_alink": b'{"params":{"WF":{"value":23.6,"time":1524448722000},"P":1},"method":"thing.event.property.post"}',
    }
    registry = Registry()
    for number in range(20_000):
        name = sorted(shapes)[number % 4]
        raw = bytearray(shapes[name])
        for _ in range(generator.randint(1, 4)):
            at = generator.randrange(len(raw))
            match generator.randrange(3):
                case 0:
                    raw[at] = generator.randrange(256)
                case 1:
                    del raw[at:]
                    raw += b"0"
                case _:
                    raw[at:at] = raw[at : at + 9]
        checked(
            lambda message, name=name: registry.decode(message, Hints(), name=name)[1],
            Message(TOPICS[name], bytes(raw), NOW_MS),
        )
