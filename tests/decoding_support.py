"""Reading a message in a test, as the registry of a site does."""

from __future__ import annotations

import json

from campus.clock import parse_iso
from campus.device import Device, Place
from ingest.decoding.contract import Hints
from ingest.decoding.registry import Registry
from ingest.message import Message

NOW_MS = parse_iso("2026-11-21T04:00:00Z")


def message(topic, body):
    payload = (
        body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    )
    return Message(topic, payload, NOW_MS)


def decoded(topic, body, hints=None, *, registry=None):
    return (registry or Registry()).decode(message(topic, body), hints or Hints())


def reports(topic, body, hints=None, *, registry=None):
    return decoded(topic, body, hints, registry=registry)[1].reports


def values(topic, body, hints=None, *, registry=None):
    return {
        (str(value.quantity), value.channel): (value.value, value.unit)
        for report in reports(topic, body, hints, registry=registry)
        for value in report.values
    }


def registered(**by_address):
    """Hints of a register with these devices: address with / and : as __ and ___, kind or a dictionary of columns."""
    devices = {
        address: Device(id=f"d{order}", name="d", place=Place(site="s"), address=address, **columns)
        for order, (address, columns) in enumerate(by_address.items())
    }
    return Hints(device_at=devices.get)
