"""Scores the decoders on third-party samples, when they lie beside the checkout: the share that is right, by format."""

from __future__ import annotations

import argparse
import base64
import csv
import json
import sys
from collections import defaultdict
from pathlib import Path

from campus.clock import SHANGHAI, parse_iso
from campus.errors import CampusError
from campus.quantity import SPECS, Quantity
from campus.site import Site
from campus.unit import to_canonical
from ingest.decoding.contract import Hints
from ingest.decoding.registry import Registry
from ingest.errors import Rejected
from ingest.message import Message

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "payloads"
NOW_MS = parse_iso("2026-11-21T00:00:00Z")
SYNONYMS = {"battery": "battery_level", "leak": "leak_detected"}
#: logs are sequences for the meters' arithmetic, no messages
LOG = "log"
#: as in the document the sample is from: humidity and temperature in tenths, the hexadecimal text in JSON
SITE = Site.model_validate(
    {
        "id": "bench",
        "name": "bench",
        "sources": [{"topic": "dtu/+", "decoder": "raw_modbus", "mapping": "dtu"}],
        "mappings": {
            "dtu": {
                "kind": "modbus",
                "address": "topic:1",
                "payload": "rowdata",
                "replies": [
                    {
                        "registers": 2,
                        "values": [
                            {"offset": 0, "scale": 0.1, "quantity": "humidity", "unit": "%"},
                            {
                                "offset": 1,
                                "type": "int16",
                                "scale": 0.1,
                                "quantity": "temperature",
                                "unit": "°C",
                            },
                        ],
                    }
                ],
            }
        },
    }
)


def rows():
    with (SAMPLES / "index.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["encoding"] != LOG:
                yield row


def messages_of(row):
    """The sample's messages: one, or for a format with a value a topic all of its envelope."""
    payload = (SAMPLES / row["file"]).read_bytes()
    topic = row["topic"].split("  ")[0]
    if row["encoding"] == "envelope":
        said = json.loads(payload)["messages"]
        return [Message(one["topic"], text_of(one["payload"]).encode(), NOW_MS) for one in said]
    if row["format"] == "raw_modbus":
        topic = "dtu/1"
    if row["encoding"] == "lorawan_raw":
        sample = json.loads(payload)
        body = {
            "deviceInfo": {"devEui": "0000000000000001", "deviceProfileName": sample["model"]},
            "fPort": sample["fPort"],
            "data": base64.b64encode(bytes.fromhex(sample["hex"])).decode(),
        }
        payload, topic = json.dumps(body).encode(), "application/1/device/0000000000000001/event/up"
    return [Message(topic, payload, NOW_MS)]


def text_of(payload):
    return payload if isinstance(payload, str) else json.dumps(payload)


def found_in(row):
    registry = Registry(SITE if row["format"] == "raw_modbus" else None)
    for message in messages_of(row):
        _, decoded = registry.decode(message, Hints())
        for report in decoded.reports:
            for value in report.values:
                time_ms = value.time_ms if value.time_ms is not None else report.time_ms
                yield str(value.quantity), value.value, value.unit, time_ms, value.channel, value.field


def same_value(quantity, wanted, unit, value, found_unit):
    if quantity in SPECS:
        try:
            wanted = to_canonical(Quantity(quantity), float(wanted), unit)
            value = to_canonical(Quantity(quantity), value, found_unit)
        except CampusError:
            return False
    return abs(wanted - value) <= 1e-6 * max(1.0, abs(wanted))


def problems(row):
    """What is wrong with how the sample is read; an empty list when it is right."""
    expected = json.loads(row["expected"])
    refused = expected.get("reject") or row["encoding"] == "malformed_json"
    try:
        found = list(found_in(row))
    except Rejected as rejected:
        return [] if refused else [f"rejected: {rejected}"]
    if refused:
        return ["read, and should be rejected"]
    wrong = []
    for reading in expected["readings"]:
        quantity = SYNONYMS.get(reading["q"], reading["q"])
        near = [
            one
            for one in found
            if one[0] == quantity and same_value(quantity, reading["v"], reading["u"], one[1], one[2])
        ]
        channel = reading.get("phase") or ("" if row["format"] == "tasmota" else reading.get("channel"))
        if channel:
            near = [
                one
                for one in near
                if one[4] in {channel, "" if channel == "a" else channel} or one[4] == channel
            ]
        if reading.get("time"):
            near = [one for one in near if one[3] == parse_iso(reading["time"])]
        if not near:
            wrong.append(
                f"missing {quantity} {reading['v']} {reading['u']} {channel or ''} {reading.get('time', '')}"
            )
    wrong += [f"kept {name}" for name in expected.get("drop", ()) if any(one[5] == name for one in found)]
    if not expected["readings"] and any(one[0] in SPECS for one in found if one[0] != "signal_strength"):
        wrong.append(f"{len(found)} readings where none is expected")
    wanted_time = expected.get("time")
    if wanted_time and found:
        zone = SHANGHAI if "(" in wanted_time else None
        text = wanted_time.split(" (")[0][:26].rstrip("Z") + ("" if zone else "Z")
        exact = parse_iso(text, zone)
        if not any(one[3] is not None and abs(one[3] - exact) < 10_000 for one in found):
            wrong.append(f"time {wanted_time} not found")
    return wrong


def score():
    """Right and all samples by format, and what is wrong with the others."""
    right, total, wrong = defaultdict(int), defaultdict(int), {}
    for row in rows():
        total[row["format"]] += 1
        found = problems(row)
        right[row["format"]] += not found
        if found:
            wrong[row["file"]] = found
    return dict(right), dict(total), wrong


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    if not SAMPLES.exists():
        print("the payload samples are not beside this checkout; nothing scored")
        return 0
    right, total, wrong = score()
    print(f"{'format':<16}{'right':>7}{'of':>5}")
    for name in sorted(total):
        print(f"{name:<16}{right[name]:>7}{total[name]:>5}")
    print(f"{'all':<16}{sum(right.values()):>7}{sum(total.values()):>5}")
    for file, found in wrong.items():
        print(f"wrong: {file}: {'; '.join(found)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
