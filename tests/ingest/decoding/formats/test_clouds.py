"""The thing models of Chinese clouds and ThingsBoard's telemetry, on messages of our own."""

from __future__ import annotations

import pytest
from decoding_support import NOW_MS, decoded

from campus.clock import parse_iso
from campus.device import Device, FieldMapping, Place
from ingest.decoding.contract import Hints
from ingest.decoding.reading import iec61850
from ingest.errors import Rejected

NOW_S = NOW_MS // 1000
BEFORE_MS = NOW_MS - 7_200_000


def table(topic, body, hints=None):
    """Every value: device, quantity, channel, value, unit, time."""
    return [
        (
            report.address,
            str(value.quantity),
            value.channel,
            value.value,
            value.unit,
            value.time_ms if value.time_ms is not None else report.time_ms,
        )
        for report in decoded(topic, body, hints)[1].reports
        for value in report.values
    ]


HUAWEI = "$oc/devices/gw_1/sys/properties/report"


@pytest.mark.parametrize(
    ("written", "time_ms"),
    [
        ("20261121T035000Z", parse_iso("2026-11-21T03:50:00Z")),
        ("2026-11-21T03:50:00.250Z", parse_iso("2026-11-21T03:50:00.250Z")),
        ("21.11.2026", None),
        ("", None),
        (None, None),
        ("21261121T035000Z", None),
    ],
)
def test_iotda_times(written, time_ms):
    """Both documented forms in UTC; anything else is the time of receipt."""
    services = [{"service_id": "m", "properties": {"PhV_phsA": "229.5"}, "event_time": written}]
    for topic in (
        HUAWEI,
        f"{HUAWEI}?request_id=7",
        "$oc/devices/gw_1/sys/properties/get/response/request_id=7",
    ):
        assert table(topic, {"services": services}) == [("gw_1", "voltage", "a", 229.5, "V", time_ms)]


def test_iotda_gateways_and_notices():
    """Each sub-device reports for itself, each service at its own time; data forwarding tells the same."""
    topic = "$oc/devices/gw_1/sys/gateway/sub_devices/properties/report"
    body = {
        "devices": [
            {
                "device_id": "cold_1",
                "services": [
                    {
                        "service_id": "a",
                        "properties": {"温度": "-18.5", "名称": "东"},
                        "event_time": "20261121T034000Z",
                    },
                    {
                        "service_id": "b",
                        "properties": {"battery": 88, "none": None},
                        "event_time": "20261121T035000Z",
                    },
                ],
            },
            {
                "device_id": "meter_2",
                "services": [{"service_id": "c", "properties": {"总用水量": "123.4 m3"}}],
            },
        ]
    }
    assert table(topic, body) == [
        ("cold_1", "temperature", "", -18.5, "°C", parse_iso("2026-11-21T03:40:00Z")),
        ("cold_1", "battery_level", "", 88.0, "%", parse_iso("2026-11-21T03:50:00Z")),
        ("meter_2", "water_volume", "", 123.4, "m3", None),
    ]
    notice = {
        "resource": "device.property",
        "notify_data": {
            "header": {"device_id": "cold_1"},
            "body": {"services": body["devices"][0]["services"][:1]},
        },
    }
    assert table("forwarded/huawei", notice) == [
        ("cold_1", "temperature", "", -18.5, "°C", parse_iso("2026-11-21T03:40:00Z"))
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PhV_phsC", ("voltage", "V", "c")),
        ("A.phsB", ("current", "A", "b")),
        ("A_neut", ("current", "A", "n")),
        ("TotW", ("active_power", "W", "total")),
        ("TotWh", ("energy", "Wh", "")),
        ("Hz", ("frequency", "Hz", "")),
        ("A", None),
        ("TotW_phsA", None),
        ("phsA", None),
    ],
)
def test_names_of_the_power_standard(name, expected):
    """Nodes with their phase, totals without; a lone letter says nothing."""
    found = iec61850.meaning(name)
    assert (None if found is None else (found.quantity, found.unit, found.channel)) == expected


ONENET = "$sys/pid1/meter 3/thing/property/post"


def test_onenet_properties():
    """Values with times, bare and as texts; structures by their fields; texts are no readings; unknown names stay."""
    params = {
        "温度": {"value": "4.5", "time": BEFORE_MS},
        "WF": {"value": 23.6, "time": BEFORE_MS},
        "power_state": {"value": "on", "time": BEFORE_MS},
        "cellar": {"value": {"humidity": 61, "note": "ok"}, "time": BEFORE_MS},
        "$OneNET_LBS": {"value": [{"imei": "1"}]},
        "gone": {"value": None},
    }
    assert table(ONENET, {"id": "1", "version": "1.0", "params": params}) == [
        ("pid1/meter 3", "temperature", "", 4.5, "°C", BEFORE_MS),
        ("pid1/meter 3", "WF", "", 23.6, "", BEFORE_MS),
        ("pid1/meter 3", "switch", "", 1.0, "bool", BEFORE_MS),
        ("pid1/meter 3", "humidity", "", 61.0, "%", BEFORE_MS),
    ]


def test_onenet_packs_history_and_data_points():
    """Sub-devices by their identity, every sample of a history with its own time, the older points in seconds."""
    identity = {"productID": "p2", "deviceName": "d2"}
    pack = [
        {
            "identity": identity,
            "properties": {"temperature": {"value": 4, "time": BEFORE_MS}},
            "events": {"e": {}},
        },
        {"identity": {"productID": "p2", "deviceName": "d3"}, "events": {"e": {"value": {}, "time": 1}}},
    ]
    assert table("$sys/pid1/gw/thing/pack/post", {"params": pack}) == [
        ("p2/d2", "temperature", "", 4.0, "°C", BEFORE_MS)
    ]
    history = [
        {
            "identity": identity,
            "properties": {
                "temperature": [
                    {"value": "4.5", "time": BEFORE_MS},
                    {"value": 5, "time": str(BEFORE_MS + 60_000)},
                    {"value": None, "time": BEFORE_MS},
                ]
            },
        }
    ]
    assert table("$sys/pid1/gw/thing/history/post", {"params": history}) == [
        ("p2/d2", "temperature", "", 4.5, "°C", BEFORE_MS),
        ("p2/d2", "temperature", "", 5.0, "°C", BEFORE_MS + 60_000),
    ]
    points = {
        "temperature": [{"v": 3, "t": NOW_S - 60}, {"v": 4, "t": NOW_S}],
        "status": [{"v": {"color": "red"}}],
    }
    assert table("$sys/pid1/probe/dp/post/json", {"id": 1, "dp": points}) == [
        ("pid1/probe", "temperature", "", 3.0, "°C", NOW_MS - 60_000),
        ("pid1/probe", "temperature", "", 4.0, "°C", NOW_MS),
    ]


def test_tencent_reports():
    """Only reports hold readings; times in seconds or milliseconds; packed reports have moments and sub-devices."""
    topic = "$thing/up/property/PRODUCT/cold1"
    for at in (NOW_S - 5, NOW_MS - 5000, str(NOW_S - 5)):
        body = {
            "method": "report",
            "clientToken": "c",
            "timestamp": at,
            "params": {"temperature": -17.5, "door": 1},
        }
        assert table(topic, body) == [
            ("PRODUCT/cold1", "temperature", "", -17.5, "°C", NOW_MS - 5000),
            ("PRODUCT/cold1", "door_open", "", 1.0, "bool", NOW_MS - 5000),
        ]
    packed = {
        "method": "packReport",
        "properties": [{"timestamp": NOW_S - 60, "params": {"temperature": -17}}],
        "subDevices": [
            {
                "productID": "P2",
                "deviceName": "d2",
                "properties": [{"timestamp": NOW_S, "params": {"humidity": 55}}],
            }
        ],
    }
    assert table(topic, packed) == [
        ("PRODUCT/cold1", "temperature", "", -17.0, "°C", NOW_MS - 60_000),
        ("P2/d2", "humidity", "", 55.0, "%", NOW_MS),
    ]
    for method in ("get_status", "report_info", ""):
        assert decoded(topic, {"method": method, "params": {"temperature": 1}})[1].ignored


def test_tuya_leaves_the_scale_to_the_register():
    """Whole numbers may be scaled, so their codes wait for the register; switches and percents need none."""
    topic = "tylink/6c1/thing/property/report"
    data = {
        "cur_voltage": {"value": 2203, "time": NOW_MS - 1000},
        "switch": {"value": True, "time": NOW_MS - 1000},
        "battery_percentage": {"value": 88},
        "temperature": {"value": 4.5},
        "mode": {"value": "auto"},
    }
    body = {"msgId": "1", "time": NOW_S, "data": data}
    assert table(topic, body) == [
        ("6c1", "cur_voltage", "", 2203.0, "", NOW_MS - 1000),
        ("6c1", "switch", "", 1.0, "bool", NOW_MS - 1000),
        ("6c1", "battery_level", "", 88.0, "%", NOW_MS),
        ("6c1", "temperature", "", 4.5, "°C", NOW_MS),
    ]
    device = Device(
        id="m",
        name="m",
        kind="electricity_meter",
        place=Place(site="s"),
        fields={"cur_voltage": FieldMapping(quantity="voltage", unit="V", scale=0.1)},
    )
    (voltage, *_) = table(topic, body, Hints(device_at=lambda _: device))
    assert (voltage[1], round(voltage[3], 6), voltage[4]) == ("voltage", 220.3, "V")
    batch = {
        "properties": {"temperature": {"value": 4.5, "time": NOW_MS}},
        "subDevices": {"6c2": {"properties": {"door_open": {"value": False, "time": NOW_MS}}}},
    }
    assert table("tylink/6c1/thing/data/batch_report", {"data": batch}) == [
        ("6c1", "temperature", "", 4.5, "°C", NOW_MS),
        ("6c2", "door_open", "", 0.0, "bool", NOW_MS),
    ]
    listed = {"subDevices": [{"deviceId": "6c3", "properties": {"leak": {"value": 1}}}]}
    assert table("tylink/6c1/thing/data/batch_report", {"time": NOW_MS, "data": listed}) == [
        ("6c3", "leak_detected", "", 1.0, "bool", NOW_MS)
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"temperature": "4.5", "firmware": "v1.2"}, [(4.5, None)]),
        ({"ts": BEFORE_MS, "values": {"temperature": 4.5}}, [(4.5, BEFORE_MS)]),
        ({"ts": NOW_S, "temperature": 4.5}, [(4.5, NOW_MS)]),
        (
            [{"ts": BEFORE_MS, "values": {"temperature": 4.5}}, {"ts": NOW_MS, "values": {"temperature": 5}}],
            [(4.5, BEFORE_MS), (5.0, NOW_MS)],
        ),
        ([{"temperature": 4.5}, {"humidity": None}], [(4.5, None)]),
        ({"values": {"temperature": -327.68}}, []),
    ],
)
def test_thingsboard_devices(body, expected):
    """Flat, with a time, and lists of both."""
    found = table("v1/devices/cold1/telemetry", body)
    assert [(value, at) for *_, value, _, at in found] == expected
    assert {address for address, *_ in found} <= {"cold1"}


def test_thingsboard_gateways():
    """The device is the key; a device that only its credentials would tell may name itself."""
    body = {
        "冷库 1": [
            {"ts": BEFORE_MS, "values": {"温度": -18}},
            {"ts": NOW_MS, "values": {"x1": 3, "x2": "on"}},
        ],
        "meter": {"volume": 12.5},
    }
    assert table("v1/gateway/telemetry", body) == [
        ("冷库 1", "temperature", "", -18.0, "°C", BEFORE_MS),
        ("冷库 1", "x1", "", 3.0, "", NOW_MS),
        ("meter", "water_volume", "", 12.5, "m3", None),
    ]
    assert table("v1/devices/me/telemetry", {"deviceName": "p7", "temperature": 1})[0][:2] == (
        "p7",
        "temperature",
    )
    assert table("v2/t", {"temperature": 1})[0][0] == "me"


@pytest.mark.parametrize(
    ("topic", "body", "code"),
    [
        (
            "$oc/devices/g/sys/gateway/sub_devices/properties/report",
            {"devices": [{"services": []}]},
            "no_device",
        ),
        ("$sys/p/d/thing/property/post", {"params": 7}, "no_params"),
        (
            "$sys/p/d/thing/pack/post",
            {"params": [{"identity": {"productID": "p"}, "properties": {"a": 1}}]},
            "no_device",
        ),
        ("$thing/up/property/p/d", {"method": "packReport", "subDevices": [{"properties": []}]}, "no_device"),
        (
            "tylink/d/thing/data/batch_report",
            {"data": {"subDevices": [{"properties": {"a": 1}}]}},
            "no_device",
        ),
        ("v1/gateway/telemetry", [1], "not_an_object"),
        ("v1/gateway/telemetry", {" ": {"a": 1}}, "no_device"),
        ("v1/devices/d/telemetry", [1], "not_an_object"),
        ("v1/devices/d/telemetry", 7, "not_an_object"),
    ],
)
def test_what_no_document_allows_is_rejected(topic, body, code):
    """A missing device or a body of the wrong shape is named."""
    with pytest.raises(Rejected, match=code):
        decoded(topic, body)


@pytest.mark.parametrize(
    "topic",
    [
        "$oc/devices/d/sys/messages/up",
        "$oc/devices/d/sys/events/up",
        "$oc/devices/d/sys/commands/response/request_id=1",
        "$sys/p/d/thing/property/post/reply",
        "$sys/p/d/thing/event/post",
        "$sys/p/d/thing/property/set",
        "tylink/d/thing/property/report_response",
        "tylink/d/thing/event/trigger",
    ],
)
def test_neighbouring_topics_hold_no_readings(topic):
    """Replies, events, settings and commands are understood and yield nothing, whatever they hold."""
    body = {
        "params": {"temperature": 1},
        "data": {"temperature": 1},
        "services": [{"properties": {"temperature": 1}}],
    }
    found = decoded(topic, body)[1]
    assert found.ignored
    assert found.reports == ()
