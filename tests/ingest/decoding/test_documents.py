"""Random documents of the words that clouds and network servers use, on each format's own topic."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from campus.clock import parse_iso
from ingest.decoding.contract import Hints
from ingest.decoding.registry import Registry
from ingest.errors import Rejected
from ingest.message import Message

NOW_MS = parse_iso("2026-11-21T04:00:00Z")

#: words that these formats look for, so that random documents reach deep
WORDS = st.sampled_from(
    [
        "services", "properties", "devices", "device_id", "service_id", "event_time", "notify_data", "header", "body", "params",
        "identity", "deviceName", "productID", "dp", "v", "t", "value", "time", "method", "report", "packReport", "timestamp",
        "subDevices", "deviceId", "data", "ts", "values", "temperature", "PhV_phsA", "devEUI", "rxInfo", "fPort", "object",
        "objectJSON", "DevEUI_uplink", "DevEUI", "payload_hex", "payload", "points", "records", "unitId", "FPort", "Time", "cmd",
        "rx", "EUI", "decoded", "gws", "port", "deviceName", "AXVc",
    ]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    WORDS,
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda deeper: st.one_of(
        st.lists(deeper, max_size=4),
        st.dictionaries(st.one_of(WORDS, st.text(max_size=3)), deeper, max_size=6),
    ),
    max_leaves=25,
)
TOPICS = {
    "huawei_iotda": "$oc/devices/g/sys/gateway/sub_devices/properties/report",
    "onenet_onejson": "$sys/p/d/thing/history/post",
    "tencent_iot": "$thing/up/property/p/d",
    "tuya_tylink": "tylink/d/thing/data/batch_report",
    "thingsboard_json": "v1/gateway/telemetry",
    "chirpstack_v3": "application/1/device/1/rx",
    "milesight_gateway": "/milesight/uplink/1",
    "thingpark": "mqtt/things/1/uplink",
    "loriot": "loriot/1",
}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(TOPICS)), DOCUMENTS)
def test_nothing_breaks_these_decoders(name, body):
    """Documents of the formats' own words end in values or in a rejection with a reason of its own, never in a fault."""
    try:
        _, found = Registry().decode(
            Message(TOPICS[name], json.dumps(body, allow_nan=False).encode(), NOW_MS), Hints(), name=name
        )
    except Rejected as rejected:
        assert rejected.code != "decoder_fault", rejected
        return
    for report in found.reports:
        assert report.address
        assert all(math.isfinite(value.value) for value in report.values)
