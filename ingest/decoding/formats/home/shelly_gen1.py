"""Shelly of the first generation: ``shellies/ID/…`` with one bare value a topic, and ``info`` with the whole status.

Energy of relays, rollers and lights is counted in watt-minutes, of ``emeter`` in watt-hours (``total``); both begin at 0
again at some point. Source: shelly-api-docs.shelly.cloud/gen1, MQTT.
"""

from __future__ import annotations

import re
from typing import ClassVar

from campus.quantity import Quantity
from ingest.decoding.contract import Hints
from ingest.decoding.formats.home.shelly_gen1_status import NO_PROBE, Status, circuit, probe
from ingest.decoding.reading.fields import first_of_each, registered, value_of
from ingest.decoding.reading.names import Meaning
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.bare import bare
from ingest.decoding.wire.document import mapping
from ingest.decoding.wire.topic import segments
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

_ROOT = "shellies"
_CIRCUIT = re.compile(r"(relay|light|color|white|roller|emeter|meter)/(\d)(?:/([a-z_]+))?")
_POWER, _WMIN = Meaning(Quantity.ACTIVE_POWER, "W"), Meaning(Quantity.ENERGY, "Wmin")
_OF_RELAY: dict[str | None, Meaning] = {
    None: Meaning(Quantity.SWITCH, "bool"),
    "power": _POWER,
    "energy": _WMIN,
}
_OF_EMETER: dict[str | None, Meaning] = {
    "power": _POWER,
    "voltage": Meaning(Quantity.VOLTAGE, "V"),
    "current": Meaning(Quantity.CURRENT, "A"),
    "pf": Meaning(Quantity.POWER_FACTOR, "1"),
    "total": Meaning(Quantity.ENERGY, "Wh"),
    "total_returned": Meaning(Quantity.ENERGY, "Wh", "produced"),
    # the same energy since the last start, beside the register
    "energy": Meaning(Quantity.ENERGY, "Wmin", "since_start"),
    "returned_energy": Meaning(Quantity.ENERGY, "Wmin", "since_start.produced"),
}
_EXTERNAL = re.compile(r"ext_(temperature|temperature_f|humidity|temperatures|humidities)/(\d)")
_SENSORS: dict[str, Meaning] = {
    "sensor/temperature": Meaning(Quantity.TEMPERATURE, "°C"),
    "sensor/humidity": Meaning(Quantity.HUMIDITY, "%"),
    "sensor/flood": Meaning(Quantity.LEAK_DETECTED, "bool"),
    "sensor/state": Meaning(Quantity.DOOR_OPEN, "bool"),
    "sensor/battery": Meaning(Quantity.BATTERY_LEVEL, "%"),
    "temperature": Meaning(Quantity.TEMPERATURE, "°C", "device"),  # of its own case
    "voltage": Meaning(Quantity.VOLTAGE, "V"),
    "voltage/0": Meaning(Quantity.VOLTAGE, "V"),
    "adc/0": Meaning(Quantity.VOLTAGE, "V", "adc"),
}
_FLAGS = {"overtemperature", "overpower", "loaderror", "sensor/error", "sensor/act_reasons", "sensor/charger"}
_FINE = {"", "0", "false", "normal", "none"}


class ShellyGen1:
    """Values by topic and ``info``; announcements, commands and events hold no readings."""

    name: ClassVar[str] = "shelly_gen1"
    topics: ClassVar[tuple[str, ...]] = ("shellies/#",)

    def recognises(self, message: Message) -> bool:
        """By the topic under ``shellies/``, unless it is one of a later generation."""
        # a later Shelly may have been given a prefix under shellies/
        parts = segments(message.topic)
        later = parts[-2:] == ["events", "rpc"] or parts[-1] == "rpc" or parts[-2:-1] == ["status"]
        return parts[0] == _ROOT and not later

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """A single value, a flag, or all of ``info``; 999 means that no probe is there, and is dropped."""
        parts = segments(message.topic)
        if parts[0] != _ROOT or len(parts) < 3:
            return Decoded(ignored="not of one device")
        address, rest = parts[1], "/".join(parts[2:])
        if not address:
            raise Rejected("no_device", f"topic {message.topic!r} names no device")
        device = hints.device_at(address)
        if rest in {"info", "status"}:
            body = mapping(message.payload)
            status = Status(address, body, device)
            time_ms = plausible(parse(body.get("unixtime"), hints.zone), message.received_ms)
            return Decoded((Report(address, time_ms, tuple(first_of_each(status.values)), status.dropped),))
        if rest in _FLAGS:
            said = bare(message.payload)
            flags = {} if said.lower() in _FINE else {rest: said[:128]}
            return Decoded((Report(address, None, (), flags=flags),))
        found = registered(rest, device) or _meaning(address, rest)
        if found is None:
            return Decoded(ignored=f"{rest[:64]} holds no readings")
        dropped: dict[str, str] = {}
        value = value_of(found, rest, bare(message.payload), dropped)
        if value is not None and value.value == NO_PROBE:
            dropped[rest], value = "999 means no probe", None
        return Decoded((Report(address, None, () if value is None else (value,), dropped),))


def _meaning(address: str, rest: str) -> Meaning | None:
    match = _CIRCUIT.fullmatch(rest)
    if match is not None:
        kind, what = match[1], match[3]
        found = (_OF_EMETER if kind == "emeter" else _OF_RELAY).get(what)
        if found is None or (kind in {"roller", "meter"} and what is None):
            return None
        channel = circuit(address, kind, match[2])
        return found._replace(channel=".".join(one for one in (channel, found.channel) if one))
    match = _EXTERNAL.fullmatch(rest)
    if match is not None:
        channel = probe(match[2])
        if match[1] == "humidity":
            return Meaning(Quantity.HUMIDITY, "%", channel)
        return Meaning(Quantity.TEMPERATURE, "°C", channel) if match[1] == "temperature" else None
    return _SENSORS.get(rest)
