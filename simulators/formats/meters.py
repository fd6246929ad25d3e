"""wmbusmeters, Aliyun Alink, and whatever JSON a school's own mapping describes."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

from campus.clock import from_ms, iso
from campus.device import Device, FieldMapping
from campus.quantity import Quantity
from campus.site import GenericMapping, Site
from campus.unit import to_canonical
from simulators.formats.contract import Publication, as_json, first, strength
from simulators.physics.model import Values

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def wmbusmeters(
    device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
) -> list[Publication]:
    """A water meter's telegram; the time is the receiver's, in UTC."""
    body = {
        "media": "water",
        "meter": "iperl",
        "name": device.name,
        "id": device.address,
        "status": "OK",
        "total_m3": first(values, Quantity.WATER_VOLUME),
        "max_flow_m3h": first(values, Quantity.WATER_FLOW) or 0,
        "timestamp": iso(time_ms // 1000 * 1000),
        "rssi_dbm": strength(values, generator),
    }
    return [Publication(f"wmbusmeters/{device.address}", as_json(body))]


def aliyun_alink(
    device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
) -> list[Publication]:
    """A property post; identifiers are the register's *fields*, else the quantity's own name."""
    named = _source_values(device.fields, values) or {
        quantity.value: value for (quantity, channel), value in values.items() if channel in {"", "total"}
    }
    params = {name: {"value": value, "time": time_ms} for name, value in named.items()}
    body = {"id": str(time_ms), "version": "1.0", "method": "thing.event.property.post", "params": params}
    return [Publication(f"/sys/{device.address}/thing/event/property/post", as_json(body))]


def generic(
    device: Device, values: Values, time_ms: int, generator: random.Random, site: Site
) -> list[Publication]:
    """A message shaped as the site's mapping says; its topic is the mapping's source."""
    for source in site.sources:
        mapping = site.mappings.get(source.mapping)
        if (
            source.decoder != "generic"
            or not isinstance(mapping, GenericMapping)
            or not _source_values(mapping.fields | device.fields, values)
        ):
            continue
        body = _shaped(mapping, device, values, time_ms, site)
        return [Publication(_topic(source.topic, mapping, device), as_json(body))]
    return []


def _source_values(fields: dict[str, FieldMapping], values: Values) -> dict[str, float]:
    found = {}
    for name, field in fields.items():
        value = values.get((Quantity(field.quantity), field.channel))
        if value is not None:
            one = (
                to_canonical(Quantity(field.quantity), field.scale, field.unit) if field.unit else field.scale
            )
            found[name] = round(value / one, 4)
    return found


def _topic(topic_filter: str, mapping: GenericMapping, device: Device) -> str:
    if not mapping.address.startswith("topic:"):
        return topic_filter.replace("+", "gateway").replace("#", "up")
    segments = topic_filter.split("/")
    segments[int(mapping.address.removeprefix("topic:"))] = device.address
    return "/".join(segments).replace("+", "gateway").replace("#", "up")


def _shaped(mapping: GenericMapping, device: Device, values: Values, time_ms: int, site: Site) -> Any:
    record: dict[str, Any] = {}
    for path, value in _source_values(mapping.fields | device.fields, values).items():
        _put(record, path, value)
    if not mapping.address.startswith("topic:"):
        _put(record, mapping.address, device.address)
    if mapping.time is not None:
        _put(record, mapping.time.path, _time(mapping.time.format, time_ms, site))
    if not mapping.records:
        return record
    body: dict[str, Any] = {}
    _put(body, mapping.records.removesuffix("[*]"), [record])
    return body


def _time(form: str, time_ms: int, site: Site) -> Any:
    if form == "epoch":
        return time_ms
    if form == "iso":
        return iso(time_ms, site.zone)
    return from_ms(time_ms, site.zone).strftime(form)


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    """Sets ``a.b[0].c`` in nested objects and lists, making what is missing."""
    steps: list[str | int] = [int(index) if index else key for key, index in _STEP.findall(path)]
    here: Any = body
    for step, following in itertools.pairwise(steps):
        fresh: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            while len(here) <= step:
                here.append({})
            here[step] = here[step] or fresh
        else:
            here.setdefault(step, fresh)
        here = here[step]
    here[steps[-1]] = value
