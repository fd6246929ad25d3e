"""Neuron (EMQX): tags a gateway read over Modbus, DL/T 645, OPC UA …, by southbound node and group.

Source: neuron-docs, "Upstream/Downstream Data Format": values-format, tags-format, ECP-format, and the custom format
in which the same parts stand under names of the school's choice, up to three objects deep. ``timestamp`` is epoch ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ingest.decoding.contract import Hints
from ingest.decoding.reading.fields import first_of_each
from ingest.decoding.reading.modelled import modelled_value
from ingest.decoding.reading.timestamp import parse, plausible
from ingest.decoding.wire.document import mapping, text
from ingest.errors import Rejected
from ingest.message import Decoded, Message, Report

#: under these names an object holds values by tag, whatever the tags are called
_VALUES = {"values", "tag_values"}
_ERRORS = {"errors", "tag_errors", "tag_error_values"}
#: the objects of a message that describe rather than measure
_DESCRIBE = {"metas", "gateway_info", "static_tags", "static_tag_values"}
_SERIALS = ("sn", "sn_number", "gateway_sn", "serial", "serial_number")
#: the custom format nests three levels at the most
_DEEPEST = 4
#: more tags than any group of Neuron's holds in practice
_MOST_PARTS = 20_000
#: ECP-format: the declared type of a text
_TEXT = 4


class Neuron:
    """The four upload formats; heartbeats, read and write traffic hold no readings."""

    name: ClassVar[str] = "neuron"
    topics: ClassVar[tuple[str, ...]] = ("/neuron/#", "neuron/#")

    def recognises(self, message: Message) -> bool:
        """By the topic, or by node, group and timestamp together."""
        if message.topic.lstrip("/").startswith("neuron/"):
            return True
        head = message.payload[:4096]
        return all(word in head for word in (b'"node"', b'"group"', b'"timestamp"'))

    def decode(self, message: Message, hints: Hints) -> Decoded:
        """One report under ``[serial/]node/group``; its tags mean what the register says."""
        if message.topic.endswith(("/req", "/resp", "/heartbeat", "/state/update")):
            return Decoded(ignored="not an upload")
        body = mapping(message.payload)
        if "states" in body or body.get("uuid"):
            return Decoded(ignored="a node's state, or an answer")
        parts = list(_objects(body))
        group = next((one for one in parts if "group" in one or "node" in one), {})
        node, name = text(group.get("node")), text(group.get("group"))
        if not node and not name:
            raise Rejected("no_device", "the message names neither node nor group")
        serial = next((found for one in parts for key in _SERIALS if (found := text(one.get(key)))), "")
        address = "/".join(part for part in (serial, node, name) if part)
        device = hints.device_at(address)
        raw_time = next((one["timestamp"] for one in parts if "timestamp" in one), None)
        dropped: dict[str, str] = {}
        values = [
            value
            for one in parts
            for tag, raw in _tags(one, dropped)
            if (value := modelled_value(tag.strip(), raw, device, dropped)) is not None
        ]
        time_ms = plausible(parse(raw_time, hints.zone), message.received_ms)
        return Decoded((Report(address, time_ms, tuple(first_of_each(values)), dropped),))


def _objects(body: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """*body* and the objects in it that are neither values nor errors."""
    yield body
    for key, inside in body.items():
        if isinstance(inside, dict) and key not in _VALUES | _ERRORS and depth < _DEEPEST:
            yield from _objects(inside, depth + 1)


def _tags(part: Mapping[str, Any], dropped: dict[str, str]) -> Iterator[tuple[str, object]]:
    """The tags of one object; those that failed are named in *dropped* with Neuron's code."""
    for key, inside in part.items():
        if key in _DESCRIBE:
            continue
        if isinstance(inside, dict) and key in _VALUES:
            yield from inside.items()
        elif isinstance(inside, dict) and key in _ERRORS:
            dropped |= {tag: _failed(code) for tag, code in inside.items()}
        elif isinstance(inside, list):
            yield from _listed(inside[:_MOST_PARTS], dropped)


def _listed(tags: list[Any], dropped: dict[str, str]) -> Iterator[tuple[str, object]]:
    """Tags-format and ECP-format: ``{"name", "value" | "error", "type"}``, the type 1 to 4."""
    for tag in tags:
        name = text(tag.get("name")) if isinstance(tag, dict) else ""
        if not name:
            continue
        if error := tag.get("error"):
            dropped[name] = _failed(error)
        elif tag.get("type") != _TEXT:
            yield name, tag.get("value")


def _failed(code: object) -> str:
    return f"not read: error {code!r:.24}"
